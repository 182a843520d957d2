"""
Look for what is there already: given, named, faked, built, in the context.

Each answer of the context is noted: the plan that rests on it asks again.
"""

from __future__ import annotations

import typing as t

from buvar.components import spi
from buvar.components.spi import MISSING
from buvar.di._annotations.parse import Asked
from buvar.di._annotations.parse import derived
from buvar.di._annotations.parse import provided
from buvar.di._annotations.spelling import normal
from buvar.di._annotations.spelling import spellings
from buvar.di._annotations.values import accepts
from buvar.di._annotations.values import by_value
from buvar.di._annotations.values import offers

from .built import Built
from .collecting import ALL
from .collecting import EXACT
from .collecting import Present
from .collecting import Shape
from .collecting import exact
from .nodes import CALL
from .nodes import STAGE
from .nodes import Const
from .nodes import Given
from .nodes import Guard
from .nodes import Item
from .nodes import Layers
from .nodes import Node
from .nodes import look_up
from .premises import Premises


class Lookup:
    """
    All that a call finds without building anything.

    Args:
        overrides: What is faked, by type.
        layers: The layers that are asked, by level.
        keywords: What the call gives.
        given: Types taken as components although there are none (yet).
        expected: The same for types with a name or ``None``, except for what
            is kept in the stage.
        built: What the plan builds so far.
        premises: Where each answer of the context is noted.
    """

    def __init__(
        self,
        *,
        overrides: t.Mapping[t.Any, t.Any],
        layers: Layers,
        keywords: t.Mapping[str, t.Any],
        given: t.Collection[t.Any],
        expected: t.Collection[tuple[t.Any, t.Hashable]],
        built: Built,
        premises: Premises,
    ) -> None:
        self._overrides = overrides
        self._layers = layers
        self._keywords = keywords
        self._given = given
        self._expected = expected
        self._built = built
        self._premises = premises
        premises.by_value = any(
            # It poses as another class, as a proxy does.
            value.__class__ is not type(value)
            for value in keywords.values()
        )

    def named(
        self, tp: Asked, names: tuple[t.Hashable, ...], level: int
    ) -> Node | None:
        """Look for a keyword or a component with a name, or for a fake."""
        for name in names:
            if name in self._keywords and self.accepts(tp, name):
                return Given(tp, t.cast("str", name))
        fake = self._fake(tp)
        if fake is not None:
            return fake
        for key in tp.keys:
            node = self.component(key, names[0], level)
            if node is not None:
                return node
        return None

    def _fake(self, tp: Asked) -> Node | None:
        overrides = self._overrides
        for key in tp.keys if overrides else ():
            asked: t.Any = key
            if tp.named is not None:
                asked = t.Annotated[asked, tp.named]
            if asked in overrides:
                return Const(overrides[asked])
        return None

    def accepts(self, tp: Asked, name: t.Any) -> bool:
        """Tell whether the keyword of a name is what is asked for."""
        value = self._keywords[name]
        self._premises.by_value |= any(map(by_value, tp.keys))
        if value is None and tp.optional:
            return True
        if not tp.keys:
            return not tp.optional
        return any(accepts(key, value) for key in tp.keys)

    def component(
        self, key: t.Any, name: t.Hashable, level: int
    ) -> Node | None:
        """
        Look for a component of a type, one with arguments as well.

        The context stores what it holds by classes: a ``Repo[Order]`` is an
        object of a class that says so, or one made by ``Repo[Order]()``.
        """
        if isinstance(key, type):
            return self._ask(key, name, level)
        keys: t.Iterable[t.Any] = (key, *spellings(key))
        found = self._ask_all(keys, name, level)
        origin = t.get_origin(key)
        if not found and isinstance(origin, type):
            keys = (cls for cls in derived(origin) if key in provided(cls))
            found = self._ask_all(keys, name, level)
        if not found and hasattr(origin, "__orig_bases__"):
            node = self._ask(origin, name, level)
            own = getattr(node and self._item(node), "__orig_class__", None)
            if node is not None and own is not None:
                self._premises.by_value = True
                found = [node] if key in provided(normal(own)) else []
        if len(found) > 1:
            return max(found, key=self._place)
        return found[0] if found else None

    def _ask_all(
        self, keys: t.Iterable[t.Any], name: t.Hashable, level: int
    ) -> list[Item]:
        """Look for what was added under any of some types."""
        found = [
            node
            for key in keys
            if (node := self._ask(key, name, level)) is not None
        ]
        # Which is added last, or further up, may be another one next time.
        self._premises.by_value |= len(found) > 1
        return found

    def _item(self, node: Item) -> t.Any:
        """Return the component itself."""
        return look_up(node.guard, self._layers)

    def _place(self, node: Item) -> tuple[int, int]:
        """Tell how far up a component is, and how late it was added."""
        item, (level, key, name) = self._item(node), node.guard
        return spi.place_of(self._layers[level], item, key, name)

    def _ask(self, key: t.Any, name: t.Hashable, level: int) -> Item | None:
        """Look into the context, and remember the answer."""
        named = name is not None
        guard = Guard(level, key, name)
        if (
            level
            and self._premises.guards.get(Guard(CALL, key, name)) is False
        ):
            # What is not seen from the top is not further down either.
            return None
        if not spi.is_announced(key, named=named):
            (self._premises.unnamed if named else self._premises.absent).add(
                key
            )
            return Item(guard) if self._is_given(guard) else None
        if guard not in self._premises.guards:
            layer = self._layers[level]
            if name is not None:
                item = spi.peek_named(layer, key, name)
            elif level == STAGE:
                # What the layer of the stage keeps for itself is not for all.
                item = spi.lent(layer, key)
            else:
                item = spi.peek(layer, key)
            self._premises.guards[guard] = item is not MISSING
        if self._premises.guards[guard] or self._is_given(guard):
            return Item(guard)
        return None

    def _is_given(self, guard: Guard) -> bool:
        """Tell whether it will be in the context, though it is not yet."""
        if guard.name is None and guard.key in self._given:
            return True
        # What is there later is in a layer that ends before the stage.
        return (
            guard.level < STAGE and (guard.key, guard.name) in self._expected
        )

    def unnamed(self, tp: Asked, level: int) -> Node | None:
        """Look for anything that is of a type."""
        fake = self._fake(tp)
        if fake is not None:
            return fake
        for key in tp.keys:
            built = self._built.by_type(key, level)
            if built is not None:
                return built
        for key in tp.keys:
            node = self.component(key, None, level)
            if node is not None:
                return node
        for key in tp.keys:
            for name, value in self._keywords.items():
                self._premises.by_value |= by_value(key)
                if offers(key, value):
                    return Given(key, name)
        return None

    # --- collections ------------------------------------------------------

    def exact(self, cls: type, level: int) -> Item | None:
        """Look for the unnamed component of exactly a class."""
        if not spi.is_announced(cls):
            self._premises.absent.add(cls)
            return None
        guard = Guard(level, cls, EXACT)
        if guard not in self._premises.guards:
            item = exact(cls, self._layers[level])
            self._premises.guards[guard] = item is not MISSING
        return Item(guard) if self._premises.guards[guard] else None

    def components(
        self,
        shape: Shape,
        hidden: t.Iterable[t.Any],
        level: int,
        *,
        needed: bool,
    ) -> Guard | None:
        """
        Look for the components of a collection.

        Args:
            shape: The collection.
            hidden: Types that are overridden.
            level: Where to look.
            needed: There is nothing else in it, so it must have one.
        """
        keys = shape.item.keys
        expected = [
            tp
            for tp in keys
            if tp in self._given
            or (level < STAGE and any(tp == key for key, _ in self._expected))
        ]
        if not expected and self._never_added(keys):
            return None
        guard = Guard(level, Present(keys, hidden), ALL)
        is_there = bool(guard.key(self._layers[level]))
        self._premises.collected[guard] = is_there if needed else None
        return guard if is_there or expected or not needed else None

    def _never_added(self, keys: t.Iterable[t.Any]) -> bool:
        """Tell whether no component was ever added under some types."""
        types = frozenset(
            tp
            for key in keys
            for tp in (key, t.get_origin(key), *spellings(key))
            if tp is not None
        )
        if spi.any_announced(types) or spi.any_announced(types, named=True):
            return False
        self._premises.absent |= types
        self._premises.unnamed |= types
        return True
