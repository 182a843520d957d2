"""Templates of files: a folder that every service has, and one a feature."""

from __future__ import annotations

import difflib
import importlib.resources
import pathlib
import re
import typing as t

from importlib.resources.abc import Traversable

from ._errors import CommandError
from ._errors import Exit


#: The folder of templates that every service is made of.
_BASE: t.Final = "base"
_SUFFIX: t.Final = ".tmpl"
#: A line that is only there with a feature, or only without it.
_ONLY: t.Final = re.compile(r" *#(?P<sign>[+-])(?P<feature>\w+)$")
#: What stands for the name of the service in the names of files.
_PLACEHOLDER: t.Final = "NAME"
#: A word in double braces; ``${{ }}`` is left to what reads the file.
_WORD: t.Final = re.compile(r"(?<!\$)\{\{\w*\}\}")


class Templates:
    """
    A folder of templates: ``base``, and a folder for each feature.

    Args:
        given: A folder, by default that of this package.
    """

    def __init__(self, given: pathlib.Path | None) -> None:
        self._given = given
        self._root: Traversable = (
            importlib.resources.files("buvar.cli") / "template"
            if given is None
            else given
        )

    def files(self, name: str, features: t.Collection[str]) -> dict[str, str]:
        """
        Return the files of a service and what stands in them.

        Raises:
            CommandError: There is no such feature, the templates are broken,
                or the name is that of one of their folders.
        """
        try:
            known = {one.name for one in self._root.iterdir() if one.is_dir()}
        except OSError as error:
            raise self._broken("", error.strerror or str(error)) from None
        if _BASE not in known:
            raise self._broken("", f"it has no folder {_BASE!r}")
        _check_features(features, known - {_BASE})
        files: dict[str, str] = {}
        words = _words(name, features)
        for part in (_BASE, *features):
            found = dict(self._read(self._root / part, part, words, features))
            if not found:
                raise self._broken(part, f"there is no file *{_SUFFIX} in it")
            files |= found
        if any(one.name == name for one in (self._root / _BASE).iterdir()):
            msg = (
                f"The package {name!r} would lie in a folder that each new "
                "service has.\nChoose another name."
            )
            raise CommandError(msg, Exit.USAGE)
        return files

    def _read(
        self,
        folder: Traversable,
        path: str,
        words: dict[str, str],
        features: t.Collection[str],
        below: str = "",
    ) -> t.Iterator[tuple[str, str]]:
        """Yield each file of a folder, filled."""
        try:
            items = sorted(folder.iterdir(), key=lambda one: one.name)
        except OSError as error:
            raise self._broken(path, error.strerror or str(error)) from None
        for item in items:
            file = below + item.name.replace(_PLACEHOLDER, words["name"])
            place = f"{path}/{item.name}"
            if item.is_dir():
                yield from self._read(item, place, words, features, f"{file}/")
            elif file.endswith(_SUFFIX):
                try:
                    text = item.read_text("utf-8")
                except (OSError, UnicodeDecodeError) as error:
                    reason = getattr(error, "strerror", None) or str(error)
                    raise self._broken(place, reason) from None
                text = filled(text, words, features)
                unknown = _WORD.search(text)
                if unknown is not None:
                    reason = f"nothing stands for {unknown[0]}"
                    raise self._broken(place, reason)
                yield file.removesuffix(_SUFFIX), text

    def _broken(self, path: str, reason: str) -> CommandError:
        """Return the error of templates that cannot be used."""
        shown = str(self._root / path) if path else str(self._root)
        msg = f"The templates in {shown} cannot be used: {reason}.\n"
        if self._given is None:
            # It is as it was installed: the user did nothing wrong.
            msg += "Install the distribution 'buvar' again."
            return CommandError(msg, Exit.FAILED)
        msg += "Correct them, or leave --template out."
        return CommandError(msg, Exit.USAGE)


def _check_features(
    features: t.Collection[str], known: t.Collection[str]
) -> None:
    """Refuse what the templates do not have."""
    for one in features:
        if one not in known:
            near = difflib.get_close_matches(one, known, 1)
            msg = (
                f"{one!r} is not one of {', '.join(sorted(known))}.\n"
                if known
                else f"There is no {one!r}: the templates know no features.\n"
            )
            msg += (
                f"Did you mean --with {near[0]}?"
                if near
                else "Correct --with, or leave it out."
            )
            raise CommandError(msg, Exit.USAGE)


def _words(name: str, features: t.Collection[str]) -> dict[str, str]:
    """Return what stands for the words in double braces."""
    served = (
        " Then `curl http://127.0.0.1:8080/hello/you` greets you."
        if "aiohttp" in features
        else ""
    )
    tests = ["pytest", "pytest-asyncio"]
    if "aiohttp" in features:
        tests.append("pytest-aiohttp")
    store = f"store.path=/var/lib/{name}/{name}.sqlite"
    return {
        "name": name,
        "dist": name.replace("_", "-"),
        "user": name[:31],
        "prefix": name.upper(),
        "tests": f"{', '.join(tests[:-1])} and {tests[-1]}",
        "try": served,
        "state": f" --set {store}" if "sqlite" in features else "",
        "store": f', "--set", "{store}"' if "sqlite" in features else "",
    }


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
