"""Random graphs resolve as a slow, obvious resolver says they should."""

from __future__ import annotations

import asyncio
import contextvars
import os
import typing as t
import unittest.mock

import pytest

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from buvar import context
from buvar import di
from buvar.components import Components
from buvar.context import buvar_context
from buvar.di import _order


#: More of them in one command: BUVAR_DI_EXAMPLES=5000 pytest ...
EXAMPLES = int(os.environ.get("BUVAR_DI_EXAMPLES", "300"))

TYPES: list[type] = []
for _n in range(6):
    # Some are subclasses of others.
    _base = (TYPES[_n - 3],) if _n >= 3 else (object,)
    TYPES.append(
        type(
            f"T{_n}",
            _base,
            {"__init__": lambda s, how: setattr(s, "how", how)},
        )
    )
NAMES = ["a", "b", "c"]


class Spec(t.NamedTuple):
    """An adapter: type, parameters (name, type, has a default), async."""

    result: int
    params: list[tuple[str, int, bool]]
    is_async: bool
    scope: str


class World(t.NamedTuple):
    """All that decides about one call."""

    adapters: list[Spec]
    layers: list[list[tuple[int, str | None]]]
    keywords: dict[str, int]
    targets: list[int]


params = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 5), st.booleans()),
    max_size=3,
    unique_by=lambda one: one[0],
).map(lambda found: sorted(found, key=lambda one: one[2]))
specs = st.builds(
    Spec,
    st.integers(0, 5),
    params,
    st.booleans(),
    st.sampled_from(["call", "call", "layer", "stage"]),
)
worlds = st.builds(
    World,
    st.lists(specs, max_size=7),
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 5), st.sampled_from([None, *NAMES])),
            max_size=2,
        ),
        min_size=1,
        max_size=3,
    ),
    st.dictionaries(
        st.sampled_from([*NAMES, "x"]), st.integers(0, 5), max_size=2
    ),
    st.lists(st.integers(0, 5), min_size=1, max_size=3),
)

LEVELS = ["call", "layer", "stage"]


class Made(t.NamedTuple):
    """What the reference says an object is: how it came to be."""

    how: str
    type: int
    life: int


class UnresolvedError(Exception): ...


class Reference:
    """Follow the order clause by clause, copying all state."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.built: list[list[Made]] = [[], [], []]

    def named(self, tp: int, name: str | None, level: int) -> Made | None:
        # The layer of the stage is the lowest, the others see them all.
        layers = self.world.layers
        for number in reversed(range(1 if level == 2 else len(layers))):
            for kind, other in reversed(layers[number]):
                if other == name and issubclass(TYPES[kind], TYPES[tp]):
                    return Made(f"item{number}{kind}{name}", kind, level)
        return None

    def param(
        self, param: tuple[str, int, bool], level: int, path: list[Spec]
    ) -> Made:
        name, tp, has_default = param
        kind = self.world.keywords.get(name)
        if kind is not None and issubclass(TYPES[kind], TYPES[tp]):
            return Made(f"keyword {name}", kind, 2)
        found = self.named(tp, name, level)
        if found is not None:
            return found
        try:
            return self.resolve(tp, level, path)
        except UnresolvedError:
            if has_default:
                return Made("default", tp, 2)
            raise

    def resolve(self, tp: int, level: int, path: list[Spec]) -> Made:
        for made in self.built[level]:
            if issubclass(TYPES[made.type], TYPES[tp]):
                return made
        item = self.named(tp, None, level)
        if item is not None:
            return item
        for name, kind in self.world.keywords.items():
            if issubclass(TYPES[kind], TYPES[tp]):
                return Made(f"keyword {name}", kind, 2)
        for spec in reversed(self.world.adapters):
            if issubclass(TYPES[spec.result], TYPES[tp]):
                before = [list(one) for one in self.built]
                try:
                    return self.adapt(spec, level, path)
                except UnresolvedError:
                    self.built = before
        raise UnresolvedError(tp)

    def adapt(self, spec: Spec, level: int, path: list[Spec]) -> Made:
        own = LEVELS.index(spec.scope)
        if any(one is spec for one in path) or (own and own < level):
            raise UnresolvedError
        level = own or level
        args = [self.param(one, level, [*path, spec]) for one in spec.params]
        life = min((one.life for one in args), default=2)
        number = next(
            n for n, one in enumerate(self.world.adapters) if one is spec
        )
        how = f"adapter{number}({', '.join(one.how for one in args)})"
        made = Made(how, spec.result, own or life)
        for one in range(made.life + 1):
            self.built[one].append(made)
        return made


def implementation(number: int, spec: Spec) -> t.Any:
    """Write an adapter that notes how it was called."""

    def make(**args: t.Any) -> t.Any:
        inner = ", ".join(args[name].how for name, _, _ in spec.params)
        return TYPES[spec.result](f"adapter{number}({inner})")

    heads = ", ".join(
        f"{name}: T{tp}" + (f" = default{tp}" if has else "")
        for name, tp, has in spec.params
    )
    passed = ", ".join(f"{name}={name}" for name, _, _ in spec.params)
    prefix = "async " if spec.is_async else ""
    names: dict[str, t.Any] = {"make": make, "__name__": __name__}
    for n, cls in enumerate(TYPES):
        names[f"T{n}"] = cls
        names[f"default{n}"] = cls("default")
    exec(  # noqa: S102 - the parameters are random
        f"{prefix}def it({heads}) -> T{spec.result}: return make({passed})",
        names,
    )
    return names["it"]


async def real(world: World) -> list[str]:
    """Resolve with the library, in a registry and a context of its own."""
    di.buvar_adapters.set(di.Adapters())
    buvar_context.set(Components())
    for number, layer in enumerate(world.layers):
        if number:
            context.push()
        for kind, name in layer:
            item = TYPES[kind](f"item{number}{kind}{name}")
            context.add(item, name=name)
    top = context.current_context()
    top.scope = None
    for number, spec in enumerate(world.adapters):
        scope = t.cast("t.Any", spec.scope)
        di.register(implementation(number, spec), scope=scope)
    keywords = {
        name: TYPES[kind](f"keyword {name}")
        for name, kind in world.keywords.items()
    }
    got = await di.nject(*(TYPES[n] for n in world.targets), **keywords)
    return [one.how for one in (got if len(world.targets) > 1 else [got])]


@pytest.mark.parametrize("deep", [12, 0], ids=["nested", "flat"])
@settings(max_examples=EXAMPLES, deadline=None)
@given(world=worlds)
def test_as_the_reference_says(deep: int, world: World) -> None:
    """Adapters, layers, names, keywords, defaults: each choice agrees."""
    with unittest.mock.patch.object(_order, "_DEEP", deep):
        agree(world)


def agree(world: World) -> None:
    reference = Reference(world)
    expected: list[str] | None
    try:
        expected = [reference.resolve(n, 0, []).how for n in world.targets]
    except UnresolvedError:
        expected = None
    run = contextvars.copy_context().run
    got: list[str] | None
    try:
        got = run(asyncio.run, real(world))
    except di.ResolveError:
        got = None
    assert got == expected
