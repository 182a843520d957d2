"""Files: their faults, the lines of their keys, reading them again."""

from __future__ import annotations

import asyncio
import logging
import tomllib

import attrs
import pytest

from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from buvar import config
from buvar.config._sources.toml_lines import line_of


#: What a command calls its options.
OPTIONS = config.NamedBy(files="-c", secrets="--secrets", unknown="--unknown")


@attrs.define
class Web:
    port: int = 0
    host: str = "h"


def fails(*args, **options) -> str:
    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource.read(*args, **options)
    return str(caught.value)


def test_faults(tmp_path) -> None:
    """What cannot be read is an error that says what to do."""
    assert "config.optional" in fails(tmp_path / "missing.toml")
    assert "Is a directory" in fails(tmp_path)
    assert "NUL byte" in fails("a\0b.toml")
    assert "secrets folder" in fails(secrets=tmp_path / "missing")
    assert "section.key=value" in fails(overrides=["a.b"])
    assert "section.key=value" in fails(overrides=["=5"])
    assert "Check the path" in fails("x" * 5000)
    with pytest.raises(config.ConfigError, match="made of dicts"):
        config.ConfigSource("base.toml")  # type: ignore[arg-type]


def test_end_of_document(tmp_path) -> None:
    """An unexpected end is shown where it is."""
    file = tmp_path / "a.toml"
    file.write_text("a = [1,\n2")

    assert f"{file}:2:2" in fails(file)


@pytest.mark.parametrize(
    ("text", "place", "excerpt"),
    [
        ("a = 1\nmany = [1,\n  2,\n", "3:5", "  2,\n          ^"),
        ("a = 1\nmany = [\n\n\n \n", "2:9", "many = [\n"),
        ('text = """abc\n\n', "1:14", 'text = """abc\n'),
        ("token = [\n  'hunter2',\n\n", "2:13", "***"),
    ],
    ids=str,
)
def test_end_with_lines_that_are_empty(tmp_path, text, place, excerpt) -> None:
    """What is not closed is shown behind the last text of the file."""
    file = tmp_path / "a.toml"
    file.write_text(text)

    error = fails(file)

    assert f"{file}:{place}" in error
    assert excerpt in error
    assert "hunter2" not in error


def test_another_working_directory(tmp_path, monkeypatch) -> None:
    """Files and secrets are found again from wherever the process goes."""
    monkeypatch.chdir(tmp_path)
    for name in ("conf.d", "secrets", "elsewhere"):
        tmp_path.joinpath(name).mkdir()
    file = tmp_path / "web.toml"
    more = tmp_path / "conf.d" / "more.toml"
    secret = tmp_path / "secrets" / "web_host"
    file.write_text("[web]\nport = 1\n")
    source = config.ConfigSource.read("web.toml", "conf.d", secrets="secrets")

    monkeypatch.chdir(tmp_path / "elsewhere")
    assert not source.refresh()
    secret.write_text("a")
    file.write_text("[web]\nport = 22\n")
    assert source.refresh()
    assert source.load(Web, "web") == Web(22, "a")
    assert source.secrets == "secrets"

    more.write_text("[web]\nport = 'x'\n")
    source.reload()
    with pytest.raises(config.ConfigError, match=r"\(conf.d/more.toml:2\)"):
        source.load(Web, "web")


def test_what_names_a_missing_file(tmp_path) -> None:
    """The cure for a missing file is that of those who named it."""
    missing = tmp_path / "missing.toml"

    assert fails(missing).endswith("or pass config.optional(path).")
    assert fails(missing, named_by=OPTIONS).endswith(
        "Create it, or correct the path that -c names."
    )


def test_what_names_a_missing_folder_of_secrets(tmp_path) -> None:
    """So is the cure for a folder of secrets, also when it is read again."""
    folder = tmp_path / "secrets"

    assert fails(secrets=folder).endswith("Mount it, or pass no secrets.")
    cure = "Mount it, or correct the path that --secrets names."
    assert fails(secrets=folder, named_by=OPTIONS).endswith(cure)
    folder.mkdir()
    source = config.ConfigSource(secrets=folder, named_by=OPTIONS)
    folder.rmdir()
    with pytest.raises(config.ConfigError) as caught:
        source.reload()
    assert caught.value.cure == cure


def test_what_says_what_to_do_about_unknown_keys() -> None:
    """And so is that for what nothing reads, also after a reload."""
    source = config.ConfigSource({"wbe": {}}, named_by=OPTIONS)
    source.reserve("web")

    source.reload()
    with pytest.raises(config.ConfigError) as caught:
        source.check_unknown()

    assert caught.value.cure == (
        "Correct it, or have it only logged: --unknown warn."
    )


def test_folder(tmp_path) -> None:
    """The files of a ``.d`` folder are read by name, others are not."""
    folder = tmp_path / "conf.d"
    folder.mkdir()
    for name, port in (("20.toml", 2), ("10.toml", 1), ("99.bak", 3)):
        folder.joinpath(name).write_text(f"[web]\nport = {port}\n")

    assert config.ConfigSource.read(folder).load(Web, "web") == Web(2)


def test_variable_that_names_a_missing_file(monkeypatch) -> None:
    """A file that a variable names has to be there."""
    monkeypatch.setenv("APP_WEB_HOST_FILE", "/not/there")

    with pytest.raises(config.ConfigError, match="host"):
        config.ConfigSource(env_prefix="APP").load(Web, "web")


def test_secret_file_with_nul(tmp_path) -> None:
    """Secrets are text."""
    tmp_path.joinpath("web_host").write_bytes(b"a\0b")

    with pytest.raises(config.ConfigError, match="NUL"):
        config.ConfigSource(secrets=tmp_path).load(Web, "web")


@pytest.mark.parametrize("mode", ["error", "warn", "ignore"])
def test_unknown_keys(mode, caplog) -> None:
    """Unknown keys are errors, warnings or nothing."""
    source = config.ConfigSource({"web": {"prot": 1}}, unknown=mode)

    if mode == "error":
        with pytest.raises(config.ConfigError, match="Did you mean 'port'"):
            source.load(Web, "web")
        assert source.load(Web, "web", unknown="ignore") == Web()
    else:
        assert source.load(Web, "web") == Web()
    assert ("web.prot: unknown key" in caplog.text) == (mode == "warn")


def test_unknown_and_wrong(caplog) -> None:
    """A warning is none if there are errors as well."""
    source = config.ConfigSource({"prot": 1, "port": "x"}, unknown="warn")

    with pytest.raises(config.ConfigError) as caught:
        source.load(Web)

    assert len(caught.value.errors) == 2
    assert not caplog.records


def test_tables_of_others() -> None:
    """A class of the whole may have tables of others beside it."""
    source = config.ConfigSource({"port": 1, "other": {"a": 1}})

    assert source.load(Web) == Web(1)
    with pytest.raises(config.ConfigError, match="a table, not 5"):
        config.ConfigSource({"web": 5}).load(Web, "web")


DOCUMENT = '''\
# a = 0
a = 1
text = """
b = 2
"""
[b]
"c.d" = 1
e.f = { g = 2, h = [1, { i = 3 }] }
more = [1, # [b]
2]
[[b.list]]
j = 1
[[b.list]]
j = 2
[b.list.sub]
k = '[x]'
"\\u0041" = 5
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 2),
        (("text",), 3),
        (("b",), 6),
        (("b", "c.d"), 7),
        (("b", "e", "f"), 8),
        (("b", "e", "f", "g"), 8),
        (("b", "list", 0, "j"), 12),
        (("b", "list", 1, "j"), 14),
        (("b", "list", 1, "sub", "k"), 16),
        (("b", "list", 1, "sub", "A"), 17),
        (("not", "there"), None),
    ],
    ids=str,
)
def test_lines(path, line) -> None:
    """A key is found in its line, whatever looks like it elsewhere."""
    assert tomllib.loads(DOCUMENT)
    assert line_of(DOCUMENT, path) == line


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(), st.lists(st.text(max_size=2) | st.integers(0, 2), max_size=3)
)
def test_lines_of_anything(text, path) -> None:
    """Looking for a line never fails."""
    assert (line_of(text, path) or 1) >= 1


def test_reload(tmp_path) -> None:
    """A source reads its files again, or stays as it was."""
    file = tmp_path / "web.toml"
    file.write_text("[web]\nport = 1\n")
    source = config.ConfigSource.read(file, overrides=["web.host=x"])

    file.write_text("[web]\nport = 2\n")
    source.reload()
    assert source.load(Web, "web") == Web(2, "x")

    file.write_text("[web\n")
    with pytest.raises(config.ConfigError):
        source.reload()
    assert source.load(Web, "web") == Web(2, "x")


async def test_watch(tmp_path, caplog) -> None:
    """Changes give new objects; what is wrong is logged, the old one stays."""
    file = tmp_path / "web.toml"
    file.write_text("[web]\nport = 1\n")
    source = config.ConfigSource.read(file)
    watch = source.watch(Web, "web", interval=0.001)
    assert watch.value == Web(1)
    assert not watch.changed()
    assert not watch.reload()

    file.write_text("[web]\nport = 'wrong'\n")
    assert watch.changed()
    assert not watch.reload()
    assert watch.value == Web(1)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "web.port" in record.getMessage()

    file.write_text("[web]\nport = 2000\n")
    async with asyncio.timeout(10):
        value = await anext(aiter(watch))
    assert value == watch.value == Web(2000)
    assert source.load(Web, "web") == Web(2000)


def test_watch_follows_folders_and_secrets(tmp_path) -> None:
    """A new file of a folder, and a new secret, are changes."""
    folder, secrets = tmp_path / "conf.d", tmp_path / "secrets"
    folder.mkdir()
    secrets.mkdir()
    source = config.ConfigSource.read(
        folder, config.optional(tmp_path / "no.toml"), secrets=secrets
    )
    watch = source.watch(Web, "web")

    folder.joinpath("a.toml").write_text("[web]\nport = 1\n")
    assert watch.changed()
    assert watch.reload()
    secrets.joinpath("web_host").write_text("secret")
    assert watch.changed()
    assert watch.reload()
    assert watch.value == Web(1, "secret")
    assert not watch.changed()


def test_reload_keeps_dicts() -> None:
    """A source of dicts has nothing to read, and keeps them."""
    source = config.ConfigSource({"web": {"port": 1}}, env_prefix="APP")

    source.reload()

    assert source.load(Web, "web") == Web(1)
