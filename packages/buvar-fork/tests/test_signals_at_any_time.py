"""From the first resource to the end no signal has its default action."""

from __future__ import annotations

import os
import signal

import pytest


SLOW = """
import sys, time
print("importing", flush=True)
time.sleep({seconds})
async def serve():
    from buvar import context, plugin
    print("up", flush=True)
    await context.get(plugin.Cancel).wait()
async def prepare(): yield serve()
"""

STAGE = """
from buvar import fork
print("returned", fork.stage("slow", forks={forks}, sockets=["unix://sock"],
    pid_path="pid"))
"""


@pytest.fixture
def importing(start, tmp_path):
    """Start a service that is slow to import."""

    def importing(source: str = "", *, seconds: float = 60, forks: int = 2):
        source = source or SLOW.format(seconds=seconds)
        tmp_path.joinpath("slow.py").write_text(source)
        program = start(STAGE.format(forks=forks))
        program.until("importing")
        return program

    return importing


def _left(tmp_path) -> list[str]:
    return [name for name in ("sock", "pid") if (tmp_path / name).exists()]


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT]
)
def test_end_while_importing(importing, tmp_path, number) -> None:
    """A signal that ends interrupts the import, and leaves nothing."""
    program = importing()
    program.signal(number)

    assert program.wait() == 0
    assert "returned []" in program.output
    assert _left(tmp_path) == []


def test_end_while_importing_is_swallowed(importing, tmp_path) -> None:
    """A module that swallows the first signal is ended by the second."""
    program = importing(
        "import time\nprint('importing', flush=True)\n"
        "while True:\n"
        "    try:\n        time.sleep(60)\n"
        "    except BaseException: print('swallowed', flush=True)\n"
    )
    program.signal(signal.SIGTERM)
    program.until("swallowed")
    program.signal(signal.SIGTERM)

    assert program.wait() == 128 + signal.SIGTERM
    assert _left(tmp_path) == []


def test_end_after_it_was_swallowed(importing, tmp_path) -> None:
    """A signal that a module has swallowed still ends the service."""
    program = importing(
        "import time\nprint('importing', flush=True)\n"
        "try: time.sleep(60)\n"
        "except BaseException: pass\n"
        "async def prepare(): print('never prepared')\n"
    )
    program.signal(signal.SIGTERM)

    assert program.wait() == 0
    assert "never" not in program.output
    assert _left(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "workers"),
    [
        (signal.SIGHUP, 2),
        (signal.SIGUSR1, 2),
        (signal.SIGUSR2, 2),
        (signal.SIGWINCH, 2),
        (signal.SIGTTIN, 3),
        (signal.SIGTTOU, 1),
    ],
)
def test_others_while_importing(importing, number, workers) -> None:
    """What changes a service is done once it runs."""
    program = importing(seconds=0.5)
    program.signal(number)
    program.until("up", workers)

    assert program.stop() == 0
    assert program.output.count("up") == workers


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGHUP,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGTTIN,
        signal.SIGTTOU,
        signal.SIGWINCH,
    ],
)
def test_single_process_survives(importing, tmp_path, number) -> None:
    """With forks=1 they change nothing, before and while it runs."""
    program = importing(seconds=0.3, forks=1)
    program.signal(number)
    program.until("up")
    program.signal(number)

    if number == signal.SIGHUP:
        program.until("HUP is ignored: with forks=1", 2)
    assert program.stop() == 0
    assert _left(tmp_path) == []


def test_single_process_keeps_handlers(start) -> None:
    """With forks=1 the handlers of the program stay, in C, too."""
    program = start(
        """
import faulthandler, os, signal
from buvar import fork
signal.signal(signal.SIGUSR2, lambda *_: print("mine", flush=True))
faulthandler.register(signal.SIGUSR1)
async def task():
    os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR2)
async def prepare(): yield task()
fork.stage(prepare, forks=1)
print(signal.getsignal(signal.SIGHUP), signal.getsignal(signal.SIGTTOU))
"""
    )

    assert program.wait() == 0
    assert "most recent call first" in program.output
    assert "mine" in program.output
    assert f"{signal.SIG_DFL} {signal.SIG_DFL}" in program.output


@pytest.mark.parametrize("signals", ["", ", signals=None"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_single_process_cleans_up(start, tmp_path, signals, number) -> None:
    """With forks=1 TERM and QUIT end the stage, with its teardown."""
    program = start(
        f"""
import asyncio
from buvar import context, fork, plugin
async def serve():
    print("up", flush=True)
    await context.get(plugin.Cancel).wait()
async def prepare(teardown: plugin.Teardown):
    teardown.add(lambda: print("torn down"))
    yield serve()
fork.stage(prepare, forks=1, pid_path="pid", sockets=["unix://sock"]{signals})
print("returned")
"""
    )
    program.until("up")
    program.signal(number)

    assert program.wait() == 0
    assert "torn down\nreturned\n" in program.output
    assert _left(tmp_path) == []


@pytest.mark.parametrize("signals", ["", ", signals=None"])
@pytest.mark.parametrize("place", ["prepare", "serve"])
def test_single_process_stopped_in_a_step(start, place, signals) -> None:
    """A signal that comes while code of ours runs is not its failure."""
    program = start(
        f"""
import asyncio, signal
from buvar import context, fork, plugin
async def serve():
    if {place!r} == "serve":
        signal.raise_signal(signal.SIGTERM)
    await context.get(plugin.Cancel).wait()
async def prepare(teardown: plugin.Teardown):
    teardown.add(lambda: print("torn down"))
    if {place!r} == "prepare":
        signal.raise_signal(signal.SIGTERM)
    yield serve()
fork.stage(prepare, forks=1{signals})
print("returned")
"""
    )
    assert program.wait() == 0
    assert "torn down\nreturned\n" in program.output
    assert "Traceback" not in program.output


@pytest.mark.parametrize("signals", ["Signals", "None"])
@pytest.mark.parametrize(
    "point",
    [
        "swallowed while listening",
        "signals are made",
        "loop is made",
        "loop begins",
    ],
)
def test_single_process_stopped_before_it_runs(
    start, tmp_path, point, signals
) -> None:
    """A signal that comes on the way into the loop is not lost."""
    program = start(
        f"""
import asyncio, logging, signal
from buvar import context, fork, plugin
logging.basicConfig(level="INFO", format="%(message)s")
POINT = {point!r}
def reach(point):
    if point == POINT:
        print("reached", flush=True)
        signal.raise_signal(signal.SIGTERM)
class Listening(logging.Handler):
    def emit(self, record):
        try: reach("swallowed while listening")
        except BaseException: print("swallowed", flush=True)
logging.getLogger("buvar.fork").addHandler(Listening())
class Signals(plugin.Signals):
    def __init__(self, stop):
        super().__init__(stop)
        reach("signals are made")
def make_loop():
    reach("loop is made")
    loop = asyncio.new_event_loop()
    loop.call_soon(reach, "loop begins")
    return loop
async def prepare():
    print("never prepared", flush=True)
    yield context.get(plugin.Cancel).wait()
print("returned", fork.stage(prepare, forks=1, sockets=["unix://sock"],
    pid_path="pid", signals={signals}, loop_factory=make_loop))
"""
    )
    expected = (signals, point) != ("None", "signals are made")
    if not expected:
        program.until("ready")
        program.signal(signal.SIGTERM)

    assert program.wait() == 0
    assert ("reached" in program.output) is expected
    assert ("never" in program.output) is not expected
    assert program.output.endswith("returned []\n") is expected
    assert "Traceback" not in program.output
    assert _left(tmp_path) == []


def test_quit_does_not_wait_in_a_single_process(start) -> None:
    """With forks=1 QUIT is as a second signal: tasks are cancelled."""
    program = start(
        """
import asyncio
from buvar import fork
async def task():
    print("running", flush=True)
    try:
        await asyncio.Future()
    finally:
        print("cancelled", flush=True)
async def prepare(): yield task()
fork.stage(prepare, forks=1)
"""
    )
    program.until("running")
    program.signal(signal.SIGQUIT)
    assert program.process.wait(10) == 0
    assert "cancelled" in program.output


def test_signals_of_others(start) -> None:
    """Signals that somebody else handles are none of the supervisor's."""
    program = start(
        """
import os, signal
from buvar import context, fork, plugin
for number in (signal.SIGRTMIN + 5, signal.SIGALRM, signal.SIGPIPE):
    signal.signal(number, lambda *_: print("theirs", flush=True))
async def serve():
    print("up", flush=True)
    await context.get(plugin.Cancel).wait()
async def prepare(): yield serve()
fork.stage(prepare, forks=2)
"""
    )
    program.until("up", 2)
    for count, number in enumerate(
        (signal.SIGRTMIN + 5, signal.SIGALRM, signal.SIGPIPE), start=1
    ):
        program.signal(number)
        program.until("theirs", count)

    assert program.stop() == 0


STUBBORN = """
import asyncio, time
from buvar import fork
async def task():
    print("running", flush=True)
    {wait}
async def prepare(): yield task()
fork.stage(prepare, forks=2)
"""


@pytest.mark.parametrize(
    "wait",
    [
        "time.sleep(60)",
        "asyncio.get_running_loop().run_in_executor(None, time.sleep, 60)",
        """while True:
        try: await asyncio.sleep(60)
        except asyncio.CancelledError: pass""",
    ],
    ids=["blocked", "thread", "ignores its end"],
)
def test_second_signal_always_ends(start, wait) -> None:
    """A second signal ends all within two seconds, whatever blocks it."""
    program = start(STUBBORN.format(wait=wait))
    program.until("running", 2)
    program.signal(signal.SIGINT)
    program.until(r"Waiting for worker 1 .*; a second Ctrl-C ends them")
    program.signal(signal.SIGINT)

    # Two seconds, and some for a machine that is busy.
    assert program.process.wait(5) in (0, 128 + signal.SIGKILL)


def test_exit_in_a_task(start, eventually) -> None:
    """A library that exits with 0 takes no worker away for good."""
    program = start(
        """
import asyncio, signal, sys
from buvar import context, fork, plugin
class Signals(plugin.Signals):
    def handle_usr1(self): sys.exit(0)
async def serve():
    print("up", flush=True)
    await context.get(plugin.Cancel).wait()
async def prepare(): yield serve()
fork.stage(prepare, forks=2, signals=Signals, stable_after=0.01)
"""
    )
    program.until("up", 2)
    os.kill(program.workers()[0], signal.SIGUSR1)
    program.until("is started again in")
    program.until("up", 3)
    eventually(lambda: len(program.workers()) == 2)
    program.signal(signal.SIGUSR1)
    program.until("up", 5)

    assert program.stop() == 0
    assert "SystemExit: 0" in program.output
