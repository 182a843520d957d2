"""
For frameworks: how layers are opened, asked, and ended.

Applications need ``buvar.context`` only. This module is for packages that
build on layers, such as buvar-di and buvar_aiohttp; it follows semantic
versioning, and nothing else of a layer does. Code that is compiled for each
question need not call it: see ``CodeName``.

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

# What is protected for users is published here, and nowhere else.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import typing as t

# First, and for what it does: it refuses an older package. Where that has
# taken the package's own __init__ away, this module is what is imported.
from . import _namespace  # noqa: F401  # pyright: ignore[reportUnusedImport]
from ._builder import builder as running_task
from ._builder import current_task
from ._closing import ENDING
from ._closing import MESSAGE as CLOSING_FAILED
from ._closing import Lifetime
from ._closing import close_generator
from ._closing import raise_failures
from ._code_names import CodeName
from ._ever_added import Listener
from ._ever_added import listen as _listen
from ._ever_added import named_ as _named
from ._ever_added import note
from ._ever_added import unnamed as _unnamed
from ._impl import Components
from ._injector import injected
from ._injector import set_injector
from ._lock import LOCK
from ._public import publish
from ._types import ENDED
from ._types import MISSING
from ._types import Closer
from ._types import Generator
from ._views import BLANK


__all__ = [
    "CLOSING_FAILED",
    "ENDED",
    "ENDING",
    "LOCK",
    "MISSING",
    "Closer",
    "CodeName",
    "Generator",
    "Lifetime",
    "Listener",
    "added",
    "announce",
    "any_announced",
    "changed",
    "close_generator",
    "current_task",
    "defer",
    "injected",
    "is_announced",
    "lent",
    "lifetime_of",
    "listen",
    "near_misses",
    "open_layer",
    "peek",
    "peek_named",
    "peek_own",
    "place_of",
    "publish",
    "raise_failures",
    "refuse_ended",
    "running_task",
    "sees",
    "set_injector",
    "stage_of",
]


#: What ``open_layer`` makes: a class that tells of it while somebody observes
#: layers, see ``buvar.context._observe``. It does so when it gets its stage,
#: the last one of its attributes.
_new: type[Lifetime] = Lifetime


def open_layer(
    below: Components, items: dict[t.Hashable, t.Any] | None = None
) -> Lifetime:
    """
    Put a layer with a lifetime of its own on a stack.

    It is not made the current one: ``buvar_context.set(layer)`` does that.

    Args:
        below: The stack.
        items: What the layer holds, by type, each of them announced. The
            dict is not copied.

    Raises:
        LayerEndedError: The layer it would stand on has ended.
    """
    # Each request opens one: the constructor of another layer, spelled out.
    layer: Lifetime = _new()
    layer._items = BLANK if items is None else items
    layer._kept = {}
    layer._view = BLANK
    layer._names = layer._dependents = layer._closers = layer._scope = None
    if below._closers is ENDED:
        below._refuse(None)
    layer._below = below
    layer._stage = below._stage or below
    return layer


def defer(
    layer: Components,
    closer: Closer | Generator,
) -> None:
    """
    Have something end with a layer that has a lifetime.

    Args:
        layer: The layer, see ``lifetime_of``.
        closer: What ends with it, see ``Lifetime.defer``. An asynchronous
            generator that has yielded once is given as ``(generator, twice,
            task)``: ``twice`` makes the error if it yields again, the task
            is the one that began it: both halves see one context.

    Raises:
        LayerEndedError: The layer has ended.
    """
    t.cast("Lifetime", layer).defer(closer)


def added(
    components: Components,
) -> list[tuple[t.Hashable, t.Hashable, t.Any]]:
    """
    Return all that was added: namespaces, names and items, lower layers first.

    What was built for the length of a layer is left out. Within a layer the
    order is that of adding, of unnamed items first.

    Raises:
        LayerEndedError: One of the layers has ended.
    """
    found: list[tuple[t.Hashable, t.Hashable, t.Any]] = []
    with LOCK:
        for layer in reversed(components.stack):
            if layer._closers is ENDED:
                layer._refuse(None)
            kept = layer._kept or {}
            found += [
                (key, None, item)
                for key, item in layer._items.items()
                if kept.get(key, MISSING) is not item
            ]
            found += [
                (key, name, item)
                for key, items in (layer._names or {}).items()
                for name, item in items.items()
            ]
    return found


def lifetime_of(components: Components) -> t.Any:
    """
    Return the nearest layer with a lifetime of its own.

    What is built for the length of a layer ends with that layer: layers that
    were only pushed, such as those of tasks, own nothing.
    """
    return components._scope or components


def stage_of(components: Components) -> t.Any:
    """Return the layer that all plugins share, as long as the stage."""
    return components._stage or components


def refuse_ended(layer: Components, namespace: t.Hashable) -> None:
    """
    Refuse a question to a layer with a lifetime that has ended.

    Args:
        layer: The layer, see ``lifetime_of``.
        namespace: What is asked for.

    Raises:
        LayerEndedError: It has ended.
    """
    if layer._kept is None:
        layer._refuse(namespace)


def peek(components: Components, namespace: t.Hashable) -> t.Any:
    """
    Return an unnamed component, or ``MISSING``.

    Raises:
        LayerEndedError: A layer that the question reached has ended.
    """
    return components._peek(namespace)


def peek_named(
    components: Components, namespace: t.Hashable, name: t.Hashable
) -> t.Any:
    """
    Return a named component, or ``MISSING``.

    Raises:
        LayerEndedError: A layer that the question reached has ended.
    """
    return components._peek_named(namespace, name)


def peek_own(components: Components, namespace: t.Hashable) -> t.Any:
    """Return what was added to the top layer itself, or ``MISSING``."""
    return components._items.get(namespace, MISSING)


def lent(components: Components, namespace: t.Hashable) -> t.Any:
    """
    Return the unnamed component that layers above see, or ``MISSING``.

    That is all that was added, but nothing that this layer keeps.

    Raises:
        LayerEndedError: A layer that the question reached has ended.
    """
    return components._lent(namespace)


def sees(
    components: Components,
    fact: t.Hashable,
    keys: tuple[t.Hashable, ...],
) -> bool:
    """
    Tell whether any of several types was added to a layer or below it.

    Args:
        components: The stack.
        fact: Stands for the types: that there is none is kept under it until
            something is added, to be asked by ``CodeName.FACTS``.
        keys: The types.

    Raises:
        LayerEndedError: A layer that the question reached has ended.
    """
    return components._sees(fact, keys)


def changed(layer: Components) -> None:
    """Have what a layer keeps now seen by all, once there is more of it."""
    layer._changed()


def place_of(
    components: Components,
    item: object,
    namespace: t.Hashable,
    name: t.Hashable = None,
) -> tuple[int, int]:
    """
    Return how far up a component was added to a stack, and how late there.

    Args:
        components: The stack.
        item: The component.
        namespace: What it was added under.
        name: The name it was added with.
    """
    stack = components.stack
    for height, layer in zip(range(len(stack), 0, -1), stack, strict=True):
        items = layer._items
        if name is not None:
            items = (layer._names or {}).get(namespace, {})
        places = [n for n, other in enumerate(items.values()) if other is item]
        if places:
            return height, places[-1]
    return 0, 0


def near_misses(
    components: Components, namespace: t.Hashable, name: t.Hashable = None
) -> list[str]:
    """List what is there instead of a component, a clause each."""
    return components._near_misses(namespace, name)


def announce(namespace: t.Hashable) -> None:
    """
    Say that there will be components of a type in layers yet to be opened.

    ``Components.add`` does so by itself; what is given to ``open_layer`` has
    to be announced once.
    """
    note(namespace, named=False)


def is_announced(namespace: t.Hashable, *, named: bool = False) -> bool:
    """
    Tell whether a component was ever announced, or added, under a type.

    Args:
        namespace: The type.
        named: Whether it is about components with a name.
    """
    return namespace in (_named if named else _unnamed)


def any_announced(
    namespaces: frozenset[t.Any], *, named: bool = False
) -> bool:
    """Tell whether any of several types was announced: ``is_announced``."""
    known = _named if named else _unnamed
    return not namespaces.isdisjoint(known)


def listen(listener: Listener) -> None:
    """
    Tell someone of the first component of each type, from now on.

    Args:
        listener: Its method ``added`` is called with the type, and with
            ``named``: whether it is about components with a name. It is
            called with ``LOCK`` held, and as long as the listener lives.
    """
    _listen(listener)
