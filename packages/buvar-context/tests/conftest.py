"""What several tests of this package need."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import typing as t

import pytest

from buvar import context
from buvar import plugin
from buvar.plugin import LayerClosed
from buvar.plugin import LayerOpened


def _eager() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_task_factory(asyncio.eager_task_factory)
    return loop


def _uvloop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


LOOPS: dict[str, t.Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": _uvloop,
}
if sys.version_info >= (3, 12):
    LOOPS["eager"] = _eager


@pytest.fixture(params=LOOPS)
def loop_factory(request):
    """Make each kind of event loop there is."""
    if request.param == "uvloop":
        # Skipped here: later a coroutine may be there that is never awaited.
        pytest.importorskip("uvloop")
    return LOOPS[request.param]


class Script:
    """A program in a process of its own."""

    def __init__(self, path, code: str, *, measured: bool) -> None:
        env = {**os.environ, "PYTHONUNBUFFERED": "1"}
        if not measured:
            # Coverage's own locks do not survive a fork among threads.
            env = {k: v for k, v in env.items() if "COV" not in k}
        path.write_text(textwrap.dedent(code))
        self.process = subprocess.Popen(
            [sys.executable, "-X", "dev", "-W", "error", str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=env,
            cwd=path.parent,
            start_new_session=True,
        )
        # Reading what it prints has no bound of its own.
        self.bound = threading.Timer(60, self.kill)
        self.bound.start()

    def kill(self) -> None:
        """Kill it, with all that it forked, which holds its pipes as well."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)

    def expect(self, line: str) -> None:
        """Wait until the program prints a line."""
        got = self.process.stdout.readline().strip()
        assert got == line, got or self.process.stderr.read()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> tuple[int, str, str]:
        """Wait for its end, return exit code and outputs."""
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


@pytest.fixture
def script(tmp_path):
    """Start programs, and leave none behind."""
    started: list[Script] = []

    def start(code: str, *, measured: bool = True) -> Script:
        path = tmp_path / f"script{len(started)}.py"
        started.append(Script(path, code, measured=measured))
        return started[-1]

    yield start
    for one in started:
        one.bound.cancel()
        one.kill()
        one.process.communicate()


@pytest.fixture
def stage_error():
    """Return the one error of a stage, which still tears down."""

    def run(*plugins, **options):
        calls = []

        async def first(teardown: plugin.Teardown):
            teardown.add(calls.append, "down")
            yield asyncio.sleep(0)

        with pytest.raises(ExceptionGroup) as info:
            plugin.stage(first, *plugins, **options)
        (error,) = info.value.exceptions
        assert calls == ["down"]
        return error

    return run


@pytest.fixture(scope="session")
def observed():
    """Run a stage for a block, whose layers are told."""

    @contextlib.asynccontextmanager
    async def run():
        events = []

        async def listening() -> None:
            plugin.listen(events.append, LayerOpened, LayerClosed)

        async with plugin.Stage(listening):
            yield events

    return run


@pytest.fixture(scope="session")
def ends():
    """Return what came out of layers, once each is told of rightly."""

    def check(events) -> list[BaseException | None]:
        opened = [e for e in events if isinstance(e, LayerOpened)]
        closed = [e for e in events if isinstance(e, LayerClosed)]
        assert len(opened) + len(closed) == len(events)
        assert len({id(e.layer) for e in opened}) == len(opened)
        assert sorted(map(id, opened)) == sorted(id(e.opened) for e in closed)
        places = {id(event): place for place, event in enumerate(events)}
        for event in closed:
            assert places[id(event.opened)] < places[id(event)]
            assert event.seconds >= 0
            with pytest.raises(context.LayerEndedError):
                event.opened.layer.add("too late")
        return [e.error for e in closed]

    return check
