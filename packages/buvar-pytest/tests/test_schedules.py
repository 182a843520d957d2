"""``schedules=``: other orders of the tasks that are ready."""

from __future__ import annotations

import asyncio
import re

import pytest

from buvar.testing._markers import MarkerError
from buvar.testing._markers import steering_of
from buvar.testing._steered_loop import LoopFactory


pytest_plugins = ["pytester"]


#: Two plugins: both take what is left, one looks before an await.
RACE = """
class Stock:
    left = 1
    sold = 0

async def prepare_stock():
    context.add(Stock())

def seller(name):
    async def prepare(load: plugin.Loader):
        await load(prepare_stock)
        stock = context.get(Stock)
        async def sell():
            if name == "b":
                await asyncio.sleep(0)
            if stock.left:
                await asyncio.sleep(0)
                if name == "a":
                    stock.left = 0
                    stock.sold += 1
                elif stock.left == 0:
                    stock.sold += 1
        yield sell()
    prepare.__qualname__ = name
    return prepare

@pytest.mark.buvar_plugins(
    seller("a"), seller("b"), schedules=200, clock="virtual")
async def test_race(buvar_clock):
    await buvar_clock.advance("1s")
    assert context.get(Stock).sold == 1
"""


def runner_with(seed: int) -> asyncio.Runner:
    factory = LoopFactory(virtual=False, seed=seed)
    return asyncio.Runner(loop_factory=factory)


def order_with(seed: int) -> list[int]:
    order: list[int] = []

    async def step(number: int) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
            order.append(number)

    async def main() -> None:
        await asyncio.gather(*map(step, range(4)))

    with runner_with(seed) as runner:
        runner.run(main())
    return order


def test_a_planted_race_is_found_and_replayed(run):
    """Two plugins that race fail with a seed, and with it each time."""
    result = run(RACE)

    outcomes = result.parseoutcomes()
    assert outcomes["failed"] == 1
    assert outcomes["skipped"] > 1
    assert sum(outcomes.values()) == 200
    match = re.search(
        r"pytest '(test_it.py::test_race)' (--buvar-seed=\d+)",
        result.stdout.str(),
    )
    assert match
    for _ in range(2):
        again = run(RACE, match[2])
        again.assert_outcomes(failed=1)
        again.stdout.fnmatch_lines([f"*{match[2]}"])


def test_the_usual_order_does_not_show_it(run):
    """The race does not fail in the order that asyncio happens to have."""
    result = run(RACE.replace("schedules=200, ", ""))

    result.assert_outcomes(passed=1)


def test_an_order_is_the_same_each_time():
    """A seed stands for an order; another one for another."""
    orders = [order_with(seed) for seed in range(20)]

    assert orders == [order_with(seed) for seed in range(20)]
    assert len({*map(tuple, orders)}) > 15


def test_callbacks_are_never_overtaken():
    """The order of callbacks, and of tasks around them, is asyncio's."""

    async def main() -> list[str]:
        order: list[str] = []

        async def step(name: str) -> None:
            order.append(name)

        loop = asyncio.get_running_loop()
        tasks = [asyncio.create_task(step("before")) for _ in range(3)]
        for number in range(3):
            loop.call_soon(order.append, str(number))
        tasks += [asyncio.create_task(step("after")) for _ in range(3)]
        await asyncio.wait(tasks)
        return order

    for seed in range(50):
        with runner_with(seed) as runner:
            assert runner.run(main()) == [
                *["before"] * 3,
                "0",
                "1",
                "2",
                *["after"] * 3,
            ]


def test_sockets_work_in_every_order():
    """Transports rely on the order of callbacks, which is kept."""

    async def main() -> bytes:
        async def echo(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            writer.write(await reader.readline())
            await writer.drain()
            writer.close()

        async def ask(number: int) -> bytes:
            streams = await asyncio.open_connection(*address)
            streams[1].write(b"%d\n" % number)
            answer = await streams[0].read()
            streams[1].close()
            return answer

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        async with server:
            return b"".join(await asyncio.gather(*map(ask, range(5))))

    for seed in range(10):
        with runner_with(seed) as runner:
            assert runner.run(main()) == b"0\n1\n2\n3\n4\n"


def test_seeds_are_counted_from_the_first(run):
    """A test runs once for each seed, each with fixtures of its own."""
    result = run(
        """
        @pytest.mark.buvar_plugins(schedules=3, seed=40)
        async def test_orders(buvar_context, request):
            assert context.get(int, default=None) is None
            context.add(1)

        async def prepare():
            yield asyncio.sleep(0)

        @pytest.mark.buvar_plugins(prepare, clock="real")
        async def test_without():
            pass
        """,
        "-v",
    )

    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines([f"*seed-{seed}*" for seed in (40, 41, 42)])


@pytest.mark.parametrize(
    ("keywords", "reason"),
    [
        ({"clock": "sundial"}, "clock='sundial' is not one of"),
        ({"schedules": -1}, "schedules=-1 makes no sense"),
        ({"schedules": True}, "schedules=True makes no sense"),
        ({"seed": 1}, "seed= needs schedules="),
        ({"shedules": 1}, "unknown keywords shedules"),
    ],
)
def test_nonsense_is_refused(request, keywords, reason):
    """A keyword that makes no sense is an error that names the test."""
    request.node.add_marker(pytest.mark.buvar_plugins(**keywords))

    with pytest.raises(MarkerError) as caught:
        steering_of(request.node, None)

    assert caught.value.nodeid == request.node.nodeid
    assert reason in str(caught.value)


def test_nonsense_is_an_error_of_the_collection(run):
    """The error is shown without the frames that found it."""
    result = run(
        """
        @pytest.mark.buvar_plugins(shedules=1)
        async def test_it():
            pass
        """
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["test_it.py::test_it: @pytest.mark.buvar_plugins: unknown keywords*"]
    )
