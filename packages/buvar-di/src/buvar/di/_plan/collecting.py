"""
All there is of a type: ``list[T]``, ``tuple[T, ...]``, ``dict[str, T]``.

A collection holds what the adapters for ``T`` build, in the order of
registration, and then the components that were added. It is written into the
compiled code like a call with as many arguments; only the components are
looked for each time, as any layer may have others.
"""

from __future__ import annotations

import collections.abc
import typing as t

from buvar.components import Components
from buvar.components import spi
from buvar.components.spi import MISSING
from buvar.di._annotations.parse import Asked
from buvar.di._annotations.parse import Key
from buvar.di._annotations.parse import ask
from buvar.di._annotations.parse import provided
from buvar.di._annotations.parse import show
from buvar.di._annotations.spelling import normal
from buvar.di._errors import ResolveError
from buvar.di._registry.candidate import Candidate


_ORIGINS: t.Final = (list, collections.abc.Sequence)
#: The place of a name in a guard. All components of a type ...
ALL: t.Final[t.Any] = type("All", (), {})()
#: ... or the unnamed one, if it is of exactly that class.
EXACT: t.Final[t.Any] = type("Exact", (), {})()


class Shape(t.NamedTuple):
    """
    A collection that is asked for.

    Attributes:
        kind: ``list``, ``tuple`` or ``dict``.
        item: What it holds.
    """

    kind: type
    item: Asked


class Found(t.NamedTuple):
    """
    A component of a collection.

    Attributes:
        name: What a dict holds it by, ``None`` if that is not text.
        item: The component.
    """

    name: str | None
    item: t.Any


def shape_of(key: t.Any) -> Shape | None:
    """Tell which collection a type is, if it is one."""
    origin, args = t.get_origin(key), t.get_args(key)
    kind: type | None = None
    if origin in _ORIGINS and len(args) == 1:
        kind = list
    elif origin is tuple and len(args) == 2 and args[1] is ...:  # noqa: PLR2004
        kind = tuple
    elif origin is dict and len(args) == 2 and args[0] is str:  # noqa: PLR2004
        kind = dict
    if kind is None:
        return None
    item = ask(args[-1] if kind is dict else args[0])
    if item.named is not None or not item.keys or object in item.keys:
        # It says nothing that could be collected.
        return None
    return Shape(kind, item)


def members(
    find: t.Callable[[Key], tuple[Candidate, ...]],
    shape: Shape,
    fakes: t.Collection[t.Any],
) -> list[tuple[t.Any, Candidate]]:
    """
    List the adapters of a collection, in order of registration.

    Args:
        find: Finds the adapters of a type.
        shape: The collection.
        fakes: Types that are overridden.

    Returns:
        Each adapter with the type that it is asked for.
    """
    found = {
        candidate.adapter: (key, candidate)
        for key in reversed(shape.item.keys)
        for candidate in find(key)
        if candidate.adapter.collect
    }
    return sorted(
        (
            pair
            for pair in found.values()
            if not any(key in fakes for key in pair[1].adapter.keys)
        ),
        key=lambda pair: pair[1].adapter.number,
    )


def name_of(item: object) -> str:
    """Name a component that was added without a name."""
    return show(type(item))


class Present:
    """
    Finds the components of some types, in the order they were added.

    Lower layers come first. What is hidden by a component of an upper layer
    is left out, and so is what was built to be kept: its adapter gives it.

    Args:
        keys: The types.
        hidden: Types whose components are overridden.
    """

    def __init__(
        self, keys: t.Iterable[Key], hidden: t.Iterable[Key] = ()
    ) -> None:
        self._keys = frozenset(keys)
        self._hidden = frozenset(hidden)
        #: The classes of aliases.
        self._origins = frozenset(filter(None, map(t.get_origin, self._keys)))
        #: Whether the components of a namespace count, for all seen so far.
        self._counts: dict[Key, bool] = {}

    def __call__(self, layer: Components) -> tuple[Found, ...]:
        """Return the components that a layer sees."""
        unnamed: dict[Key, t.Any] = {}
        named: dict[tuple[Key, t.Hashable], t.Any] = {}
        for key, name, item in spi.added(layer):
            counts = self._count(key) or self._is_made_as_one(key, item)
            if not counts or self._is_hidden(item):
                continue
            if name is None:
                # It hides that of a lower layer, and has a place of its own.
                unnamed.pop(key, None)
                unnamed[key] = item
            else:
                named[key, name] = item
        found: dict[int, Found] = {}
        for key, item in unnamed.items():
            own = t.cast("t.Any", type(item))
            if key is own or unnamed.get(own, self) is not item:
                found.setdefault(id(item), Found(name_of(item), item))
        names: dict[int, str | None] = {}
        for (_, name), item in named.items():
            names.setdefault(id(item), name if isinstance(name, str) else None)
            found[id(item)] = Found(names[id(item)], item)
        return tuple(found.values())

    def _count(self, key: t.Any) -> bool:
        counts = self._counts.get(key)
        if counts is None:
            counts = not self._keys.isdisjoint(provided(key))
            if isinstance(key, type):
                self._counts[key] = counts
        return counts

    def _is_made_as_one(self, key: t.Any, item: object) -> bool:
        """Tell whether it was made by an alias, such as ``Repo[Order]()``."""
        own = key in self._origins and getattr(item, "__orig_class__", None)
        return bool(own) and not self._keys.isdisjoint(provided(normal(own)))

    def _is_hidden(self, item: object) -> bool:
        hidden = self._hidden
        return bool(hidden) and not hidden.isdisjoint(provided(type(item)))


def exact(cls: type, layer: Components) -> t.Any:
    """Return the unnamed component of exactly a class, or ``MISSING``."""
    item = spi.peek(layer, cls)
    return item if type(item) is cls else MISSING


def listed(built: list[t.Any], found: tuple[Found, ...]) -> list[t.Any]:
    """Return what was built and what was found, each component once."""
    ids = set(map(id, built))
    return built + [
        component.item for component in found if id(component.item) not in ids
    ]


def by_name(
    built: dict[str, t.Any], found: tuple[Found, ...]
) -> dict[str, t.Any]:
    """
    Add what was found to what was built, by name.

    Raises:
        ResolveError: Two of them have one name.
    """
    ids = set(map(id, built.values()))
    for component in found:
        if component.name is None or id(component.item) in ids:
            continue
        if component.name in built:
            raise same_name(component.name, type(component.item))
        built[component.name] = component.item
    return built


def same_name(name: str, item: t.Any) -> ResolveError:
    """Make the error for two members of a dict that have one name."""
    line = f"dict[str, {show(item)}] would hold two of the name {name!r}."
    hint = (
        "give functions and classes names of their own, and components "
        "context.add(item, name=...); or leave one out: di.register(..., "
        "collect=False)"
    )
    return ResolveError(item, (line,), (item,), (hint,))
