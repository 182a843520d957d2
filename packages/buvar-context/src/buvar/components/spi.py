"""
For frameworks: how layers are opened, asked, and ended.

Applications need ``buvar.context`` only. This module is for packages that
build on layers, as buvar-di and buvar_aiohttp do; it follows semantic
versioning.

Example:
    >>> import asyncio
    >>> from buvar.context import buvar_context, current_context
    >>> from buvar.components import spi
    >>> async def handle(work):
    ...     layer = spi.open_layer(current_context())
    ...     token = buvar_context.set(layer)
    ...     try:
    ...         result = await work()
    ...     except BaseException as error:
    ...         await layer.end(error)
    ...         raise
    ...     else:
    ...         await layer.end()
    ...         return result
    ...     finally:
    ...         buvar_context.reset(token)
    >>> async def work():
    ...     layer = spi.lifetime_of(current_context())
    ...     layer.defer(lambda error: print("ended with", error))
    ...     return "done"
    >>> asyncio.run(handle(work))
    ended with None
    'done'
"""

from __future__ import annotations

import typing as t

from . import _known
from ._closing import ENDING
from ._closing import Lifetime
from ._closing import defer
from ._closing import open_layer
from ._closing import raise_failures
from ._impl import Components
from ._injector import injected
from ._injector import set_injector
from ._types import MISSING


__all__ = [
    "ENDING",
    "MISSING",
    "Lifetime",
    "announce",
    "defer",
    "injected",
    "lifetime_of",
    "open_layer",
    "peek",
    "raise_failures",
    "set_injector",
    "stage_of",
]


def peek(components: Components, namespace: t.Hashable) -> t.Any:
    """
    Return an unnamed component, or ``MISSING``.

    Raises:
        LayerEndedError: A layer that the question reached has ended.
    """
    return components.peek(namespace)


def lifetime_of(components: Components) -> t.Any:
    """
    Return the nearest layer with a lifetime of its own.

    What is built for the length of a layer ends with that one: layers that
    were only pushed, as those of tasks, own nothing.
    """
    return components.scope or components


def stage_of(components: Components) -> t.Any:
    """Return the layer that all plugins share, as long as the stage."""
    return components.stage or components


def announce(namespace: t.Hashable) -> None:
    """
    Say that there will be components of a type in layers yet to be opened.

    ``Components.add`` does so by itself; what is given to ``open_layer`` has
    to be announced once.
    """
    _known.note(namespace, named=False)
