"""Stand in for buvar.components.spi until it is there."""

from __future__ import annotations

import typing as t

from buvar.components import _known
from buvar.context._child import Child, child
from buvar.context._closing import ENDED, close, closers_of, raise_failures


class _L(Child):
    __slots__ = ()

    async def end(self, error):
        if self.closers:
            raise_failures("closing a layer failed", await close(self, error))
        self.closers = ENDED

    def defer(self, closer):
        closers_of(self).append(closer)


def announce(cls: t.Any) -> None:
    _known.note(cls, named=False)


def open_layer(below: t.Any, items: t.Any = None) -> t.Any:
    layer = child()
    layer.__class__ = _L
    layer.below, layer.stage = below, below.stage or below
    layer.items = items if items is not None else {}
    return layer


def lifetime_of(layer: t.Any) -> t.Any:
    return layer.scope or layer
