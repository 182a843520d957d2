"""KeyboardInterrupt and SystemExit end the process, after teardown."""

from __future__ import annotations

import asyncio

import pytest

from buvar import plugin


MOMENTS = ["preparing", "task", "ready", "teardown", "callback"]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_at_every_moment(loop_factory, moment, kind):
    """It is raised as it is, what was prepared is torn down."""
    calls = []

    def interrupt(here):
        if here == moment:
            raise kind

    async def task():
        interrupt("task")

    async def wait(cancel):
        await cancel.wait()
        calls.append("waited")

    async def prepare(teardown: plugin.Teardown, cancel: plugin.Cancel):
        teardown.add(calls.append, "down")
        teardown.add(interrupt, "teardown")
        interrupt("preparing")
        if moment == "callback":
            loop = asyncio.get_running_loop()
            loop.call_soon(interrupt, "callback")
            await asyncio.sleep(0.01)
        yield task()

    async def server(cancel: plugin.Cancel):
        if moment in ("task", "ready"):
            yield wait(cancel)

    with pytest.raises(kind):
        plugin.stage(
            server,
            prepare,
            loop_factory=loop_factory,
            on_ready=lambda: interrupt("ready"),
            cancel_timeout=1,
        )
    assert calls[-1:] == ["down"]


def test_failures_beside_an_interrupt_are_not_lost():
    """What failed as well is the cause of the interrupt."""

    async def fail():
        raise ValueError

    async def prepare(teardown: plugin.Teardown):
        teardown.add(fail)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as info:
        plugin.stage(prepare)
    assert isinstance(info.value.__cause__, ExceptionGroup)


def test_failures_after_an_interrupt_are_raised_beside_it():
    """What fails while an interrupted loop is wound up is not lost."""

    def interrupt():
        raise KeyboardInterrupt

    async def prepare(teardown: plugin.Teardown):
        teardown.add(lambda: 1 / 0)
        yield asyncio.Future()
        asyncio.get_running_loop().call_later(0.01, interrupt)

    with pytest.raises(KeyboardInterrupt) as info:
        plugin.stage(prepare, signals=None)
    assert "ZeroDivisionError" in repr(info.value.__cause__)


def test_an_interrupt_wins_over_a_cancellation():
    """Of several that ask to end, the one for the process is raised."""

    async def prepare(teardown: plugin.Teardown):
        async def cancelled():
            raise asyncio.CancelledError

        def leave():
            raise SystemExit(3)

        teardown.add(cancelled)
        teardown.add(leave)

    with pytest.raises(SystemExit) as info:
        plugin.stage(prepare, return_exceptions=True)
    assert info.value.code == 3


def test_ctrl_c_without_handlers(script):
    """Without handlers INT interrupts, and teardown runs still."""
    import signal

    program = script("""
        import asyncio
        from buvar import plugin
        async def prepare(teardown: plugin.Teardown):
            teardown.add(print, "down")
            yield asyncio.sleep(60)
        plugin.stage(
            prepare, signals=None, on_ready=lambda: print("ready"))
    """)
    program.expect("ready")
    program.signal(signal.SIGINT)
    code, out, err = program.end()
    assert (code, out) == (-signal.SIGINT, "down\n")
    # A line may follow that names the task it came in.
    lines = err.splitlines()
    assert any(line.startswith("KeyboardInterrupt") for line in lines), err
