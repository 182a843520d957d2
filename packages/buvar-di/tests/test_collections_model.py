"""Collections of what was registered and added, beside a naive model."""

from __future__ import annotations

import typing as t

import pytest

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from buvar import context
from buvar import di
from buvar.components import Components
from buvar.context import buvar_context


pytestmark = pytest.mark.asyncio


class Check: ...


def _classes() -> list[type[Check]]:
    return [type(f"C{n}", (Check,), {}) for n in range(4)]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["register", "add", "name", "open", "close"]),
        st.integers(0, 3),
    ),
    max_size=12,
)


class Model:
    """Layers as plain dicts, and what a collection is to hold."""

    def __init__(self, classes: list[type[Check]]) -> None:
        self.classes = classes
        self.registered: list[type[Check]] = []
        self.layers: list[tuple[dict[t.Any, Check], dict[str, Check]]] = []
        self.opened: list[t.Any] = []
        self.step("open", 0)

    def step(self, step: str, number: int) -> None:
        """Do one thing here and in the context."""
        cls, name = self.classes[number], f"n{number}"
        if step == "register":
            di.register(cls)
            self.registered = [one for one in self.registered if one != cls]
            self.registered.append(cls)
        elif step == "add":
            self.layers[-1][0][cls] = context.add(cls())
        elif step == "name":
            self.layers[-1][1][name] = context.add(cls(), name=name)
        elif step == "open":
            self.opened.append(context.child())
            self.opened[-1].__enter__()
            self.layers.append(({}, {}))
        elif len(self.opened) > 1:
            self.close()

    def close(self) -> None:
        """End the uppermost layer."""
        self.opened.pop().__exit__(None, None, None)
        self.layers.pop()

    def wanted(self) -> list[t.Any]:
        """List what is to be found: components, and classes to be built."""
        unnamed: dict[t.Any, Check] = {}
        named: dict[str, Check] = {}
        for mine, names in self.layers:
            for key, item in mine.items():
                unnamed.pop(key, None)
                unnamed[key] = item
            named.update(names)
        shared = [unnamed.get(one, one) for one in self.registered]
        rest = [one for one in unnamed.values() if one not in shared]
        return [*shared, *rest, *named.values()]


@settings(max_examples=60, deadline=None)
@given(STEPS)
async def test_as_a_naive_model_says(steps: list[tuple[str, int]]) -> None:
    """Registered, added, named, hidden: as a list of layers has it."""
    adapters = di.buvar_adapters.set(di.Adapters())
    base = buvar_context.set(Components())
    model = Model(_classes())
    try:
        for step in steps:
            model.step(*step)
            wanted = model.wanted()
            if not wanted:
                with pytest.raises(di.ResolveError):
                    await di.nject(list[Check])
                continue
            found = await di.nject(list[Check])
            there = set(map(id, wanted))
            assert [
                one if id(one) in there else type(one) for one in found
            ] == wanted
            assert await di.nject(tuple[Check, ...]) is not None
    finally:
        while model.opened:
            model.close()
        buvar_context.reset(base)
        di.buvar_adapters.reset(adapters)
