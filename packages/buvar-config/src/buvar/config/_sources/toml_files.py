"""TOML files, and folders of them."""

from __future__ import annotations

import functools
import pathlib
import typing as t

import attrs

from buvar.config._errors import ConfigError
from buvar.config._errors import together
from buvar.config._merge import Path

from .files import AnyPath
from .files import absolute
from .files import inside
from .files import is_missing
from .files import read_text
from .files import stamp
from .files import to_file
from .layer import Layer
from .named_by import IN_CODE
from .toml_lines import line_of
from .toml_text import parse


@attrs.frozen
class optional:  # noqa: N801 - used as a function
    """
    A file or folder that need not be there.

    Example:
        >>> from buvar import config
        >>> config.ConfigSource.read(config.optional("missing.toml"))
        {}
    """

    path: AnyPath


class TomlFiles:
    """
    A file, or each ``*.toml`` of a folder named ``*.d``, sorted.

    Args:
        path: The file or folder; it is found again from another working
            directory.
        missing: What to do if there is none.

    Raises:
        ConfigError: It is not the name of a file.
    """

    def __init__(
        self, path: AnyPath | optional, missing: str = IN_CODE.missing_file
    ) -> None:
        self._is_optional = isinstance(path, optional)
        self._file = to_file(path.path if isinstance(path, optional) else path)
        self._place = absolute(self._file)
        self._missing = missing

    @property
    def name(self) -> str:
        """The file, as it was given."""
        return str(self._file)

    def load(self) -> list[Layer]:
        """
        Read all files.

        Raises:
            ConfigError: What cannot be read or is no TOML, of all of them.
        """
        layers: list[Layer] = []
        errors: list[ConfigError] = []
        for place, shown in self._files():
            try:
                layers.append(self._layer(place, shown))
            except ConfigError as error:
                errors.append(error)
        if errors:
            raise together(errors)
        return layers

    def stamp(self) -> object:
        """Return what is known of the files without reading them."""
        return stamp(self._place)

    def _files(self) -> t.Iterator[tuple[pathlib.Path, str]]:
        place = self._place
        entries = inside(place) if place.suffix == ".d" else None
        if entries is not None:
            # Editors keep hidden files there.
            yield from (
                (entry, str(self._file / entry.name))
                for entry in entries
                if entry.suffix == ".toml" and not entry.name.startswith(".")
            )
        elif not self._is_optional or not is_missing(place):
            yield place, str(self._file)

    def _layer(self, place: pathlib.Path, shown: str) -> Layer:
        text = read_text(place, shown=shown, missing=self._missing)
        text = text.replace("\r\n", "\n")
        origin = functools.partial(_origin, text, shown)
        return Layer(parse(text, shown), shown, origin)


def _origin(text: str, file: str, path: Path) -> str | None:
    line = line_of(text, path)
    return f"{file}:{line}" if line else None
