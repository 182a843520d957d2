"""Plugins that take long to prepare are named."""

from __future__ import annotations

import asyncio

from buvar import plugin


def test_names_who_still_prepares(caplog):
    """The log names plugin, chain and place of what hangs."""

    async def deep():
        await asyncio.sleep(0.05)

    async def slow():
        await deep()

    async def generator(load: plugin.Loader):
        await load(slow)
        yield asyncio.sleep(0)

    async def quick():
        return

    plugin.stage(quick, generator, watchdog=0.01)
    assert not any(".quick" in r.plugin for r in caplog.records)
    first = next(r for r in caplog.records if ".slow" in r.plugin)
    text = first.getMessage()
    assert "slow', loaded by" in text
    assert "await deep()" in text
    assert "await asyncio.sleep(0.05)" in text
    assert first.seconds >= 0.01
    assert any(".generator" in r.plugin for r in caplog.records)


def test_counts_for_each(caplog):
    """A plugin is named by its own time, not by that of those before it."""

    async def first():
        await asyncio.sleep(0.06)

    async def second():
        await asyncio.sleep(0.06)

    plugin.stage(first, second, watchdog=0.04)
    assert all(record.seconds >= 0.04 for record in caplog.records)
    assert {record.plugin.rpartition(".")[2] for record in caplog.records} == {
        "first",
        "second",
    }


def test_names_it_again(caplog):
    """A plugin that goes on hanging is named once more for each such time."""

    async def hang():
        await asyncio.sleep(0.05)

    plugin.stage(hang, watchdog=0.01)
    times = [record.seconds // 0.01 for record in caplog.records]
    assert times == sorted(set(times))


def test_silent_when_quick(caplog):
    """Nothing is logged while all is well, or when nobody looks."""

    async def slow():
        await asyncio.sleep(0.02)

    plugin.stage(slow)
    plugin.stage(slow, watchdog=None)
    assert not caplog.records
