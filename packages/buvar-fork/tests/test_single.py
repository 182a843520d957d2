"""One process without a supervisor ends in time, and says what blocks it."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from buvar import plugin
from buvar.fork._first_failure import FirstFailure


BLOCKED = """
import asyncio, threading, time
from buvar import context, fork, plugin
def block(): time.sleep(60)
async def serve():
    {how}
    print("up", flush=True)
    await context.get(plugin.Cancel).wait()
async def prepare(): yield serve()
print("returned", fork.stage(prepare, forks=1, graceful_timeout=1,
    sockets=["unix://sock"], pid_path="pid"))
"""


@pytest.mark.parametrize(
    "how",
    [
        "asyncio.get_running_loop().run_in_executor(None, block)",
        "threading.Thread(target=block, name='mine').start()",
        "asyncio.get_running_loop().call_soon(block)",
    ],
    ids=["executor", "thread", "loop"],
)
def test_blocked(start, tmp_path, how: str) -> None:
    """What blocks the end is named, and ended after graceful_timeout."""
    program = start(BLOCKED.format(how=how))
    program.until("up")
    before = time.monotonic()
    program.signal(signal.SIGTERM)
    code = program.process.wait(10)
    assert time.monotonic() - before >= 1
    assert code == 128 + signal.SIGKILL
    assert "within graceful_timeout, 1 s" in program.output
    assert "in block (" in program.output
    assert not (tmp_path / "sock").exists()
    assert not (tmp_path / "pid").exists()


def test_ctrl_c_twice(start) -> None:
    """A loop that blocks is interrupted, and only one says that it ends."""
    program = start(
        BLOCKED.format(
            how="asyncio.get_running_loop().call_soon(block)"
        ).replace("timeout=1,", "timeout=2,")
    )
    program.until("up")
    before = time.monotonic()
    program.signal(signal.SIGINT)
    time.sleep(0.5)  # two that come at once may be one
    program.signal(signal.SIGINT)
    program.process.wait(10)

    assert time.monotonic() - before < 3
    assert "within graceful_timeout" not in program.output


def test_handler_that_does_not_stop(start) -> None:
    """A signal that a program takes for something else has no bound."""
    program = start(
        BLOCKED.format(how="pass")
        .replace("timeout=1,", "timeout=0.5, signals=Signals,")
        .replace(
            "def block()",
            "class Signals(plugin.Signals):\n"
            "    def handle_int(self): print('noted', flush=True)\n"
            "def block()",
        )
    )
    program.until("up")
    program.signal(signal.SIGINT)
    program.until("noted")
    time.sleep(1)  # beyond graceful_timeout

    assert program.process.poll() is None
    assert program.stop() == 0


def test_in_time(start) -> None:
    """A thread that ends in time is waited for."""
    program = start(
        BLOCKED.format(
            how="threading.Thread(target=time.sleep, args=(1,)).start()"
        ).replace("timeout=1", "timeout=30")
    )
    program.until("up")

    assert program.stop() == 0
    assert "returned [None]" in program.output
    assert "graceful_timeout" not in program.output


def test_hup_is_not_ignored(start) -> None:
    """Nothing is said of HUP where a handler on top does something."""
    program = start(
        BLOCKED.format(how="signal.signal(signal.SIGHUP, handle)")
        .replace(
            "def block()",
            "import signal\n"
            "def handle(*args):\n"
            "    before(*args)\n"
            "    print('loaded', flush=True)\n"
            "async def notice():\n"
            "    global before\n"
            "    before = signal.getsignal(signal.SIGHUP)\n"
            "def block()",
        )
        .replace("stage(prepare", "stage(notice, prepare")
    )
    program.until("up")
    program.signal(signal.SIGHUP)
    program.until("loaded")

    assert program.stop() == 0
    assert "HUP is ignored" not in program.output


def test_the_caller_goes_on(start) -> None:
    """What the caller does after the stage has no bound."""
    program = start(
        BLOCKED.format(how="pass") + "time.sleep(2)\nprint('done')\n"
    )
    program.until("up")

    assert program.stop() == 0
    assert program.output.endswith("done\n")


@pytest.mark.parametrize("forks", [1, 2])
def test_a_teardown_that_never_ends(start, forks: int) -> None:
    """A stage that ends by itself has a bound for that, too."""
    program = start(
        f"""
import asyncio
from buvar import fork, plugin
async def fail():
    raise ValueError("what failed")
async def prepare(teardown: plugin.Teardown):
    teardown.add(asyncio.Event().wait)
    yield fail()
fork.stage(prepare, forks={forks}, graceful_timeout=0.5, max_failures=1)
"""
    )

    assert program.wait() == (137 if forks == 1 else 1)
    # What it failed of is not lost with it.
    assert "ValueError: what failed" in program.output
    if forks == 1:
        assert "does not end within graceful_timeout, 3 s" in program.output
    else:
        assert "does not end in time. It is killed" in program.output
        assert "Worker 1 hung" in program.output or "Worker 2 hung" in (
            program.output
        )


def test_a_thread_that_outlives_the_stage(start) -> None:
    """What a stage that ended by itself has left is the caller's."""
    program = start(
        """
import asyncio, threading
from buvar import fork
async def prepare():
    threading.Thread(target=go_on).start()
    yield asyncio.sleep(0)
ended = threading.Event()
def go_on():
    ended.wait()
    import time
    time.sleep(4)  # longer than the bound
    print("went on", flush=True)
fork.stage(prepare, forks=1, graceful_timeout=0)
ended.set()
"""
    )

    assert program.wait() == 0
    assert "went on" in program.output


def test_what_failed_first() -> None:
    """A plugin that failed counts if the stage never runs, a task always."""
    first, second = ValueError("first"), ValueError("second")
    running = plugin.StateChanged(plugin.State.RUNNING)
    cases: list[tuple[list[plugin.Event], Exception | None]] = [
        ([plugin.PluginFailed("a", 0.1, first)], first),
        ([plugin.PluginFailed("a", 0.1, first), running], None),
        ([running, plugin.PluginFailed("a", 0.1, first)], None),
        (
            [
                running,
                plugin.TaskEnded("a", "t", None),
                plugin.TaskEnded("a", "t", asyncio.CancelledError()),
                plugin.TaskEnded("a", "t", first),
                plugin.TaskEnded("a", "t", second),
            ],
            first,
        ),
    ]
    for events, expected in cases:
        failure = FirstFailure()
        for event in events:
            failure.hear(event)
        assert failure.error is expected
