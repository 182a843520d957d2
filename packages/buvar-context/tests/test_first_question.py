"""The first question to a layer with a lifetime, and all that follow."""

from __future__ import annotations

import pytest

from buvar import context
from buvar.components import Components
from buvar.components import LayerEndedError
from buvar.components import spi


class Item: ...


class Other: ...


def test_what_is_added_after_the_first_question_is_seen() -> None:
    """The first answer is no more kept than what it was found in changes."""
    base = Components()
    layer = spi.open_layer(base.push())
    assert layer.get(Item, default=None) is None
    first = base.add(Item())
    assert layer.get(Item) is first
    second = base.add(Item())
    assert layer.get(Item) is second
    own = layer.add(Item())
    assert layer.get(Item) is own


def test_layers_above_follow_what_changes_below() -> None:
    """A layer over one that was asked once sees what is added further down."""
    base = Components()
    layer = spi.open_layer(base.push())
    assert layer.get(Item, default=None) is None
    above = layer.push()
    assert above.get(Item, default=None) is None
    item = base.add(Item())
    assert above.get(Item) is item
    own = layer.add(Item())
    assert above.get(Item) is own


def test_questions_leave_nothing_in_other_layers() -> None:
    """What one layer finds, another one that was not asked has not found."""
    base = Components()
    for _ in range(3):
        one, other = spi.open_layer(base), spi.open_layer(base)
        one.add(Item())
        assert one.get(Item)
        assert one.get(Other, default=None) is None
        assert other.get(Item, default=None) is None
        other.add(Other())
        assert one.get(Other, default=None) is None


def test_none_is_a_component_like_any_other() -> None:
    """A component ``None`` is found with each question."""
    base = Components()
    base.add(None)
    layer = spi.open_layer(base)
    for _ in range(3):
        assert layer.get(type(None)) is None


def test_the_first_question_to_a_layer_that_has_ended_is_refused() -> None:
    """Also if the layer below it has ended, not itself."""
    outer = spi.open_layer(Components())
    inner = spi.open_layer(outer)
    outer.end_sync()
    with pytest.raises(LayerEndedError):
        inner.get(Item)
    with context.child() as layer:
        pass
    with pytest.raises(LayerEndedError):
        layer.get(Item)
