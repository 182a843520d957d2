"""Signals stop a process, in order and in bounded time."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import signal
import sys

import pytest

from buvar import plugin


pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="the signals of POSIX"
)

SERVER = """
    import asyncio, sys
    from buvar import context, plugin
    async def drain():
        await context.get(plugin.Cancel).wait()
        print("draining")
    async def prepare(teardown: plugin.Teardown):
        teardown.add(print, "down")
        yield drain()
    print(plugin.stage(prepare, on_ready=lambda: print("ready")))
"""
IGNORANT = """
    import asyncio, sys
    from buvar import context, plugin
    async def ignorant():
        loop = asyncio.get_running_loop()
        await context.get(plugin.Cancel).wait()
        print("waiting")
        try:
            await asyncio.Future()
        except asyncio.CancelledError:
            print("cancelled")
            {then}
    async def prepare(teardown: plugin.Teardown):
        teardown.add(print, "down")
        yield ignorant()
    plugin.stage(prepare, on_ready=lambda: print("ready"), {options})
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_signal_stops(script, number):
    """TERM and INT stop in order, the exit code is 0."""
    program = script(SERVER)
    program.expect("ready")
    program.signal(number)
    assert program.end() == (0, "draining\ndown\n[None]\n", "")


def test_a_second_signal_cancels(script):
    """INT twice cancels at once, without an error."""
    program = script(IGNORANT.format(then="raise", options=""))
    program.expect("ready")
    program.signal(signal.SIGINT)
    program.expect("waiting")
    program.signal(signal.SIGINT)
    assert program.end() == (0, "cancelled\ndown\n", "")


def test_a_task_that_ignores_cancellation(script):
    """The process ends within both bounds and names the culprit."""
    program = script(
        IGNORANT.format(
            then="await asyncio.Future()",
            options="cancel_timeout=0.2, abandon_timeout=0.2",
        )
    )
    program.expect("ready")
    program.signal(signal.SIGTERM)
    code, out, err = program.end()
    assert (code, out) == (1, "waiting\ncancelled\ndown\n")
    assert "AbandonedTaskError: The task '__main__:ignorant'" in err
    assert "never awaited" not in err


def test_a_third_signal_abandons(script):
    """INT three times does not wait for either bound."""
    program = script(
        IGNORANT.format(then="await asyncio.Future()", options="")
    )
    program.expect("ready")
    for line in ("waiting", "cancelled", "down"):
        program.signal(signal.SIGINT)
        program.expect(line)
    assert program.end()[0] == 1


def test_handlers_of_other_signals(script):
    """A subclass handles HUP, USR1 and others, sync or async."""
    program = script("""
        import asyncio
        from buvar import context, plugin
        class Signals(plugin.Signals):
            def handle_hup(self):
                print("hup", context.get(str))
            async def handle_usr1(self):
                await asyncio.sleep(0)
                print("usr1", context.get(plugin.Signals) is self)
            async def handle_usr2(self):
                raise KeyError("usr2")
            def handle_term(self):
                print("term")
                super().handle_term()
            def handle_break(self): ...
        async def prepare():
            context.add("x")
            yield asyncio.Future()
        plugin.stage(
            prepare, signals=Signals, cancel_timeout=0,
            on_ready=lambda: print("ready"))
    """)
    program.expect("ready")
    program.signal(signal.SIGHUP)
    program.expect("hup x")
    program.signal(signal.SIGUSR1)
    program.expect("usr1 True")
    program.signal(signal.SIGUSR2)
    program.signal(signal.SIGUSR1)
    program.expect("usr1 True")
    program.signal(signal.SIGTERM)
    code, out, err = program.end()
    assert (code, out) == (0, "term\n")
    assert "A signal handler failed" in err
    assert "KeyError: 'usr2'" in err


def test_while_preparing(script):
    """A signal while plugins are prepared ends that at once, code 0."""
    program = script("""
        import asyncio
        from buvar import plugin
        async def prepare(teardown: plugin.Teardown):
            teardown.add(print, "down")
            print("preparing")
            await asyncio.Future()
        plugin.stage(prepare)
    """)
    program.expect("preparing")
    program.signal(signal.SIGTERM)
    assert program.end() == (0, "down\n", "")


def test_uvloop(script):
    """Uvloop handles signals the same way."""
    pytest.importorskip("uvloop")
    code = IGNORANT.format(
        then="raise", options="loop_factory=uvloop.new_event_loop"
    ).replace("import asyncio", "import uvloop, asyncio")
    program = script(code)
    program.expect("ready")
    program.signal(signal.SIGINT)
    program.expect("waiting")
    program.signal(signal.SIGTERM)
    assert program.end() == (0, "cancelled\ndown\n", "")


class NoSignalsLoop(asyncio.SelectorEventLoop):
    """A loop as that of Windows, which cannot handle signals."""

    def add_signal_handler(self, sig, callback, *args):
        raise NotImplementedError


@pytest.mark.parametrize(
    "loop_factory", [NoSignalsLoop, asyncio.new_event_loop]
)
def test_where_the_loop_cannot_handle_signals(loop_factory):
    """Else signals are handled by the interpreter, and given back."""
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]

    async def prepare(cancel: plugin.Cancel):
        yield cancel.wait()
        yield asyncio.to_thread(os.kill, os.getpid(), signal.SIGTERM)

    plugin.stage(prepare, loop_factory=loop_factory)
    after = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    assert before == after


def test_in_another_thread():
    """In another thread than the main one signals are left alone."""

    async def prepare():
        yield asyncio.sleep(0, "x")

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert pool.submit(plugin.stage, prepare).result() == ["x"]


def test_none_are_handled():
    """``signals=None`` leaves signals to whoever handles them."""
    before = signal.getsignal(signal.SIGTERM)

    async def prepare(signals: plugin.Signals):
        assert signal.getsignal(signal.SIGTERM) is before

    plugin.stage(prepare, signals=None)


async def test_a_handler_that_fails_is_logged(caplog):
    """A coroutine function that fails stops nothing, the log tells."""

    class Signals(plugin.Signals):
        async def handle_usr1(self):
            raise KeyError

    async with plugin.Stage(signals=Signals) as stage:
        os.kill(os.getpid(), signal.SIGUSR1)
        while not caplog.records:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0)
        assert not stage.cancel.is_set()
    assert "A signal handler failed" in caplog.text


async def test_a_handler_that_still_runs_is_cancelled():
    """A handler does not outlive the stage."""
    started, ended = asyncio.Event(), asyncio.Event()

    class Signals(plugin.Signals):
        async def handle_usr1(self):
            started.set()
            try:
                await asyncio.Future()
            finally:
                ended.set()

    async with plugin.Stage(signals=Signals):
        os.kill(os.getpid(), signal.SIGUSR1)
        await started.wait()
    await ended.wait()
