"""
The layer of a request, which costs next to nothing until it is looked at.

Most requests ask the context for little or nothing, a fast one takes 25 us in
all, and to fill a layer takes one of them. So it begins as a promise: the
first look at it makes it the layer that it stands for.
"""

from __future__ import annotations

import typing as t

import aiohttp.web

from buvar.components import Components
from buvar.components import _known
from buvar.components._layer import Layer
from buvar.components._lock import LOCK


_Request = aiohttp.web.Request
# An unopened layer holds one without having added it.
_known.note(_Request, named=False)

#: What an unopened layer has not got yet.
_MISSING: t.Final = frozenset(Layer.__slots__) - {
    "__weakref__",
    "below",
    "closers",
}


class RequestLayer(Components):
    """
    A layer that holds a request.

    Attributes:
        request: The request.
    """

    __slots__ = ("request",)

    request: aiohttp.web.BaseRequest


class Unopened(RequestLayer):
    """A layer that nobody has looked at yet."""

    __slots__ = ()

    def __getattr__(self, name: str) -> t.Any:
        """Become the layer, as something is asked for that only that has."""
        with LOCK:
            # Another thread may have been first.
            if type(self) is Unopened:
                self._open()
        return object.__getattribute__(self, name)

    def _open(self) -> None:
        layer = t.cast("Components", self.below).scoped()
        layer.items[_Request] = layer.view[_Request] = self.request
        for name in _MISSING:
            setattr(self, name, getattr(layer, name))
        opened: t.Any = self
        opened.__class__ = RequestLayer
