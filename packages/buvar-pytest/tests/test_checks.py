"""What is left behind: tasks, layers, sockets and files."""

from __future__ import annotations

import asyncio

import pytest

from buvar import context
from buvar.testing.checks import LeakError
from buvar.testing.checks import assert_layers_closed
from buvar.testing.checks import assert_no_tasks_left


pytest_plugins = ["pytester"]


async def test_a_task_that_is_left():
    """A task that a block started, and that goes on, is named."""

    async def last():
        await asyncio.sleep(60)

    other = asyncio.create_task(last())
    with pytest.raises(LeakError) as caught:
        async with assert_no_tasks_left(patience=0.05):
            left = asyncio.create_task(last(), name="lasting")

    (leak,) = caught.value.leaks
    assert "the task 'lasting', which waits at" in leak
    assert "await asyncio.sleep(60)" in leak
    for task in (left, other):
        task.cancel()


async def test_tasks_that_end():
    """Tasks may take a moment to end, and those of before may go on."""
    other = asyncio.create_task(asyncio.sleep(60))

    async with assert_no_tasks_left():
        task = asyncio.create_task(asyncio.sleep(0.01))

    assert task.done()
    other.cancel()


def test_a_layer_that_is_left():
    """A layer that was opened without ``with`` is named by what it has."""
    with assert_layers_closed(), context.child() as layer:
        layer.add(1)

    check = assert_layers_closed()
    check.__enter__()
    lost = context.child()
    lost.__enter__().add(1)
    with pytest.raises(LeakError, match=r"the layer .*int"):
        check.__exit__(None, None, None)
    lost.__exit__(None, None, None)


LEAKY = """
import asyncio, socket
from buvar import context, plugin

async def prepare():
    pass

async def prepare_task():
    async def work():
        await asyncio.sleep(60)
    context.get(set).add(asyncio.create_task(work(), name="lost"))

async def prepare_socket():
    context.get(set).add(socket.socket())

async def prepare_file():
    file = open("data", "w")
    file.write("x")
    file.me = file  # what nobody has any more, but the collector of garbage

async def prepare_layer():
    lost = context.child()
    context.get(set).add(lost.__enter__())
    lost.add(Thing())

class Thing:
    pass

async def prepare_tidy():
    teardown = context.get(plugin.Teardown)
    await teardown.enter(open("data", "w"))
    await teardown.enter(socket.socket())
    async def task():
        await context.get(plugin.Cancel).wait()
    yield task()
"""


def test_leaks_of_a_stage_are_errors_that_name_the_plugin(run, pytester):
    """What plugins leave behind is an error at the end of the test."""
    pytester.makepyfile(leaky=LEAKY)
    result = run(
        """
        lost = set()

        @pytest.fixture
        def keep(buvar_context):
            context.add(lost, set)

        @pytest.mark.parametrize("name", [
            "prepare", "prepare_tidy", "prepare_task", "prepare_socket",
            "prepare_file", "prepare_layer"])
        @pytest.mark.buvar_plugins(leaks="error")
        async def test_it(keep, name, buvar_load):
            await buvar_load(f"leaky:{name}")

        @pytest.mark.buvar_plugins("leaky:prepare_socket")
        async def test_unwatched(keep):
            pass

        def test_end():
            for one in lost:
                if hasattr(one, "close") and hasattr(one, "fileno"):
                    one.close()
        """
    )

    result.assert_outcomes(passed=8, errors=4)
    result.stdout.fnmatch_lines(
        [
            "*the task 'lost' of the plugin 'leaky:prepare_task', which*",
            "*<socket.socket*of the plugin 'leaky:prepare_socket', which was*",
            "*'data'*of the plugin 'leaky:prepare_file', which was opened*",
            "*the layer *Thing* of the plugin 'leaky:prepare_layer'",
        ]
    )
