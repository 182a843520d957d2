"""What is put over dicts and files: secrets, variables, overrides."""

from __future__ import annotations

import os
import pathlib
import typing as t

import attrs

from ._env import Leaf
from ._env import Names
from ._env import name_of
from ._env import present
from ._errors import Bad
from ._errors import one
from ._files import AnyPath
from ._files import read_text
from ._merge import Path
from ._text import Text
from ._text import parse_table


#: Files of a secrets folder by the variable they are named like.
Secrets: t.TypeAlias = dict[str, pathlib.Path]
Overrides: t.TypeAlias = t.Sequence[tuple[Path, Text]]


@attrs.frozen
class Given:
    """
    A text given for a value.

    Attributes:
        path: Where it belongs, from the class.
        text: The text.
        source: Who gave it.
        table: Whether it has to be parsed to be merged.
    """

    path: Path
    text: Text
    source: str
    table: bool = False

    @property
    def data(self) -> t.Any:
        """The text, or the table it says."""
        return _table_or_text(self.text) if self.table else self.text


def as_data(text: Text) -> t.Any:
    """Return a text as untyped data: a table if it looks like one."""
    if text.lstrip().startswith("{"):
        return _table_or_text(text)
    return str(text)


def _table_or_text(text: Text) -> t.Any:
    try:
        return parse_table(text)
    except Bad:
        # The field's own hook says what is wrong with it.
        return text


def read_secrets(folder: AnyPath | None) -> Secrets:
    """
    List the files of a folder of secrets.

    Raises:
        ConfigError: It is no folder, or not readable.
    """
    if folder is None:
        return {}
    try:
        files = sorted(pathlib.Path(folder).iterdir())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise one(
            f"the secrets folder cannot be read: {reason}",
            source=str(folder),
            cure="Mount it, or pass no secrets.",
        ) from None
    # Kubernetes keeps the real files in hidden folders.
    return {
        name_of([file.name]): file
        for file in files
        if not file.name.startswith(".") and file.is_file()
    }


def parse_override(override: str) -> tuple[Path, Text]:
    """
    Split ``a.b=value``.

    Raises:
        ConfigError: There is no key, or no equals sign.
    """
    key, equals, value = override.partition("=")
    path = tuple(part.strip() for part in key.split("."))
    if not equals or not all(path):
        raise one(
            "an override is written section.key=value",
            value=None if equals else repr(override[:60]),
            source="--set",
            cure="Write it as --set section.key=value.",
        )
    return path, Text(value)


def given(
    names: Names, section: Path, secrets: Secrets, overrides: Overrides
) -> list[Given]:
    """
    Return all that is put over dicts and files, what wins last.

    Raises:
        ConfigError: A file that a variable names cannot be read.
    """
    found = [*_of_secrets(names, secrets)] if secrets else []
    if names.keys:
        found += _of_environment(names)
    for path, text in overrides:
        if path[: len(section)] == section:
            here = path[len(section) :]
            leaf = names.paths.get(here)
            table = leaf.table if leaf else not here
            found.append(Given(here, text, f"--set {'.'.join(path)}", table))
    return found


def _of_secrets(names: Names, secrets: Secrets) -> t.Iterator[Given]:
    for name, leaf in sorted(names.leaves.items(), key=_depth):
        file = secrets.get(names.join(name)) or secrets.get(name)
        if file is not None:
            yield _from_file(leaf, file, str(file))


def _depth(item: tuple[str, Leaf]) -> int:
    """Sort whole tables before what is in them."""
    return len(item[1].path)


def _of_environment(names: Names) -> list[Given]:
    variables = present(names)
    if not variables:
        return []
    environ = os.environ
    files: list[Given] = []
    direct: list[Given] = []
    for name in variables:
        leaf, is_file = names.variables[name]
        text = environ[name]
        if is_file:
            files.append(
                _from_file(leaf, pathlib.Path(text), f"${name}: {text}")
            )
        else:
            direct.append(Given(leaf.path, Text(text), f"${name}", leaf.table))
    return files + direct


def _from_file(leaf: Leaf, file: pathlib.Path, source: str) -> Given:
    text = read_text(file, ".".join(leaf.path))
    if "\0" in text:
        raise one(
            "expected text without NUL bytes",
            path=".".join(leaf.path),
            source=source,
        )
    # Editors and `echo` end a file with a newline that nobody means.
    text = text.removesuffix("\n").removesuffix("\r")
    return Given(leaf.path, Text(text), source, leaf.table)
