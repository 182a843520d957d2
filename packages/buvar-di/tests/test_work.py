"""Supervised and periodic tasks get what they need injected."""

from __future__ import annotations

import pytest

from buvar import context
from buvar import di
from buvar import plugin


class Store:
    """Something to be injected."""


async def test_injected() -> None:
    """What a task needs is built for each run."""
    got = []

    async def make() -> Store:
        return Store()

    async def work(store: Store) -> None:
        got.append(store)
        if len(got) == 2:
            context.get(plugin.Cancel).set()

    async def prepare():
        di.register(make, scope="layer")
        yield plugin.every(0.001, work)

    await plugin.Stage(prepare).run()

    assert len(set(map(id, got))) == 2


async def _lacking(store: Store) -> None: ...


def test_checked() -> None:
    """A check finds what such a task lacks."""

    async def prepare():
        yield plugin.supervised(_lacking)

    with pytest.raises(ExceptionGroup) as caught:
        plugin.check(prepare, look=di.check)

    assert "_lacking" in str(caught.value.exceptions[0])
