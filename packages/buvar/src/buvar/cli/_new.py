"""Write a new service that works."""

from __future__ import annotations

import importlib.machinery
import importlib.resources
import keyword
import pathlib
import re
import sys
import tempfile
import typing as t

from importlib.resources.abc import Traversable

from ._errors import CommandError
from ._errors import Exit


#: What a service may be made with.
FEATURES: t.Final = ("aiohttp", "sqlite")

_SUFFIX: t.Final = ".tmpl"
#: A line that is only there with a feature, or only without it.
_ONLY: t.Final = re.compile(r" *#(?P<sign>[+-])(?P<feature>\w+)$")
_NAME: t.Final = re.compile(r"[a-z][a-z0-9_]*")


def write(name: str, features: t.Collection[str], below: pathlib.Path) -> None:
    """
    Write a service into a new folder of its name.

    Args:
        name: Its name, that of its package.
        features: Some of ``FEATURES``.
        below: The folder in which the new one is made.

    Raises:
        CommandError: It cannot be; nothing is left behind.
    """
    _check_name(name)
    folder = below / name
    if folder.exists() or folder.is_symlink():
        msg = (
            f"There is a {name!r} here already.\n"
            "Choose another name, or remove it."
        )
        raise CommandError(msg, Exit.USAGE)
    try:
        # Whole or not at all: what is interrupted leaves no folder.
        with tempfile.TemporaryDirectory(dir=below, prefix=".new-") as made:
            whole = pathlib.Path(made) / name
            root = importlib.resources.files("buvar.cli") / "template"
            for part in ("base", *features):
                _copy(root / part, whole, _words(name, features), features)
            whole.rename(folder)
    except OSError as error:
        shown = error.filename or str(below)
        msg = (
            f"{shown} cannot be written: {error.strerror}.\n"
            "Go to a folder that you may write to."
        )
        raise CommandError(msg, Exit.USAGE) from None


def _check_name(name: str) -> None:
    """Refuse a name that could not be imported, or would be another one."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        plain = re.sub(r"\W+", "_", name.lower(), flags=re.ASCII).strip("_")
        hint = ""
        if _NAME.fullmatch(plain) and not keyword.iskeyword(plain):
            hint = f", such as {plain!r}"
        msg = (
            f"{name!r} is not the name of a Python package.\n"
            f"Use small letters, digits and underscores{hint}."
        )
        raise CommandError(msg, Exit.USAGE)
    here = str(pathlib.Path.cwd())
    path = [each for each in sys.path if each not in ("", here)]
    found = importlib.machinery.PathFinder.find_spec(name, path)
    if found is not None or name in sys.builtin_module_names:
        msg = (
            f"There is a module {name!r} already, which the new one would "
            "hide.\nChoose another name."
        )
        raise CommandError(msg, Exit.USAGE)


def _words(name: str, features: t.Collection[str]) -> dict[str, str]:
    """Return what stands for the words in double braces."""
    served = (
        " Then `curl http://127.0.0.1:8080/hello/you` greets you."
        if "aiohttp" in features
        else ""
    )
    return {
        "name": name,
        "dist": name.replace("_", "-"),
        "user": name[:31],
        "prefix": name.upper(),
        "pytest_more": " and pytest-aiohttp" if "aiohttp" in features else "",
        "try": served,
        "state": (
            f" --set store.path=/var/lib/{name}/{name}.sqlite"
            if "sqlite" in features
            else ""
        ),
    }


def _copy(
    source: Traversable,
    target: pathlib.Path,
    words: dict[str, str],
    features: t.Collection[str],
) -> None:
    """Copy a folder of templates."""
    target.mkdir(parents=True, exist_ok=True)
    for item in source.iterdir():
        file = item.name.replace("NAME", words["name"])
        if item.is_dir():
            _copy(item, target / file, words, features)
        elif file.endswith(_SUFFIX):
            text = filled(item.read_text("utf-8"), words, features)
            (target / file.removesuffix(_SUFFIX)).write_text(
                text, encoding="utf-8"
            )


def filled(
    text: str, words: t.Mapping[str, str], features: t.Collection[str]
) -> str:
    """
    Fill a template.

    Args:
        text: The template. A line that ends with ``#+feature`` is there only
            with that feature, one that ends with ``#-feature`` only without.
        words: What stands for the words in double braces.
        features: The features that are wanted.
    """
    lines: list[str] = []
    for line in text.splitlines():
        only = _ONLY.search(line)
        if only is None:
            lines.append(line)
        elif (only["feature"] in features) == (only["sign"] == "+"):
            lines.append(line[: only.start()])
    filled = "\n".join([*lines, ""])
    for word, value in words.items():
        filled = filled.replace("{{" + word + "}}", value)
    return filled
