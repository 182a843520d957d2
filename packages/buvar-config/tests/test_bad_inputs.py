"""
The twelve bad inputs, with what is printed for each.

``BUVAR_WRITE_DOCS=1`` writes them into the page of the documentation anew.
"""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import attrs
import pytest

from buvar import config


HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parents[2] / "docs" / "reference" / "errors.md"
OTHERS = HERE / "pydantic_settings.json"

#: What is above it is written by hand.
TITLE = "## The configuration: twelve bad inputs\n"
HEAD = """
What is printed for them. A test of buvar-config compares this with what the
package prints; beside it stands what pydantic-settings {version} printed for
the same input on the day it was recorded (`tools/bench/config_errors.py`).

The class is the same for all:

```py
import attrs
from buvar.config import Secret

@attrs.define
class Web:
    port: int
    debug: bool = False
    limits: dict[str, int] = {{}}
    password: Secret[str] = Secret("")
```
"""


@attrs.define
class Web:
    port: int
    debug: bool = False
    limits: dict[str, int] = {}  # noqa: RUF008 - never changed
    password: config.Secret[str] = config.Secret("")  # noqa: RUF009


def read() -> Web:
    source = config.ConfigSource.read("web.toml", env_prefix="APP")
    return source.load(Web, "web")


def file(text: str | bytes) -> None:
    data = text.encode() if isinstance(text, str) else text
    pathlib.Path("web.toml").write_bytes(data)


def broken() -> object:
    file('[web]\nport = 80\npassword = "hunter2\n')
    return read()


def wrong_types() -> object:
    file('[web]\nport = "eighty"\nlimits = {a = "x"}\npassword = 5\n')
    return read()


def missing() -> object:
    file("[web]\nprot = 80\n")
    return read()


def unknown() -> object:
    file("[web]\nport = 80\ndebgu = true\n")
    return read()


def word() -> object:
    file('[web]\nport = 80\ndebug = "perhaps"\n')
    return read()


def bad_json() -> object:
    file("[web]\nport = 80\n")
    os.environ["APP_WEB_LIMITS"] = '{"a": '
    return read()


def nul() -> object:
    file('[web]\nport = 80\npassword = "a\0b"\n')
    return read()


def deep() -> object:
    file("[web]\nport = " + "[" * 10_000 + "]" * 10_000)
    return read()


def twice() -> object:
    class Web(config.Config, section="web"):
        pass

    class Server(config.Config, section="web"):
        pass

    return Web, Server


def folder() -> object:
    pathlib.Path("web.toml").mkdir()
    return read()


def unreadable() -> object:
    file("[web]\nport = 80\n")
    return read()


def latin() -> object:
    file("[web]\nport = 80\n# für\n".encode("latin-1"))
    return read()


CASES: dict[str, t.Callable[[], object]] = {
    "Broken TOML": broken,
    "Wrong types, all at once": wrong_types,
    "A missing field": missing,
    "An unknown key": unknown,
    "A bad word for a bool": word,
    "Bad JSON in a variable": bad_json,
    "A NUL byte": nul,
    "10,000 levels of nesting": deep,
    "Two classes for one section": twice,
    "A directory instead of a file": folder,
    "An unreadable file": unreadable,
    "Not UTF-8": latin,
}


def printed(
    case: t.Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> str:
    monkeypatch.setattr(os, "environ", {})
    if case is unreadable:
        # Tests may run as root, who can read everything.
        monkeypatch.setattr(pathlib.Path, "read_bytes", _denied)
    with pytest.raises(config.ConfigError) as caught:
        case()
    monkeypatch.undo()
    assert caught.value.exit_code == 2
    assert caught.value.errors
    return str(caught.value).replace(__name__, "app")


def _denied(path: pathlib.Path) -> bytes:
    raise PermissionError(13, "Permission denied", str(path))


@pytest.mark.parametrize("name", CASES)
def test_message(name, tmp_path, monkeypatch) -> None:
    """Each bad input prints what the documentation says."""
    monkeypatch.chdir(tmp_path)
    text = printed(CASES[name], monkeypatch)

    assert "hunter2" not in text
    assert text.split("\n")[-1][-1] == "."
    if PAGE.exists():
        page = PAGE.read_text("utf-8")
        assert f"### {name}\n\n```text\n{text}\n```" in page


@pytest.mark.skipif(
    not os.environ.get("BUVAR_WRITE_DOCS"), reason="compares, does not write"
)
def test_write_page(tmp_path, monkeypatch) -> None:
    """The page is written from what is printed."""
    recorded = json.loads(OTHERS.read_text("utf-8"))
    parts = [TITLE + HEAD.format(version=recorded["version"])]
    for number, (name, case) in enumerate(CASES.items()):
        place = tmp_path / str(number)
        place.mkdir()
        monkeypatch.chdir(place)
        text = printed(case, monkeypatch)
        other = recorded["printed"][name]
        parts.append(
            f"### {name}\n\n```text\n{text}\n```\n\n"
            f"pydantic-settings:\n\n```text\n{other}\n```\n"
        )
    before = PAGE.read_text("utf-8").partition(TITLE)[0]
    PAGE.write_text(before + "\n".join(parts), "utf-8")


@pytest.mark.parametrize(
    ("prefix", "better"),
    [
        ("a b", "A_B"),
        ("my-app", "MY_APP"),
        ("A=", "A"),
        ("1X0", "X"),
        ("_", "APP"),
        (" ", "APP"),
    ],
)
def test_prefixes_that_no_variable_has(prefix, better) -> None:
    """A prefix that cannot be that of a variable is refused, not changed."""
    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource(env_prefix=prefix)
    with pytest.raises(config.ConfigError):
        config.variables([], env_prefix=prefix)

    (problem,) = caught.value.errors
    assert problem.value == repr(prefix)
    assert "letters, digits and underscores" in problem.expected
    assert caught.value.cure == f"Take one such as {better!r}."
    assert config.ConfigSource(env_prefix=better).env_prefix == better


@pytest.mark.parametrize(
    ("prefix", "meant"),
    [
        ("app_", "APP"),
        ("My_App2", "MY_APP2"),
        ("_A", "_A"),
        ("", ""),
        (None, None),
    ],
)
def test_prefixes(prefix, meant) -> None:
    """A prefix is written in upper case, with its underscore or without."""
    assert config.ConfigSource(env_prefix=prefix).env_prefix == meant
