"""Random graphs resolve as a slow, obvious resolver says they should."""

from __future__ import annotations

import asyncio
import contextvars
import importlib.util
import os
import pathlib
import sys
import types
import typing as t
import unittest.mock

import pytest

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from buvar import context
from buvar import di
from buvar.components import Components
from buvar.components import spi
from buvar.context import buvar_context
from buvar.di._codegen import schedule


#: More of them in one command: BUVAR_DI_EXAMPLES=5000 pytest ...
EXAMPLES = int(os.environ.get("BUVAR_DI_EXAMPLES", "300"))


def load() -> types.ModuleType:
    """Load the module beside this one: tests are no package."""
    path = pathlib.Path(__file__).with_name("reference_resolver.py")
    spec = importlib.util.spec_from_file_location("reference_resolver", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["reference_resolver"] = module
    spec.loader.exec_module(module)
    return module


reference: t.Any = load()
TYPES: list[type] = reference.TYPES
NAMES = ["a", "b", "c"]


kinds = st.integers(0, 5)


def askeds(
    kinds: st.SearchStrategy[int], names: t.Sequence[str | None]
) -> st.SearchStrategy[t.Any]:
    return st.builds(
        reference.Asked,
        st.lists(kinds, min_size=1, max_size=2, unique=True),
        st.sampled_from([False, False, True]),
        st.sampled_from(names),
    )


def specs(
    result: st.SearchStrategy[int], asked: st.SearchStrategy[t.Any]
) -> st.SearchStrategy[t.Any]:
    params = st.lists(
        st.builds(
            reference.Param,
            st.sampled_from(NAMES),
            asked,
            st.sampled_from(["", "", "", "object", "None"]),
            st.booleans(),
        ),
        max_size=3,
        unique_by=lambda one: one.name,
    )
    return st.builds(
        reference.Spec,
        result,
        params.map(
            lambda found: sorted(
                found, key=lambda one: (one.by_name, one.default != "")
            )
        ),
        st.sampled_from(["def", "def", "async def", "yield", "async yield"]),
        st.sampled_from(["call", "call", "call", "layer", "stage"]),
    )


#: Anything, mostly to be passed over.
loose = specs(kinds, askeds(kinds, [None, None, None, *NAMES[:1]]))
#: One for each type, most of them needing what is further down.
deep = st.tuples(
    *(
        specs(st.just(n), askeds(st.integers(min(n + 1, 5), 5), [None]))
        for n in range(5)
    ),
    specs(st.just(5), askeds(st.just(0), [None])),
)
adapters = st.lists(loose, max_size=8) | st.tuples(
    deep.flatmap(st.permutations), st.lists(loose, max_size=2)
).map(lambda found: [*found[0], *found[1]])
wide = st.builds(
    reference.World,
    adapters,
    st.lists(
        st.lists(
            st.tuples(kinds, st.sampled_from([None, *NAMES])), max_size=2
        ),
        min_size=1,
        max_size=3,
    ),
    st.integers(0, 2),
    st.dictionaries(
        st.sampled_from([*NAMES, "x"]), st.none() | kinds, max_size=2
    ),
    st.lists(kinds, max_size=1),
    st.lists(askeds(kinds, [*[None] * 7, "a"]), min_size=1, max_size=3),
    st.just([]),
)
#: Few types, so that lifetimes meet: what one object holds another shares.
few = st.integers(0, 2)
close = st.builds(
    reference.World,
    st.lists(specs(few, askeds(few, [None])), min_size=2, max_size=5),
    st.lists(
        st.lists(st.tuples(few, st.none()), max_size=2),
        min_size=2,
        max_size=3,
    ),
    st.integers(0, 2),
    st.just({}),
    st.just([]),
    st.lists(askeds(few, [None]), min_size=2, max_size=3),
    st.just([]),
)
#: What wraps one type or its base, and mostly needs another one.
related = st.sampled_from([0, 3])
needed = askeds(st.sampled_from([1, 1, 1, 0, 3]), [None])
wrapped = st.builds(
    reference.World,
    st.lists(
        specs(st.sampled_from([0, 3, 3, 1]), needed).map(
            lambda one: one._replace(params=one.params[:1])
        ),
        min_size=1,
        max_size=3,
    ),
    st.lists(
        st.lists(st.tuples(related, st.none()), max_size=1),
        min_size=1,
        max_size=3,
    ),
    st.integers(0, 2),
    st.dictionaries(st.sampled_from(["a", "x"]), related, max_size=1),
    st.lists(related, max_size=1),
    st.lists(askeds(related, [None]), min_size=1, max_size=3),
    st.lists(
        specs(related, needed).map(
            lambda one: reference.Wrap(one.result, one.params[:1], one.kind)
        ),
        min_size=1,
        max_size=3,
    ),
)
worlds = wide | close | wrapped

NAMES_OF_TYPES: dict[str, t.Any] = {
    "Annotated": t.Annotated,
    "Named": di.Named,
    "Union": t.Union,
    "object": TYPES[0]("object"),
    **{f"T{n}": cls for n, cls in enumerate(TYPES)},
}


def implementation(number: int, spec: t.Any) -> t.Any:
    """Write an adapter, or a decorator, that notes how it was called."""
    is_wrap = isinstance(spec, reference.Wrap)
    made = spec.type if is_wrap else spec.result

    def make(*args: t.Any) -> t.Any:
        inner = ", ".join(getattr(one, "how", "None") for one in args)
        name = "wrap" if is_wrap else "adapter"
        return TYPES[made](f"{name}{number}({inner})")

    heads = [
        f"{name}: {asked.written()}" + (f" = {default}" if default else "")
        for name, asked, default, _ in spec.params
    ]
    places = [one.by_name for one in spec.params]
    if True in places:
        heads.insert(places.index(True), "*")
    result = f"T{made}"
    inner = [f"inner: {result}"] * is_wrap
    given = ["inner"] * is_wrap + [one.name for one in spec.params]
    prefix, word = spec.kind.replace("yield", "def"), "return"
    if "yield" in spec.kind:
        word = "yield"
        result = f"{'Async' * ('async' in prefix)}Iterator[{result}]"
    names = {
        **NAMES_OF_TYPES,
        "make": make,
        "Iterator": t.Iterator,
        "AsyncIterator": t.AsyncIterator,
    }
    exec(  # noqa: S102 - the parameters are random
        f"{prefix} it({', '.join([*inner, *heads])}) -> {result}:"
        f" {word} make({', '.join(given)})",
        names,
    )
    return names["it"]


def prepare(world: t.Any) -> None:
    """Make a registry and a context as they are in a world."""
    adapters = di.Adapters()
    di.buvar_adapters.set(adapters)
    buvar_context.set(Components())
    layers: list[Components] = []
    for number, layer in enumerate(world.layers):
        below = buvar_context.get()
        if number in {0, min(world.request, len(world.layers) - 1)}:
            # A layer with a lifetime: the first is that of the stage.
            buvar_context.set(spi.open_layer(below))
        else:
            context.push()
        layers.append(buvar_context.get())
        layers[-1]._stage = layers[0] if number else None
        for kind, name in layer:
            item = TYPES[kind](f"item{number}{kind}{name}")
            context.add(item, name=name)
    for number, spec in enumerate(world.adapters):
        scope = t.cast("t.Any", spec.scope)
        adapters.register(implementation(number, spec), scope=scope)
    for number, wrap in enumerate(world.decorators):
        adapters.decorate(implementation(number, wrap))


async def call(world: t.Any) -> list[str] | None:
    """Resolve with the library."""
    keywords = {
        name: None if kind is None else TYPES[kind](f"keyword {name}")
        for name, kind in world.keywords.items()
    }
    targets = [eval(one.written(), NAMES_OF_TYPES) for one in world.targets]  # noqa: S307
    fakes = {TYPES[one]: TYPES[one](f"fake{one}") for one in world.fakes}
    try:
        with di.override(fakes):
            got = await di.nject(*targets, **keywords)
    except di.ResolveError:
        return None
    found = got if len(targets) > 1 else [got]
    return [getattr(one, "how", "None") for one in found]


@pytest.mark.parametrize("deep", [12, 0], ids=["nested", "flat"])
@settings(max_examples=EXAMPLES, deadline=None)
@given(world=worlds)
def test_as_the_reference_says(deep: int, world: t.Any) -> None:
    """
    Each choice agrees, in a call and in the same call once more.

    Between adapters, layers, names, keywords, fakes, unions, defaults.
    """
    with unittest.mock.patch.object(schedule, "_DEEP", deep):
        contextvars.copy_context().run(asyncio.run, agree(world))


async def agree(world: t.Any) -> None:
    slow = reference.Reference(world)
    prepare(world)
    for _ in range(2):
        try:
            expected = slow.call()
        except reference.UnresolvedError:
            assert await call(world) is None
            return
        assert await call(world) == expected
        if not slow.keep():
            return
