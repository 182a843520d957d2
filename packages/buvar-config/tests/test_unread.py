"""Files that cannot be read are said with everything else that is wrong."""

from __future__ import annotations

import pathlib

import attrs
import pytest

from buvar import config


@attrs.define
class Web:
    port: int
    host: str = "h"


def fail(source: config.ConfigSource) -> config.ConfigError:
    with pytest.raises(config.ConfigError) as caught:
        source.load(Web, "web")
    return caught.value


def test_all_broken_files_at_once(tmp_path) -> None:
    """Each file that is broken or missing is in the same error."""
    broken, latin = tmp_path / "a.toml", tmp_path / "b.toml"
    broken.write_text("a = \n")
    latin.write_bytes(b'a = "\xe4"')

    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource.read(broken, latin, tmp_path / "missing.toml")

    sources = [str(error.source) for error in caught.value.errors]
    assert sources == [
        f"{broken}:1:5",
        f"{latin}:1",
        str(tmp_path / "missing.toml"),
    ]
    assert caught.value.cure == "Correct what is listed and try again."


def test_file_of_a_variable(monkeypatch) -> None:
    """A file that is missing is one error, the other values others."""
    monkeypatch.setenv("APP_WEB_PORT_FILE", "/not/there")
    monkeypatch.setenv("APP_OTHER", "nobody asks for this")
    source = config.ConfigSource({"web": {"host": 5}}, env_prefix="APP")

    error = fail(source)

    assert [one.path for one in error.errors] == ["web.port", "web.host"]
    assert error.errors[0].source == "$APP_WEB_PORT_FILE: /not/there"
    assert "cannot be read" in error.errors[0].expected
    with pytest.raises(config.ConfigError, match=r"web\.port"):
        source.explain(Web, "web")


def test_only_the_file_is_wrong(monkeypatch) -> None:
    """A value that has a default is not used when its file is missing."""
    monkeypatch.setenv("APP_WEB_HOST_FILE", "/not/there")
    source = config.ConfigSource({"web": {"port": 5}}, env_prefix="APP")

    assert [one.path for one in fail(source).errors] == ["web.host"]


def test_secret_with_nul(tmp_path) -> None:
    """What is mounted is text."""
    tmp_path.joinpath("web_port").write_bytes(b"a\0b")

    (error,) = fail(config.ConfigSource(secrets=tmp_path)).errors

    assert error.expected == "expected text without NUL bytes"


def test_optional_is_not_unreadable(tmp_path, monkeypatch) -> None:
    """Optional is what is not there, not what cannot be read."""
    loop = tmp_path / "loop.toml"
    loop.symlink_to(loop)
    file = tmp_path / "file"
    file.touch()

    assert config.ConfigSource.read(config.optional(file / "a.toml")) == {}
    with pytest.raises(config.ConfigError, match="cannot be read"):
        config.ConfigSource.read(config.optional(loop))


def test_hidden_files_of_a_folder(tmp_path) -> None:
    """What editors leave in a folder is not read."""
    folder = tmp_path / "conf.d"
    folder.mkdir()
    folder.joinpath("a.toml").write_text("a = 1")
    folder.joinpath(".#a.toml").symlink_to("user@host.1")

    assert config.ConfigSource.read(folder) == {"a": 1}


@pytest.mark.parametrize("path", [5, None, b"a.toml"])
def test_not_a_path(path) -> None:
    """The name of a file is text or a path."""
    with pytest.raises(config.ConfigError, match=r"text or a pathlib\.Path"):
        config.ConfigSource.read(path)


def test_unknown_mode() -> None:
    """There are three ways to treat unknown keys."""
    mode = "nope"

    with pytest.raises(config.ConfigError, match="'warn'"):
        config.ConfigSource(unknown=mode)  # type: ignore[arg-type]
    with pytest.raises(config.ConfigError, match="'nope'"):
        config.ConfigSource({"a": 1}).load(Web, unknown=mode)  # type: ignore[arg-type]


def test_caret(tmp_path) -> None:
    """The caret stands below the place, wide letters and all."""
    file = tmp_path / "a.toml"
    shown: list[list[str]] = []
    for text in ('x = "日本" y', f'x = "{"a" * 900}" y # {"b" * 900}'):
        file.write_text(text)
        with pytest.raises(config.ConfigError) as caught:
            config.ConfigSource.read(file)
        shown.append(str(caught.value.errors[0].hint).split("\n"))

    assert shown[0] == ['x = "日本" y', " " * 11 + "^"]
    line, caret = shown[1]
    assert len(line) < 130
    assert line[len(caret) - 1] == "y"
    assert line.startswith("...")
    assert line.endswith("...")


def test_override_of_a_table_says_what_is_its(tmp_path) -> None:
    """A value beside an inline table from the command line keeps its file."""
    file = tmp_path / "a.toml"
    file.write_text('[web]\nport = "x"\n')
    source = config.ConfigSource.read(file, overrides=["web={host=5}"])

    found = {one.path: one.source for one in fail(source).errors}

    assert found == {"web.port": f"{file}:2", "web.host": "--set web"}
    source.set("web=5")
    (error,) = fail(source).errors
    assert (error.path, error.source) == ("web", "--set web")


def test_folder_that_cannot_be_listed(tmp_path, monkeypatch) -> None:
    """A folder that may not be listed is an error with its name."""

    def denied(path: pathlib.Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    folder = tmp_path / "conf.d"
    folder.mkdir()
    monkeypatch.setattr(pathlib.Path, "iterdir", denied)

    with pytest.raises(config.ConfigError, match="cannot be read"):
        config.ConfigSource.read(folder)
