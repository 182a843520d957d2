"""Variables of the environment, whose names are those of fields."""

from __future__ import annotations

import functools
import os
import typing as t

import attrs

from buvar.config._structure.text import Text

from .files import to_file
from .lookup import Given
from .lookup import Named
from .lookup import from_file
from .names import Names


@attrs.frozen(eq=False)
class Environment:
    """
    The environment, as it is when a class is loaded.

    ``PREFIX_X_FILE`` names a file that has the value of ``PREFIX_X``, which
    wins over it.

    Attributes:
        prefix: What names begin with, empty for nothing.
    """

    prefix: str

    @property
    def name(self) -> str:
        """What errors call it."""
        return "environment"

    @property
    def lasts(self) -> bool:
        """Whether it changes with the environment only: it does."""
        return True

    @property
    def strict(self) -> bool:
        """Whether all variables with the prefix are meant for the source."""
        return bool(self.prefix)

    def load(self) -> list[Environment]:
        """Return itself: it is looked at anew each time."""
        return [self]

    def stamp(self) -> None:
        """Say nothing: there is nothing to be read again."""

    def given(self, names: Names) -> list[Given]:
        """Return what the variables have for the fields of a class."""
        variables = _present(names)
        if not variables:
            return []
        environ = os.environ
        files: list[Given] = []
        direct: list[Given] = []
        for name in variables:
            leaf, is_file = names.variables[name]
            text = environ[name]
            if is_file:
                source = f"${name}: {text}"
                file = to_file(text)
                files.append(from_file(leaf, names.section, file, source))
            else:
                direct.append(
                    Given(
                        leaf.path,
                        Text(text),
                        f"${name}",
                        leaf.table,
                        leaf.kind,
                    )
                )
        return files + direct

    def named(self) -> list[Named]:
        """Return all variables that have the prefix."""
        start = f"{self.prefix}_" if self.prefix else ""
        return [
            Named(
                name, name.removeprefix(start), f"${name}", text, variable=True
            )
            for name, text in os.environ.items()
            if name.startswith(start)
        ]


@functools.cache
def environment(prefix: str) -> Environment:
    """Return the environment for a prefix, always the same one."""
    return Environment(prefix)


def data_of_environment() -> t.Any:
    """
    Return the variables as ``os.environ`` stores them.

    Each question to ``os.environ`` encodes a name, which takes longer than
    all the rest; its own dict is asked instead.
    """
    environ = os.environ
    return getattr(environ, "_data", environ)


def _present(names: Names) -> list[str]:
    """Return those variables that are set, in the order of the fields."""
    keys = names.keys
    found = {keys[key] for key in keys.keys() & data_of_environment().keys()}
    if not found:
        return []
    return [name for name in names.variables if name in found]
