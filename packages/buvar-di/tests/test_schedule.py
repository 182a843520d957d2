"""What is built when, and by which call: decided before code is written."""

from __future__ import annotations

import typing as t
import unittest.mock

from buvar import context
from buvar import di
from buvar.context import current_context
from buvar.di._codegen import schedule as stage
from buvar.di._codegen.schedule import schedule
from buvar.di._codegen.steps import AnyOf
from buvar.di._codegen.steps import Claim
from buvar.di._codegen.steps import IfMissing
from buvar.di._codegen.steps import IfWanted
from buvar.di._codegen.steps import Make
from buvar.di._codegen.steps import MakeNew
from buvar.di._codegen.steps import NotKept
from buvar.di._codegen.steps import Schedule
from buvar.di._codegen.steps import Step
from buvar.di._codegen.steps import UnlessKept
from buvar.di._plan.planner import Planner


class Settings: ...


class Pool:
    def __init__(self, settings: Settings) -> None: ...


class Cache:
    def __init__(self, settings: Settings) -> None: ...


class Users:
    def __init__(self, pool: Pool, cache: Cache) -> None: ...


async def connect(settings: Settings) -> Pool:
    return Pool(settings)


async def fill(settings: Settings) -> Cache:
    return Cache(settings)


def schedule_of(*targets: t.Any) -> Schedule:
    planner = Planner(di.buvar_adapters.get(), current_context(), {})
    nodes = [planner.target(target) for target in targets]
    return schedule(planner.finish(t.cast("t.Any", nodes)))


def outline(steps: t.Iterable[Step]) -> list[t.Any]:
    """Write steps as their kinds and types, with those within them."""
    found: list[t.Any] = []
    for step in steps:
        if isinstance(step, Make):
            found.append(step.build.type)
        elif isinstance(step, IfWanted):
            found.append((step.flag, outline(step.steps)))
        else:
            before = getattr(step, "before", ())
            found += outline(before)
            found.append((type(step), step.build.type, outline(step.steps)))
    return found


def test_where_nothing_waits_one_is_built_after_the_other() -> None:
    """No layer is asked, and no variable is uncertain."""
    di.register(Settings, Pool, Cache, Users)
    found = schedule_of(Users)
    assert outline(found.steps) == [Settings, Pool, Cache, Users]
    assert found.maybe_assigned == ()
    assert (found.layer, found.stage, found.stage_keeps) == (False,) * 3


def test_what_waits_is_claimed_with_what_only_it_needs() -> None:
    """What two calls need may be built in the one or in the other."""
    di.register(Settings, Users)
    di.register(connect, fill, scope="layer")
    with context.child():
        found = schedule_of(Users)
    assert outline(found.steps) == [
        (Claim, Pool, [Settings, Pool]),
        (Claim, Cache, [(IfMissing, Settings, [Settings]), Cache]),
        Users,
    ]
    assert [build.type for build in found.maybe_assigned] == [Settings]
    assert found.layer
    assert not found.stage


def test_what_nobody_can_have_built_is_not_asked_for() -> None:
    """Only after something was awaited another call may have built it."""
    di.register(Settings)
    di.register(connect, Cache, scope="layer")
    with context.child():
        early = schedule_of(Cache, Pool).steps[0]
        late = schedule_of(Pool, Cache).steps[1]
    assert outline([early]) == [(MakeNew, Cache, [Settings, Cache])]
    assert outline([late]) == [
        (UnlessKept, Cache, [(IfMissing, Settings, [Settings]), Cache])
    ]


def test_what_was_added_while_others_ran_is_as_good() -> None:
    """It is taken only if others may have run."""
    di.register(Settings)
    di.register(Cache, scope="layer")
    di.register(connect)
    with context.child():
        late = schedule_of(Pool, Cache).steps[-1]
    assert isinstance(late, UnlessKept)
    assert late.or_added


def test_the_stage_is_shared_with_other_threads() -> None:
    """They may build at the same time, although nothing is awaited."""
    di.register(Settings, scope="stage")
    found = schedule_of(Settings)
    assert outline(found.steps) == [(Claim, Settings, [Settings])]
    assert (found.layer, found.stage, found.stage_keeps) == (False, True, True)


def test_long_chains_find_out_first_what_is_needed() -> None:
    """A flag for what is not kept yet, and one for what several need."""
    di.register(Settings, Users)
    di.register(connect, fill, scope="layer")
    with (
        context.child(),
        unittest.mock.patch.object(stage, "_DEEP", 0),
    ):
        found = schedule_of(Users)
    missing_cache, missing_pool, either = found.flags
    assert isinstance(missing_cache, NotKept)
    assert isinstance(missing_pool, NotKept)
    assert (missing_cache.build.type, missing_pool.build.type) == (Cache, Pool)
    assert (missing_cache.wanted, missing_pool.wanted) == (None, None)
    assert either == AnyOf((0, 1))
    assert outline(found.steps) == [
        (2, [Settings]),
        (Claim, Pool, [Pool]),
        (Claim, Cache, [Cache]),
        Users,
    ]
