"""Values that are set above all others, by a string or as they are."""

from __future__ import annotations

import re
import typing as t

from collections.abc import Mapping

import attrs

from buvar.config._dotted_keys import ASSIGNMENT
from buvar.config._dotted_keys import split_key
from buvar.config._errors import ConfigError
from buvar.config._errors import config_error
from buvar.config._errors import dotted
from buvar.config._merge import MOST_NESTED
from buvar.config._merge import Path
from buvar.config._merge import check_depth
from buvar.config._merge import is_table
from buvar.config._merge import mapping
from buvar.config._merge import plain
from buvar.config._structure.text import Text

from .lookup import Given
from .lookup import Named
from .lookup import table_or_text
from .names import Names


@attrs.frozen
class Override:
    """
    A value at a path.

    Attributes:
        path: The path.
        text: The value as it was given; what is not a text is taken as it is.
        name: Who gave it.
    """

    path: Path
    text: t.Any
    name: str

    @classmethod
    def each(cls, data: Mapping[t.Any, t.Any]) -> t.Iterator[t.Self]:
        """
        Yield an override for each value of nested dicts.

        Raises:
            ConfigError: They are not dicts, or nested too deeply.
        """
        check_depth(mapping(data), "code")
        tables: list[tuple[Path, Mapping[t.Any, t.Any]]] = [((), data)]
        for path, table in tables:
            for key, value in table.items():
                if is_table(value) and value:
                    tables.append(((*path, key), value))
                else:
                    yield cls((*path, key), plain(value), "code")

    @classmethod
    def parse(cls, override: str, origin: str | None = None) -> t.Self:
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
                shown = None if equals else repr(_REST.sub("...", key))
                raise _no_override(shown)
        if len(path) >= MOST_NESTED:
            msg = f"expected at most {MOST_NESTED} levels of nesting"
            raise config_error(msg, source=f"--set {path[0]}")
        return cls(path, Text(value), origin or f"--set {dotted(path)}")

    @property
    def lasts(self) -> bool:
        """Whether it never changes: it does not."""
        return True

    @property
    def strict(self) -> bool:
        """Whether all of it is meant for the source: it is."""
        return True

    @property
    def data(self) -> t.Any:
        """The value as untyped data: a table if it looks like one."""
        if not isinstance(self.text, Text):
            return self.text
        if self.text.lstrip().startswith("{"):
            return table_or_text(self.text)
        return str(self.text)

    def load(self) -> list[Override]:
        """Return itself: it never changes."""
        return [self]

    def stamp(self) -> None:
        """Say that there is never anything new."""

    def given(self, names: Names) -> list[Given]:
        """Return the value if it is of the section of a class."""
        section = names.section
        if self.path[: len(section)] != section:
            return []
        here = self.path[len(section) :]
        leaf = names.paths.get(here)
        table = leaf.table if leaf else not here
        table = table and isinstance(self.text, Text)
        return [Given(here, self.text, self.name, table)]

    def named(self) -> list[Named]:
        """Return nothing: it is found by its path."""
        return []

    def sets(self, path: t.Sequence[t.Any]) -> bool:
        """Tell whether the value at a path is this one, or in it."""
        return tuple(path[: len(self.path)]) == self.path


#: What is behind a key, or too long for one.
_REST = re.compile(r"(?<=.{60}).+|[^\w.-].*", re.DOTALL)


def _no_override(shown: str | None) -> ConfigError:
    return config_error(
        "an override is written section.key=value",
        value=shown,
        source="--set",
        cure="Write it as --set section.key=value.",
    )
