"""A second Ctrl-C ends the process, whatever it does."""

from __future__ import annotations

import pathlib
import signal
import sys
import time

import pytest


pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="the signals of POSIX"
)

#: Seconds: a bound, of which two are promised.
BOUND = 20

HEAD = """
    import asyncio, threading, time
    from buvar import context, plugin
    def begin(*args):
        print("busy", flush=True)
        return args
    async def swallow():
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                pass
"""
#: On a busy machine a teardown may not be done in two seconds.
PATIENT = """
    from buvar.plugin import _interrupts
    _interrupts.FORCE = 10
"""
TAIL = """
    plugin.stage(prepare, {options})
"""
#: What a process may be doing, and whether its teardown can run.
BUSY = {
    "a task that swallows its cancellation": """
    async def prepare(teardown: plugin.Teardown):
        teardown.add(print, "down")
        yield swallow()
        yield asyncio.to_thread(begin)
    """,
    "a task that blocks the loop": """
    async def block():
        begin()
        time.sleep(60)
    async def prepare(teardown: plugin.Teardown):
        teardown.add(print, "down")
        yield block()
    """,
    "a task that computes": """
    async def compute():
        begin()
        while True:
            pass
    async def prepare(teardown: plugin.Teardown):
        teardown.add(print, "down")
        yield compute()
    """,
    "an import": """
    async def prepare(teardown: plugin.Teardown, load: plugin.Loader):
        teardown.add(print, "down")
        await load("slow")
    """,
    "a thread of the executor": """
    async def serve():
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, lambda: begin() or time.sleep(60))
        loop.run_in_executor(None, time.sleep, 60)
        await context.get(plugin.Cancel).wait()
    async def prepare(teardown: plugin.Teardown):
        teardown.add(print, "down")
        yield serve()
    """,
    "a teardown that blocks": """
    async def prepare(teardown: plugin.Teardown):
        teardown.add(print, "down")
        teardown.add(lambda: begin() and None or time.sleep(60))
    """,
}
#: The same where nothing can be torn down any more.
STUCK = {
    "a plugin that swallows its cancellation": """
    async def prepare():
        begin()
        await swallow()
    """,
    "a teardown that swallows its cancellation": """
    async def prepare(teardown: plugin.Teardown):
        teardown.add(swallow)
        teardown.add(begin)
    """,
    "code that swallows the interrupt": """
    async def block():
        begin()
        while True:
            try:
                time.sleep(1)
            except BaseException:
                pass
    async def prepare():
        yield block()
    """,
}


def threads(program) -> int:
    """Count the threads of a program, where the system tells."""
    task = pathlib.Path(f"/proc/{program.process.pid}/task")
    return len(list(task.iterdir())) if task.exists() else -1


def press_first(program) -> None:
    """
    Press Ctrl-C until it is taken: there is the thread that watches then.

    Two signals are one to a process that did not run meanwhile. One that
    arrives just before a call blocks is not taken before that returns.
    """
    before = threads(program)
    end = time.monotonic() + 15
    while True:
        program.signal(signal.SIGINT)
        again = time.monotonic() + 1
        while threads(program) == before > 0 and time.monotonic() < again:
            time.sleep(0.005)
        if threads(program) != before or before < 0:
            return
        assert time.monotonic() < end


@pytest.fixture
def press(script, tmp_path):
    """Run a program, press Ctrl-C twice, return how it ended."""
    tmp_path.joinpath("slow.py").write_text(
        "import time\nprint('busy', flush=True)\ntime.sleep(60)\n"
    )

    def run(code: str, *, pause: float = 0.3, options: str = ""):
        program = script(HEAD + code + TAIL.format(options=options))
        program.expect("busy")
        press_first(program)
        # How fast a user presses is what varies here.
        time.sleep(pause)
        start = time.monotonic()
        program.signal(signal.SIGINT)
        code_, out, err = program.end()
        assert time.monotonic() - start < BOUND
        return code_, out, err

    return run


@pytest.mark.parametrize("pause", [0.02, 0.5])
@pytest.mark.parametrize("busy", BUSY)
def test_with_teardown(press, busy, pause):
    """Where the process can be interrupted its teardown runs."""
    code, out, _ = press(PATIENT + BUSY[busy], pause=pause)
    assert code != 0
    assert out.endswith("down\n")


def test_interrupted_once(press):
    """What was interrupted may tidy up, before it is done once more."""
    code, out, _ = press(
        PATIENT
        + """
    async def block():
        begin()
        try:
            time.sleep(60)
        finally:
            time.sleep(0.2)
            print("tidy")
    async def prepare():
        yield block()
    """,
        pause=0.5,
    )
    assert code != 0
    assert out.endswith("tidy\n")


@pytest.mark.parametrize("busy", STUCK)
def test_by_force(press, busy):
    """Else it is ended by force, and says what it waited for."""
    code, _, err = press(STUCK[busy])
    assert code == 130
    assert "The process is ended by force: it waited for" in err


def test_without_handlers(press):
    """Python's own handler counts as well."""
    busy = BUSY["a task that swallows its cancellation"]
    code, out, _ = press(busy, options="signals=None")
    assert code != 0
    assert out.endswith("down\n")


def test_a_blocked_loop_is_shown(script):
    """While it blocks, the first Ctrl-C says where."""
    program = script(
        HEAD + BUSY["a task that blocks the loop"] + TAIL.format(options="")
    )
    program.expect("busy")
    press_first(program)
    lines = read_until(program, "Press Ctrl-C again")
    assert "the event loop, which has been blocked" in lines[0]
    assert any("time.sleep(60)" in line for line in lines)
    program.signal(signal.SIGINT)
    assert program.end()[0] == -signal.SIGINT


@pytest.mark.parametrize(
    ("busy", "expected"),
    [
        ("a task that swallows its cancellation", "task '__main__:swallow'"),
        ("a thread of the executor", "thread 'asyncio_"),
    ],
)
def test_what_is_waited_for(script, busy, expected):
    """The first word comes soon, names it and says what to do."""
    program = script(HEAD + BUSY[busy] + TAIL.format(options=""))
    program.expect("busy")
    press_first(program)
    (line,) = read_until(program, "Ctrl-C again")
    assert line.startswith("Waiting for ")
    assert expected in line
    program.signal(signal.SIGINT)
    assert program.end()[0] != 0


def test_exit_timeout(script):
    """A service that does not end within its time is ended, and says why."""
    program = script(
        HEAD
        + BUSY["a thread of the executor"]
        + TAIL.format(options="exit_timeout=1")
    )
    program.expect("busy")
    program.signal(signal.SIGTERM)
    code, out, err = program.end()
    assert (code, out) == (1, "down\n")
    assert "ended by force: it waited for thread 'asyncio_" in err
    assert "which runs sleep()" in err


def test_an_own_handler_is_left_alone(script):
    """A subclass that does something else with INT is not interrupted."""
    program = script("""
        import asyncio
        from buvar import context, plugin
        class Signals(plugin.Signals):
            def handle_int(self):
                print("int", flush=True)
        async def serve():
            print("ready", flush=True)
            await context.get(plugin.Cancel).wait()
        async def prepare():
            yield serve()
        plugin.stage(prepare, signals=Signals)
    """)
    program.expect("ready")
    for _ in range(3):
        program.signal(signal.SIGINT)
        program.expect("int")
    program.signal(signal.SIGTERM)
    assert program.end() == (0, "", "")


def read_until(program, text: str) -> list[str]:
    """Read lines of its errors until one has that text."""
    lines = []
    while not lines or text not in lines[-1]:
        line = program.process.stderr.readline()
        assert line, lines
        lines.append(line)
    return lines
