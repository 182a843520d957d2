"""Write a new service that works."""

from __future__ import annotations

import importlib.machinery
import keyword
import pathlib
import re
import sys
import tempfile
import typing as t

from ._errors import CommandError
from ._errors import Exit
from ._templates import Templates


_NAME: t.Final = re.compile(r"[a-z][a-z0-9_]*")


def write(
    name: str,
    features: t.Collection[str],
    below: pathlib.Path,
    template: pathlib.Path | None = None,
) -> None:
    """
    Write a service into a new folder of its name.

    Args:
        name: Its name, that of its package.
        features: What it is made with: names of folders beside ``base``.
        below: The folder in which the new one is made.
        template: A folder of templates, by default that of this package.

    Raises:
        CommandError: It cannot be; nothing is left behind.
    """
    _check_name(name)
    folder = below / name
    # A package hides the module of the same name beside it.
    for there in (folder, below / f"{name}.py"):
        if not there.exists() and not there.is_symlink():
            continue
        msg = (
            f"There is a {there.name!r} here already.\n"
            "Choose another name, or remove it."
        )
        raise CommandError(msg, Exit.USAGE)
    files = Templates(template).files(name, features)
    try:
        # Whole or not at all: what is interrupted leaves no folder.
        with tempfile.TemporaryDirectory(dir=below, prefix=".new-") as made:
            whole = pathlib.Path(made) / name
            for file, text in files.items():
                target = whole / file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
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
