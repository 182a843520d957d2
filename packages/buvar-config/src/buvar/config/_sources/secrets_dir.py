"""A folder with a file for each secret, named like a variable."""

from __future__ import annotations

import pathlib

import attrs

from buvar.config._errors import config_error

from .files import AnyPath
from .files import absolute
from .files import stamp
from .files import to_file
from .lookup import Given
from .lookup import Named
from .lookup import from_file
from .named_by import IN_CODE
from .names import Leaf
from .names import Names
from .names import name_of


class SecretsDir:
    """
    A folder of secrets, as Docker and Kubernetes mount them.

    Args:
        folder: The folder.
        prefix: What the names of files may begin with.
        unreadable: What to do if it cannot be read.

    Attributes:
        folder: The folder, as it was given.

    Raises:
        ConfigError: It is not the name of a folder.
    """

    def __init__(
        self,
        folder: AnyPath,
        prefix: str | None,
        unreadable: str = IN_CODE.unreadable_secrets,
    ) -> None:
        self.folder = folder
        self._folder = to_file(folder)
        self._place = absolute(self._folder)
        self._prefix = prefix
        self._unreadable = unreadable

    @property
    def name(self) -> str:
        """The folder."""
        return str(self._folder)

    def load(self) -> list[SecretFiles]:
        """
        List the files.

        Raises:
            ConfigError: It is not a folder, or not readable.
        """
        try:
            files = sorted(self._place.iterdir())
        except OSError as error:
            msg = f"the secrets folder cannot be read: {error.strerror}"
            raise config_error(
                msg,
                source=str(self._folder),
                cure=self._unreadable,
            ) from None
        # Kubernetes keeps the real files in hidden folders.
        found = {
            name_of([file.name]): file
            for file in files
            if not file.name.startswith(".") and file.is_file()
        }
        return [SecretFiles(found, self._folder, self._prefix)]

    def stamp(self) -> object:
        """Return what is known of the files without reading them."""
        return stamp(self._place)


@attrs.frozen(eq=False)
class SecretFiles:
    """
    The files of a folder by the variables that they are named like.

    They are read when a class is loaded: what is in them may change.

    Attributes:
        files: The files, by name.
        folder: The folder, as it was given.
        prefix: What names may begin with.
    """

    files: dict[str, pathlib.Path]
    folder: pathlib.Path
    prefix: str | None

    @property
    def lasts(self) -> bool:
        """Whether it never changes: files do."""
        return False

    @property
    def strict(self) -> bool:
        """Whether all of it is meant for the source: it is."""
        return True

    def given(self, names: Names) -> list[Given]:
        """Return what the files have for the fields of a class."""
        found: list[Given] = []
        for name, leaf in sorted(names.leaves.items(), key=_depth):
            file = self.files.get(names.join(name)) or self.files.get(name)
            if file is not None:
                shown = self._shown(file)
                found.append(from_file(leaf, names.section, file, shown))
        return found

    def named(self) -> list[Named]:
        """Return all files by name."""
        start = f"{self.prefix}_" if self.prefix else ""
        return [
            Named(
                name,
                name.removeprefix(start),
                self._shown(file),
                file,
                secret=True,
            )
            for name, file in self.files.items()
        ]

    def _shown(self, file: pathlib.Path) -> str:
        return str(self.folder / file.name)


def _depth(item: tuple[str, Leaf]) -> int:
    """Sort whole tables before what is in them."""
    return len(item[1].path)
