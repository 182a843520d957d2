"""What packages that build on layers are promised."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from buvar.components import Components
from buvar.components import LayerEndedError
from buvar.components import spi
from buvar.components.spi import CodeName
from buvar.context import buvar_context


class Item: ...


class Other: ...


@pytest.fixture
def base():
    return Components()


def written(layer, name):
    """Return what compiled code would get that writes it behind a layer."""
    return getattr(layer, name)


def test_everything_is_documented():
    """Each published function and class says what it is for."""
    for name in spi.__all__:
        item = getattr(spi, name)
        if callable(item) and getattr(item, "__module__", "")[:5] == "buvar":
            assert item.__doc__, name


def test_each_name_of_compiled_code_is_there(base):
    """Whatever compiled code writes behind a layer exists."""
    layer = spi.open_layer(base)
    names = [text for name, text in vars(CodeName).items() if name.isupper()]
    assert names
    for name in names:
        written(layer, name)


def test_names_of_compiled_code_mean_what_the_functions_do(base):
    """An attribute that is read directly says what the function says."""
    layer = spi.open_layer(base, {Item: 1})
    upper = layer.push()
    assert written(upper, CodeName.SCOPE) is spi.lifetime_of(upper) is layer
    assert written(layer, CodeName.SCOPE) is None
    assert written(upper, CodeName.STAGE) is spi.stage_of(upper) is base
    assert written(upper, CodeName.BELOW) is layer
    assert written(layer, CodeName.ITEMS) == {Item: 1}
    assert written(layer, CodeName.KEPT) == {}
    assert written(layer, CodeName.CLOSERS) is None
    layer.end_sync()
    assert written(layer, CodeName.KEPT) is None


def test_what_is_new_in_a_layer_stays_there(base):
    """Layers that nothing was added to yet do not share what is added."""
    one, two = base.push(), base.push()
    one.add(Item())
    assert spi.peek_own(two, Item) is spi.MISSING
    assert two.get(Item, default=None) is None
    assert base.push().get(Item, default=None) is None


def test_a_shared_layer_without_items(base):
    """What is added to a layer that two stacks share is seen in both."""
    shared = Components()
    one, two = base.push(shared), base.push(shared)
    assert one.get(Item, default=None) is None
    item = two.add(Item())
    assert one.get(Item) is shared.get(Item) is item


@pytest.mark.parametrize("where", ["own", "below"])
def test_a_fact_ends_with_what_it_rests_on(base, where):
    """That a layer sees none of some types holds until one is added."""
    layer, fact = base.push(), object()
    for _ in range(2):
        assert not spi.sees(layer, fact, (Item,))
    stage = spi.stage_of(layer)
    assert fact in written(stage, CodeName.FACTS)
    {"own": layer, "below": base}[where].add(Item())
    assert spi.sees(layer, fact, (Other, Item))


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("where", ["own", "between", "below"])
def test_a_fact_is_kept_by_layers_that_live_on(base, where, asked):
    """A layer that was asked before keeps facts as well, as long as true."""
    between = base.push()
    layer, fact = between.push(), object()
    layer.add(Other())
    if asked:
        # Found in the layer itself: those below it have not been asked.
        assert layer.get(Other)
    for _ in range(10):
        assert not spi.sees(layer, fact, (Item,))
    assert fact in written(layer, CodeName.FACTS)
    {"own": layer, "between": between, "below": base}[where].add(Item())
    assert fact not in written(layer, CodeName.FACTS)
    assert spi.sees(layer, fact, (Item,))


def test_a_fact_ends_with_the_layers_below(base):
    """A layer over one that ends does not keep what it knew."""
    lifetime = spi.open_layer(base)
    layer, fact = lifetime.push(), object()
    layer.get(Other, default=None)
    assert not spi.sees(layer, fact, (Item,))
    lifetime.end_sync()
    assert fact not in written(layer, CodeName.FACTS)
    with pytest.raises(LayerEndedError):
        spi.sees(layer, fact, (Item,))


def test_a_fact_that_others_do_not_see(base):
    """A layer without items keeps its facts from all others."""
    fact = object()
    assert not spi.sees(base, fact, (Item,))
    assert fact not in written(Components(), CodeName.FACTS)


def test_ended_layers_are_refused(base):
    """A layer that ended, or lies over one, is asked in vain."""
    layer = spi.open_layer(base)
    spi.refuse_ended(layer, Item)
    upper = layer.push()
    layer.end_sync()
    with pytest.raises(LayerEndedError):
        spi.refuse_ended(layer, Item)
    with pytest.raises(LayerEndedError):
        spi.sees(upper, object(), (Item,))
    with pytest.raises(LayerEndedError):
        spi.open_layer(layer)


def test_places(base):
    """How far up and how late something was added can be told."""
    first, second = base.add(Item()), base.add(Other())
    upper = base.push()
    named = upper.add(Item(), name="x")
    assert spi.place_of(upper, first, Item) == (1, 0)
    assert spi.place_of(upper, second, Other) > (1, 0)
    assert spi.place_of(upper, named, Item, "x") == (2, 0)
    assert spi.place_of(upper, object(), Item) == (0, 0)


def test_announced_types():
    """Listeners hear of each type once, with the lock held."""

    class New: ...

    class Listener:
        def __init__(self):
            self.heard = []

        def added(self, namespace, *, named):
            self.heard.append((namespace, named))

    listener = Listener()
    spi.listen(listener)
    assert not spi.is_announced(New)
    assert not spi.any_announced(frozenset({New}))
    spi.announce(New)
    spi.announce(New)
    assert spi.is_announced(New)
    assert not spi.is_announced(New, named=True)
    Components().add(New(), name="x")
    assert spi.any_announced(frozenset({New, Item}), named=True)
    mine = [heard for heard in listener.heard if heard[0] is New]
    assert mine == [(New, False), (New, True)]


def test_near_misses(base):
    """What is there instead is said in clauses."""
    base.add(Item(), name="x")
    assert spi.near_misses(base, Item) == ["there is one named 'x'"]


async def test_close_returns_what_failed(base):
    """A layer can be ended without its failures being raised."""
    layer = spi.open_layer(base)
    layer.defer(lambda error: 1 / 0)
    (failure,) = await layer.close()
    assert isinstance(failure, ZeroDivisionError)
    with pytest.raises(LayerEndedError):
        layer.get(Item, default=None)


def test_layers_of_requests_leave_nothing():
    """A layer that was asked and ended is gone without the collector."""
    base = buvar_context.get()
    gc.disable()
    try:
        for _ in range(3):
            layer = spi.open_layer(base, {})
            layer.get(Item, default=None)
            layer.end_sync()
            ref = weakref.ref(layer)
            del layer
            assert ref() is None
    finally:
        gc.enable()


def test_the_lock_is_reentrant():
    """Listeners that are called with the lock held may take it."""
    with spi.LOCK, spi.LOCK:
        taken = []
        thread = threading.Thread(
            target=lambda: taken.append(spi.LOCK.acquire(blocking=False))
        )
        thread.start()
        thread.join()
    assert taken == [False]
