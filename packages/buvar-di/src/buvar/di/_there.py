"""
Look for what is there already: given, named, faked, built, in the context.

Each answer of the context is noted: the plan that rests on it asks again.
"""

from __future__ import annotations

import typing as t

from buvar.components import Components
from buvar.components import _known
from buvar.components.spi import MISSING

from ._nodes import CALL
from ._nodes import STAGE
from ._nodes import Const
from ._nodes import Given
from ._nodes import Guard
from ._nodes import Item
from ._nodes import Node
from ._register import Adapters
from ._types import Asked
from ._values import accepts
from ._values import by_value
from ._values import offers


class There:
    """All that a call finds without building anything."""

    def __init__(
        self,
        adapters: Adapters,
        components: Components,
        keywords: t.Mapping[str, t.Any],
        given: t.Collection[t.Any],
        expected: t.Collection[tuple[t.Any, t.Hashable]],
    ) -> None:
        self.adapters = adapters
        scope = components.scope or components
        self.layers = (components, scope, components.stage or components)
        self.keywords = keywords
        self.given = given
        self.expected = expected
        #: Each question to the context, and whether there was an answer.
        self.guards: dict[Guard, bool] = {}
        self.absent: set[t.Any] = set()
        self.unnamed: set[t.Any] = set()
        #: The next call may look the same and mean another thing, as where a
        #: keyword is judged by its value: its plan is not kept.
        self.by_value: bool = False
        self._built: tuple[dict[t.Any, Node], ...] = ({}, {}, {})

    def _named(
        self, tp: Asked, names: tuple[t.Hashable, ...], level: int
    ) -> Node | None:
        for name in names:
            if name in self.keywords and self._accepts(tp, name):
                return Given(tp, t.cast("str", name))
        fake = self._fake(tp)
        if fake is not None:
            return fake
        for key in tp.keys:
            node = self._ask(key, names[0], level)
            if node is not None:
                return node
        return None

    def _fake(self, tp: Asked) -> Node | None:
        overrides = self.adapters.overrides
        for key in tp.keys if overrides else ():
            asked: t.Any = key
            if tp.named is not None:
                asked = t.Annotated[asked, tp.named]
            if asked in overrides:
                return Const(key, overrides[asked], default=False)
        return None

    def _accepts(self, tp: Asked, name: t.Any) -> bool:
        value = self.keywords[name]
        self.by_value |= any(map(by_value, tp.keys))
        if value is None and tp.optional:
            return True
        if not tp.keys:
            return not tp.optional
        return any(accepts(key, value) for key in tp.keys)

    def _ask(self, key: t.Any, name: t.Hashable, level: int) -> Node | None:
        """Look into the context, and remember the answer."""
        if name is None:
            known, unknown = _known.unnamed, self.absent
        else:
            known, unknown = _known.named_, self.unnamed
        guard = Guard(level, key, name)
        if level and self.guards.get(Guard(CALL, key, name)) is False:
            # What is not seen from the top is not further down either.
            return None
        if key not in known:
            unknown.add(key)
            return Item(guard) if self._is_given(guard) else None
        if guard not in self.guards:
            layer = self.layers[level]
            if name is not None:
                item = layer.peek_named(key, name)
            elif level == STAGE:
                # What the layer of the stage keeps for itself is not for all.
                item = layer.lent(key)
            else:
                item = layer.peek(key)
            self.guards[guard] = item is not MISSING
        if self.guards[guard] or self._is_given(guard):
            return Item(guard)
        return None

    def _is_given(self, guard: Guard) -> bool:
        """Tell whether it will be in the context, though it is not yet."""
        if guard.name is None and guard.key in self.given:
            return True
        # What is there later is in a layer that ends before the stage.
        return guard.level < STAGE and (guard.key, guard.name) in self.expected

    def _unnamed(self, tp: Asked, level: int) -> Node | None:
        fake = self._fake(tp)
        if fake is not None:
            return fake
        for key in tp.keys:
            if key in self._built[level]:
                return self._built[level][key]
        for key in tp.keys:
            node = self._ask(key, None, level)
            if node is not None:
                return node
        for key in tp.keys:
            for name, value in self.keywords.items():
                self.by_value |= by_value(key)
                if offers(key, value):
                    return Given(key, name)
        return None
