"""Secrets, variables and overrides, which win over dicts and files."""

from __future__ import annotations

import os
import pathlib
import re
import typing as t

import attrs

from ._env import Leaf
from ._env import Names
from ._env import name_of
from ._env import present
from ._errors import ConfigError
from ._errors import Problem
from ._errors import config_error
from ._errors import dotted
from ._files import AnyPath
from ._files import read_text
from ._files import to_file
from ._merge import MOST_NESTED
from ._merge import Overlay
from ._merge import Path
from ._merge import is_table
from ._open import Open
from ._open import Target
from ._open import keys_at
from ._origin import ASSIGNMENT
from ._origin import split_key
from ._override_value import Given
from ._text import Text


#: Files of a secrets folder by the variable they are named like.
Secrets: t.TypeAlias = dict[str, pathlib.Path]


class Override(t.NamedTuple):
    """
    A value above all others.

    Attributes:
        path: Where it belongs.
        text: What it was given as.
        origin: Who gave it.
    """

    path: Path
    text: Text
    origin: str


Overrides: t.TypeAlias = tuple[Override, ...]


def read_secrets(folder: AnyPath | None) -> Secrets:
    """
    List the files of a folder of secrets.

    Raises:
        ConfigError: It is not a folder, or not readable.
    """
    if folder is None:
        return {}
    try:
        files = sorted(to_file(folder).iterdir())
    except OSError as error:
        msg = f"the secrets folder cannot be read: {error.strerror}"
        raise config_error(
            msg,
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
    Split ``a.b=value``; a key with a dot in it is quoted as in TOML.

    Raises:
        ConfigError: There is no key, or no equals sign.
    """
    match = ASSIGNMENT.match(override)
    if match is not None:
        path, value = split_key(match[1]), override[match.end() :]
    else:
        key, equals, value = override.partition("=")
        path = tuple(part.strip() for part in key.split("."))
        if not equals or not all(path):
            # What follows the key may be a secret.
            raise _no_override(None if equals else repr(_REST.sub("...", key)))
    if len(path) >= MOST_NESTED:
        msg = f"expected at most {MOST_NESTED} levels of nesting"
        raise config_error(msg, source=f"--set {path[0]}")
    return path, Text(value)


#: What is behind a key, or too long for one.
_REST = re.compile(r"(?<=.{60}).+|[^\w.-].*", re.DOTALL)


def _no_override(shown: str | None) -> ConfigError:
    return config_error(
        "an override is written section.key=value",
        value=shown,
        source="--set",
        cure="Write it as --set section.key=value.",
    )


@attrs.define(eq=False)
class Plan:
    """
    What is put over the data of a class, prepared to be applied often.

    Attributes:
        given: All of it, what wins last.
        groups: The values by the table they belong to.
        simple: Whether that is all, so that there is nothing to merge.
        unread: What is wrong with files that values should come from.
        others: Whether there are names that the class does not know.
    """

    given: list[Given]
    groups: dict[Path, dict[str, t.Any]]
    simple: bool
    unread: list[Problem]
    others: bool = False

    @classmethod
    def of(cls, found: list[Given]) -> Plan:
        """Sort values by their tables."""
        unread = [item.problem for item in found if item.problem]
        given = [item for item in found if not item.problem]
        groups: dict[Path, dict[str, t.Any]] = {}
        for item in given:
            if item.table or len(item.path) not in (1, 2):
                return cls(given, {}, simple=False, unread=unread)
            groups.setdefault(item.path[:-1], {})[item.path[-1]] = item.value
        return cls(given, groups, simple=True, unread=unread)

    def apply(self, data: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Return the data with all values put over it."""
        if not self.simple:
            overlay = Overlay(data)
            for item in self.given:
                overlay.put(item.path, item.data)
            return overlay.data
        result = dict(data)
        for path, values in self.groups.items():
            if path:
                below = result.get(path[0])
                result[path[0]] = (
                    {**below, **values} if is_table(below) else dict(values)
                )
            else:
                result.update(values)
        return result


def plan(
    names: Names, secrets: Secrets, overrides: Overrides, table: t.Any
) -> Plan:
    """
    Return all that is put over dicts and files.

    It is kept until the environment changes, unless files have to be read.
    Comparing all of the environment is quicker than asking for each name.
    """
    environ = os.environ
    data = getattr(environ, "_data", environ)
    last = names.last
    if last is not None and last[0] == data and last[1] == overrides:
        found: Plan = last[2]
        if not secrets:
            return found
    given = _given(names, names.section, secrets, overrides)
    more = [*_of_open(names, secrets, given, table)] if names.open else []
    found = Plan.of(_in_order([*given, *more]) if more else given)
    found.others = _has_others(names, secrets)
    names.last = (
        None
        if more or any(x.file for x in given)
        else (dict(data), overrides, found)
    )
    return found


def _has_others(names: Names, secrets: Secrets) -> bool:
    start = f"{names.prefix}_" if names.prefix else None
    return any(
        name.removeprefix(start or "") not in names.leaves for name in secrets
    ) or any(
        name.startswith(start) and name not in names.variables
        for name in (os.environ if start else ())
        if start
    )


def _in_order(given: list[Given]) -> list[Given]:
    """Sort by who wins: secrets, files that variables name, variables."""

    def rank(item: Given) -> int:
        if item.source.startswith("--"):
            return 3
        if not item.file:
            return 2
        return int(item.source.startswith("$"))

    return sorted(given, key=rank)


def _of_open(
    names: Names, secrets: Secrets, given: list[Given], table: t.Any
) -> t.Iterator[Given]:
    """Find what is set in tables with keys of their own choice."""
    known = names.variables.keys() | names.leaves.keys()
    variables = names.prefix is not None
    start = names.join("") if names.prefix else ""
    candidates = [
        (name, name.removeprefix(start), None)
        for name in (os.environ if variables else ())
        if name.startswith(start) and name not in known
    ] + [
        (name, name.removeprefix(start), file)
        for name, file in secrets.items()
        if name.removeprefix(start) not in names.leaves
    ]
    for each in names.open:
        keys: dict[str, list[str]] = {}
        there = keys_at(table, each.path)
        for item in given:
            if item.path == each.path and is_table(item.data):
                there += [key for key in item.data if key not in there]
        for key in there:
            keys.setdefault(name_of([key]), []).append(key)
        for full, name, file in candidates:
            if name.startswith(each.start):
                found = _of_key(names, each, keys, (full, name), file)
                if found is not None:
                    yield found


def _of_key(
    names: Names,
    table: Open,
    keys: dict[str, list[str]],
    name: tuple[str, str],
    file: pathlib.Path | None,
) -> Given | None:
    full, short = name
    is_there = any(
        short == f"{table.start}{key}" for key in keys
    ) or not short.endswith("_FILE")
    target = None
    if is_there or table.inner is not None:
        target = table.find(short, keys, full)
    source = str(file) if file else f"${full}"
    if target is None and file is None and short.endswith("_FILE"):
        target = table.find(short.removesuffix("_FILE"), keys, full)
        file = to_file(os.environ[full])
        source = f"${full}: {file}"
    if target is None:
        return None
    if file is not None:
        return _from_file(target, names.section, file, source)
    text = Text(os.environ[full])
    return Given(target.path, text, source, target.table, target.kind)


def _given(
    names: Names, section: Path, secrets: Secrets, overrides: Overrides
) -> list[Given]:
    found = [*_of_secrets(names, section, secrets)] if secrets else []
    if names.keys:
        found += _of_environment(names, section)
    for path, text, origin in overrides:
        if path[: len(section)] == section:
            here = path[len(section) :]
            leaf = names.paths.get(here)
            table = leaf.table if leaf else not here
            found.append(Given(here, text, origin, table))
    return found


def _of_secrets(
    names: Names, section: Path, secrets: Secrets
) -> t.Iterator[Given]:
    for name, leaf in sorted(names.leaves.items(), key=_depth):
        file = secrets.get(names.join(name)) or secrets.get(name)
        if file is not None:
            yield _from_file(leaf, section, file, str(file))


def _depth(item: tuple[str, Leaf]) -> int:
    """Sort whole tables before what is in them."""
    return len(item[1].path)


def _of_environment(names: Names, section: Path) -> list[Given]:
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
                _from_file(leaf, section, to_file(text), f"${name}: {text}")
            )
        else:
            direct.append(
                Given(leaf.path, Text(text), f"${name}", leaf.table, leaf.kind)
            )
    return files + direct


def _from_file(
    leaf: Leaf | Target, section: Path, file: pathlib.Path, source: str
) -> Given:
    text, problem = "", None
    try:
        text = read_text(file)
    except ConfigError as error:
        problem = error.errors[0].expected
    if "\0" in text:
        problem = "expected text without NUL bytes"
    if problem is not None:
        path = dotted((*section, *leaf.path))
        return Given(
            leaf.path,
            Text(),
            source,
            file=True,
            problem=Problem(path, problem, source=source),
        )
    # Editors and `echo` end a file with a newline that nobody means.
    text = text.removesuffix("\n").removesuffix("\r")
    return Given(
        leaf.path, Text(text), source, leaf.table, kind=leaf.kind, file=True
    )
