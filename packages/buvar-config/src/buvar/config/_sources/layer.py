"""Trees that a source is merged of."""

from __future__ import annotations

import contextlib
import logging
import typing as t

from collections.abc import Mapping

import attrs

from buvar.config._merge import Path
from buvar.config._merge import dig


logger = logging.getLogger("buvar.config")


@attrs.define(eq=False)
class Layer:
    """
    One of the trees that a source was merged of.

    Attributes:
        data: The tree.
        name: Where it came from.
        origin: Says where in there the value at a path is, ``None`` if that
            is not known.
        secret: None of its values is to be shown.
    """

    data: Mapping[t.Any, t.Any]
    name: str
    origin: t.Callable[[Path], str | None] | None = None
    secret: bool = False

    def where(self, path: t.Sequence[t.Any]) -> str:
        """Say where in this layer a path is."""
        return self._said(tuple(path)) or self.name

    def _said(self, path: tuple[t.Any, ...]) -> str | None:
        if self.origin is None or not path:
            return None
        try:
            found: object = self.origin(path)
        except Exception:
            # There is an error to be told already: never in place of that.
            logger.exception(
                "%s cannot say where a value came from.", self.name
            )
            return None
        return None if found is None else str(found)


def origin_of(
    layers: t.Sequence[Layer], path: t.Sequence[t.Any]
) -> str | None:
    """Return where the value at a path was set last, if it was."""
    layer = layer_of(layers, path)
    return None if layer is None else layer.where(path)


def layer_of(
    layers: t.Sequence[Layer], path: t.Sequence[t.Any]
) -> Layer | None:
    """Return the last layer that has something at a path."""
    for layer in reversed(layers):
        with contextlib.suppress(LookupError):
            dig(layer.data, path)
            return layer
    return None
