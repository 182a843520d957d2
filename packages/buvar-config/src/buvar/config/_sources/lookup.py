"""Texts that are found by the names or paths of fields."""

from __future__ import annotations

import contextlib
import pathlib
import typing as t

import attrs

from buvar.config._errors import BadValueError
from buvar.config._errors import ConfigError
from buvar.config._errors import Problem
from buvar.config._errors import dotted
from buvar.config._merge import Path
from buvar.config._merge import dig
from buvar.config._merge import is_table
from buvar.config._structure.scalars import to_bool
from buvar.config._structure.scalars import to_float
from buvar.config._structure.scalars import to_int
from buvar.config._structure.scalars import to_str
from buvar.config._structure.text import Text
from buvar.config._structure.text import parse_table

from .files import read_text
from .names import Leaf
from .names import Names
from .open_tables import Target


class Lookup(t.Protocol):
    """Texts that are put over the tree of a class when that is loaded."""

    @property
    def lasts(self) -> bool:
        """Whether it has the same texts as long as the environment has."""
        ...

    @property
    def strict(self) -> bool:
        """Whether a name in it that nothing reads is a mistake."""
        ...

    def given(self, names: Names) -> list[Given]:
        """Return what it has for the fields of a class, what wins last."""
        ...

    def named(self) -> list[Named]:
        """Return all that it has by name, whatever it is for."""
        ...


@attrs.frozen
class Given:
    """
    A text given for a value, or the value itself.

    Attributes:
        path: Where it belongs, from the class.
        text: The text; what is not one is taken as it is.
        source: Who gave it.
        table: Whether it has to be parsed to be merged.
        kind: What plain type it is for.
        secret: Whether it comes from where secrets are kept.
        problem: Why it could not be read.
    """

    path: Path
    text: t.Any
    source: str
    table: bool = False
    kind: type | None = None
    secret: bool = False
    problem: Problem | None = None

    def holds(self, rest: Path) -> bool:
        """Tell whether a value below its path is of this text."""
        data = self.data if rest else None
        if not is_table(data):
            return True
        try:
            dig(data, rest)
        except LookupError:
            return False
        return True

    @property
    def value(self) -> t.Any:
        """The text as a plain value, if it is one, else as it is."""
        hook = _HOOKS.get(self.kind)
        if hook is not None:
            with contextlib.suppress(BadValueError):
                return hook(self.text)
        return self.text

    @property
    def data(self) -> t.Any:
        """The text, or the table it says."""
        return table_or_text(self.text) if self.table else self.text


_HOOKS: dict[type | None, t.Callable[[t.Any], t.Any]] = {
    str: to_str,
    int: to_int,
    float: to_float,
    bool: to_bool,
}


def table_or_text(text: Text) -> t.Any:
    """Return the table that a text says, else the text."""
    try:
        return parse_table(text)
    except BadValueError:
        # The field's own hook says what is wrong with it.
        return text


@attrs.frozen
class Named:
    """
    A text by its name.

    Attributes:
        full: The whole name.
        short: The name without the prefix.
        source: Where it is, as people are told.
        text: The text itself, or the file that has it.
        variable: Whether it is a variable of the environment.
        secret: Whether it comes from where secrets are kept.
    """

    full: str
    short: str
    source: str
    text: str | pathlib.Path
    variable: bool = False
    secret: bool = False

    def is_known(self, names: Names) -> bool:
        """Tell whether a class has a field of this name."""
        if self.variable:
            return self.full in names.variables
        return self.short in names.leaves

    def given(self, target: Leaf | Target, section: Path) -> Given:
        """Return what it gives for a value."""
        if isinstance(self.text, pathlib.Path):
            return from_file(target, section, self.text, self.source)
        return Given(
            target.path,
            Text(self.text),
            self.source,
            target.table,
            target.kind,
            self.secret,
        )


def from_file(
    leaf: Leaf | Target, section: Path, file: pathlib.Path, source: str
) -> Given:
    """Return what a file gives for a value, or why it cannot be read."""
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
            secret=True,
            problem=Problem(path, problem, source=source),
        )
    # Editors and `echo` end a file with a newline that nobody means.
    text = text.removesuffix("\n").removesuffix("\r")
    return Given(
        leaf.path, Text(text), source, leaf.table, leaf.kind, secret=True
    )
