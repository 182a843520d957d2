"""Stacks of layers behave as a naive model of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from buvar import components


class A: ...


class B(A): ...


class C(B): ...


KEYS = [A, B, C, object, "key"]
names = st.sampled_from([None, "x", "y"])
operations = st.one_of(
    st.tuples(
        st.just("add"),
        st.integers(0, 5),
        st.sampled_from([A, B, C]),
        names,
        st.sampled_from([None, "key", A]),
    ),
    st.tuples(st.just("get"), st.integers(0, 5), st.sampled_from(KEYS), names),
    st.tuples(st.just("find"), st.integers(0, 5), st.sampled_from(KEYS)),
    st.tuples(st.just("push"), st.integers(0, 5)),
    st.tuples(st.just("pop"), st.integers(0, 5)),
)


class Model:
    """A list of dicts by key and name, lowest first."""

    def __init__(self, layers):
        self.layers = layers

    def add(self, item, key, name):
        keys = type(item).__mro__ if key is None else (key,)
        for each in keys:
            self.layers[-1][each, name] = item

    def get(self, key, name):
        for layer in reversed(self.layers):
            if (key, name) in layer:
                return layer[key, name]
        return None

    def find(self, key):
        found = {}
        for layer in self.layers:
            found.update({n: i for (k, n), i in layer.items() if k == key})
        return found


@settings(max_examples=300, deadline=None)
@given(st.lists(operations, max_size=60))
def test_as_the_model(steps):
    """get, find, push, pop and add agree with lists of dicts."""
    stacks = [(components.Components(), Model([{}]))]
    for what, which, *args in steps:
        real, model = stacks[which % len(stacks)]
        if what == "add":
            kind, name, key = args
            item = kind()
            real.add(item, key, name=name)
            model.add(item, key, name)
        elif what == "get":
            key, name = args
            found = real.get(key, name=name, default=None)
            assert found is model.get(key, name)
        elif what == "find":
            assert real.find(args[0]) == model.find(args[0])
        elif what == "push":
            stacks.append((real.push(), Model([*model.layers, {}])))
        elif len(model.layers) > 1:
            stacks.append((real.pop(), Model(model.layers[:-1])))
    for real, model in stacks:
        assert all(
            real.get(k, default=None) is model.get(k, None) for k in KEYS
        )
