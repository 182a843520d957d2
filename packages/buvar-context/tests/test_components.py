"""Components are found by type and name, through all layers."""

from __future__ import annotations

import gc
import typing as t
import weakref

import pytest

from buvar import components
from buvar.components import _ever_added
from buvar.components._types import MISSING


class Base: ...


class Foo(Base): ...


def test_add_returns_the_item():
    """What is added is returned, to be used at once."""
    stack = components.Components()
    foo = Foo()
    assert t.assert_type(stack.add(foo), Foo) is foo


def test_get_is_typed():
    """The type asked for is the type that is returned."""
    stack = components.Components()
    foo = stack.add(Foo())
    assert t.assert_type(stack.get(Foo), Foo) is foo
    assert t.assert_type(stack.get(Foo, default=None), Foo | None) is foo


@pytest.mark.parametrize("kind", [Foo, Base, object])
def test_found_under_each_base(kind):
    """A component is found under the whole MRO of its type."""
    stack = components.Components()
    foo = stack.add(Foo())
    assert stack.get(kind) is foo


@pytest.mark.parametrize("key", ["text", 1, ("a", "b"), list[int], Foo])
def test_discriminator(key):
    """With a discriminator it is found under that only."""
    stack = components.Components()
    assert stack.add(1.5, key) == 1.5
    assert stack.get(key) == 1.5
    assert stack.get(float, default=None) is None
    assert stack.push().push().get(key) == 1.5


def test_class_is_refused():
    """A class is no component, the error says what to add instead."""
    with pytest.raises(ValueError, match="Add an instance"):
        components.Components().add(Foo)


def test_unhashable_namespace_is_refused():
    """What cannot be hashed cannot be asked for."""
    with pytest.raises(TypeError, match="hashable"):
        components.Components().add(1, [])


def test_names():
    """Several components of one type are told apart by name."""
    stack = components.Components()
    stack.add("a", name="first")
    stack.add("b", name="second")
    assert stack.get(str, name="second") == "b"
    assert stack.get(str, default="c") == "c"
    assert stack.find(str) == {"first": "a", "second": "b"}


def test_upper_layer_wins():
    """A look-up ends at the uppermost layer that has it."""
    base = components.Components()
    base.add("low")
    base.add("low", name="x")
    upper = base.push()
    upper.add("high")
    upper.add("high", name="x")
    assert (upper.get(str), upper.get(str, name="x")) == ("high", "high")
    assert (base.get(str), base.get(str, name="x")) == ("low", "low")
    assert upper.find(str) == {None: "high", "x": "high"}


def test_later_add_to_a_lower_layer_is_seen():
    """A view that was filled already does not hide what comes later."""
    base = components.Components()
    upper = base.push().push()
    assert upper.get(str, default=None) is None
    base.add("later")
    assert upper.get(str) == "later"


def test_layers_of_another_stack_are_shared():
    """A layer given as components is seen to change from both sides."""
    other = components.Components()
    stack = components.Components().push(other)
    above = stack.push()
    assert above.get(str, default=None) is None
    other.add("there")
    assert above.get(str) == "there"
    stack.add(1)
    assert other.get(int) == 1


def test_mapping_as_layer():
    """A mapping of items by name by namespace makes a layer."""
    layer = {str: {None: "a", "x": "b"}}
    for stack in (
        components.Components(layer),
        components.Components().push(layer),
        components.Components({}, layer),
        components.Components().push({}, layer),
    ):
        assert stack.get(str) == "a"
        assert stack.get(str, name="x") == "b"


def test_layer_of_something_else():
    """What a layer cannot start with is refused, with what adds it."""
    wrong: t.Any = Foo()
    for start in (components.Components, components.Components().push):
        with pytest.raises(TypeError, match=r"context\.add\(item\)"):
            start(wrong)
    with pytest.raises(TypeError, match="Components or a dict"):
        components.Components().push(None, wrong)
    with pytest.raises(TypeError, match="components by name") as caught:
        components.Components(t.cast("t.Any", {Foo: wrong}))
    assert "test_components.Foo: {None: <" in str(caught.value)


def test_push_and_pop():
    """Popping returns the stack below, the last layer stays."""
    base = components.Components()
    upper = base.push()
    assert upper.pop() is base
    assert upper.stack == (upper, base)
    with pytest.raises(components.LastLayerError, match="only what"):
        base.pop()


def test_lifetimes_are_inherited():
    """A plain layer passes on the layers that things live in."""
    base = components.Components()
    upper = base.push()
    assert (base._scope, base._stage) == (None, None)
    assert (upper._scope, upper._stage) == (base, base)
    upper._scope = None
    assert upper.push()._scope is upper
    assert upper.push()._stage is base


def test_repr_shows_layers_and_types():
    """A person reads what is where, each item once."""
    base = components.Components()
    base.add("x")
    base.add("y", "key", name="z")
    assert repr(base.push()) == "Components({}, {str, 'z': str as 'key'})"


def test_lookup_error_carries_facts():
    """The error has namespace and name, its text names both."""
    with pytest.raises(components.ComponentLookupError) as info:
        components.Components().get(Foo, name="x")
    assert (info.value.namespace, info.value.name) == (Foo, "x")
    assert "Foo" in str(info.value)
    assert "named 'x'" in str(info.value)
    assert "name='x'" in str(info.value).splitlines()[-1]


def test_near_misses():
    """The error lists other names, subclasses and similar names."""
    stack = components.Components()
    stack.add(1, Foo, name="other")
    stack.add(1, Base, name="x")
    with pytest.raises(components.ComponentLookupError) as info:
        stack.get(Foo)
    assert "there is one named 'other'" in info.value.near
    with pytest.raises(components.ComponentLookupError) as info:
        stack.get(Base)
    assert any("Foo is a subclass" in near for near in info.value.near)
    stack.add(1, "databases")
    with pytest.raises(components.ComponentLookupError, match="'databases'"):
        stack.get("database")
    stack.add("unnamed")
    with pytest.raises(components.ComponentLookupError, match="unnamed str"):
        stack.get(str, name="x")


def test_known_types():
    """What was added anywhere is known, and told to those who rest on it."""

    class New: ...

    class Listener:
        def __init__(self):
            self.told = []

        def added(self, namespace, *, named):
            self.told.append((namespace, named))

    listener = Listener()
    _ever_added.listen(listener)
    assert New not in _ever_added.unnamed
    for _ in range(2):
        components.Components().add(New())
    assert New in _ever_added.unnamed
    assert New not in _ever_added.named_
    components.Components().add(New(), name="x")
    assert New in _ever_added.named_
    told = [one for one in listener.told if one[0] is New]
    assert told == [(New, False), (New, True)]


def test_missing_has_a_readable_repr():
    """The mark of what is missing reads as what it is."""
    assert repr(MISSING) == "MISSING"
    assert components.Components()._peek(Foo) is MISSING


def test_layers_do_not_pile_up():
    """A layer that went is forgotten by those below."""
    base = components.Components()
    layers = []
    for _ in range(1000):
        layer = base.push()
        layer.get(Foo, default=None)
        layers.append(weakref.ref(layer))
        del layer
    gc.collect()
    assert not [ref for ref in layers if ref() is not None]
    assert len(base._dependents) <= 64
    base.add(Foo())
