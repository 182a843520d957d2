"""What a user's provider has by name, as the environment does."""

from __future__ import annotations

import logging
import typing as t

from .lookup import Given
from .lookup import Named
from .names import Names
from .names import name_of


logger = logging.getLogger("buvar.config")


class NamedTexts:
    """
    Texts by the variables that they are named like.

    Args:
        texts: The texts.
        name: Who has them.
        origin: Says where a text is.
        prefix: What names may begin with.
        secret: None of them is to be shown.
    """

    def __init__(
        self,
        texts: t.Mapping[str, str],
        name: str,
        origin: t.Callable[[str], str] | None,
        prefix: str | None,
        *,
        secret: bool,
    ) -> None:
        start = f"{prefix}_" if prefix else ""
        self._name = name
        self._origin = origin
        self._texts = {
            short: Named(full, short, self._where(key), text, secret=secret)
            for key, text in texts.items()
            for full in [name_of([key])]
            for short in [full.removeprefix(start)]
        }

    @property
    def lasts(self) -> bool:
        """Whether it never changes: it does not."""
        return True

    @property
    def strict(self) -> bool:
        """Whether all of it is meant for the source: it is."""
        return True

    def given(self, names: Names) -> list[Given]:
        """Return what the texts have for the fields of a class."""
        return [
            text.given(leaf, names.section)
            for name, leaf in names.leaves.items()
            if (text := self._texts.get(name)) is not None
        ]

    def named(self) -> list[Named]:
        """Return all texts by name."""
        return list(self._texts.values())

    def _where(self, key: str) -> str:
        if self._origin is not None:
            try:
                return str(self._origin(key))
            except Exception:
                logger.exception(
                    "%s cannot say where a text came from.", self._name
                )
        return f"{self._name}: {key}"
