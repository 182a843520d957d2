"""``buvar_service``: services in processes of their own."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import sys
import urllib.request

from pathlib import Path

import pytest

from buvar import config
from buvar import context
from buvar import plugin
from buvar.testing import _processes as processes
from buvar.testing._start import UnreachablePluginError
from buvar.testing.services import ServiceError


pytest_plugins = ["pytester"]
fork = pytest.importorskip("buvar.fork")


async def serve(body: str) -> None:
    """Answer each request with a text, drain on ``Cancel``."""
    cancel = context.get(plugin.Cancel)
    (shared,) = context.find(fork.Socket).values()

    async def handle(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: "
        writer.write(f"{head}{len(body)}\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, sock=shared.sock)
    await cancel.wait()
    server.close()


async def prepare():
    sys.stdout.write("preparing\n")
    yield serve(str(os.getpid()))


async def prepare_configured():
    yield serve(str(dict(context.get(config.ConfigSource))))


async def prepare_broken():
    raise RuntimeError("It cannot be prepared.")


async def prepare_leaver():
    yield asyncio.sleep(0)


PROGRAM = """
import http.server, subprocess, sys
if len(sys.argv) > 2:
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
server = http.server.HTTPServer(
    ("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler)
print("serving")
server.serve_forever()
"""


def ask(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as response:  # noqa: S310 - ours
        return response.read().decode()


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


@pytest.mark.parametrize("forks", [1, 2])
def test_it_serves_when_it_is_returned(buvar_service, forks):
    """A service is ready, on a free port, in a process of its own."""
    service = buvar_service(prepare, forks=forks)

    served_by = int(ask(service.url))
    if forks == 1:
        assert served_by == service.pid
    else:
        assert served_by in service.workers()
        assert len(service.workers()) == forks
    assert service.output.count("preparing") == forks
    assert "READY=1" in service.notices
    assert service.stop() == 0
    assert service.exit_code == 0


def test_several_at_once(buvar_service):
    """Two services have ports of their own."""
    services = [buvar_service(prepare), buvar_service(f"{__name__}:prepare")]

    assert [int(ask(one.url)) for one in services] == [
        one.pid for one in services
    ]


@pytest.mark.buvar_config({"web": {"name": "a", "size": 1}})
def test_configuration_and_environment(buvar_service):
    """It has the configuration of the test, and its own above that."""
    service = buvar_service(
        prepare_configured,
        config=[{"web": {"size": 2}}, "web.more=x"],
        env={"APP_WEB_NAME": "b"},
        env_prefix="APP",
    )

    assert "'size': 2" in ask(service.url)
    assert "'more': 'x'" in ask(service.url)


def test_reload(buvar_service):
    """A reload has ended when it returns: other workers serve."""
    service = buvar_service(prepare, forks=2)
    before = service.workers()

    service.reload()

    service.until(lambda: len(service.workers()) == 2)
    assert not {*before} & {*service.workers()}


def test_program(buvar_service, program):
    """A program file gets a free port, and says by a text that it serves."""
    service = buvar_service.program(program, "{port}", ready="serving")

    assert "Directory listing" in ask(service.url)
    assert service.stop() == -signal.SIGTERM


def test_program_with_a_condition(buvar_service, program):
    """A condition may tell that a program is ready."""
    service = buvar_service.program(
        program, "{port}", ready=lambda one: "serving" in one.output
    )

    assert service.exit_code is None


def test_a_service_that_cannot_start_shows_why(buvar_service):
    """What ends before it is ready is an error that shows its output."""
    with pytest.raises(ServiceError) as caught:
        buvar_service(prepare_broken)

    assert "ended with exit code" in caught.value.reason
    assert "It cannot be prepared." in str(caught.value)


def test_a_service_that_is_not_ready_in_time(buvar_service, program):
    """What does not become ready in time is an error, and ends."""
    with pytest.raises(ServiceError, match=r"ready within 0\.5 s"):
        buvar_service.program(program, "{port}", timeout=0.5)


def test_a_service_that_ends_unasked_is_an_error(buvar_service):
    """A service that leaves during a test is an error when it ends."""
    service = buvar_service(prepare_leaver)
    service.until(lambda: service.exit_code is not None)

    with pytest.raises(ServiceError, match="though nothing asked it to"):
        buvar_service.close()
    assert service.wait() == 0  # Now it is expected.


def test_what_it_started_ends_too(buvar_service, program):
    """A child with a session of its own does not survive the test."""
    service = buvar_service.program(
        program, "{port}", "child", ready="serving"
    )
    (child,) = service.workers()
    assert os.getsid(child) == child

    service.stop()
    assert processes.running(child)
    buvar_service.close()

    assert not processes.running(child)


def test_it_ends_with_the_process_of_the_tests(pytester, forked):
    """Tests that are killed leave no service behind."""
    pytester.makeini(
        "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
    )
    pytester.makepyfile(
        test_it=f"""
        import pathlib, os, time
        PROGRAM = {PROGRAM!r}
        def test_killed(buvar_service, tmp_path):
            path = tmp_path / "program.py"
            path.write_text(PROGRAM)
            service = buvar_service.program(path, "{{port}}", ready="serving")
            pathlib.Path("pid").write_text(str(service.pid))
            os.kill(os.getpid(), 9)
        """
    )

    forked()

    pid = int(Path(pytester.path, "pid").read_text())
    assert processes.poll(lambda: not processes.running(pid), 20)


def test_output_is_shown_when_the_test_fails(pytester, forked):
    """The report of a failed test has the output of its services."""
    pytester.makeini(
        "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
    )
    pytester.makepyfile(
        test_it=f"""
        PROGRAM = {PROGRAM!r}
        def test_fails(buvar_service, tmp_path):
            path = tmp_path / "program.py"
            path.write_text(PROGRAM)
            buvar_service.program(path, "{{port}}", ready="serving")
            assert False
        """
    )

    result = forked()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*output of program.py*", "serving"])


def test_a_local_function_is_refused(buvar_service):
    """Another process cannot find a function within a function."""

    async def local():
        yield serve("")

    with pytest.raises(UnreachablePluginError, match="top of a module"):
        buvar_service(local)


def test_what_json_cannot_say_is_refused(buvar_service):
    """A configuration that another process cannot read is an error."""
    with pytest.raises(TypeError, match="JSON"):
        buvar_service(prepare, config={"web": {"path": Path()}})


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), -math.inf])
def test_a_bound_that_is_none_is_refused(
    buvar_service, buvar_run, program, timeout
):
    """A time-out is some seconds."""
    with pytest.raises(ValueError, match="seconds above 0"):
        buvar_run(timeout=timeout)
    with pytest.raises(ValueError, match="seconds above 0"):
        buvar_service(prepare, timeout=timeout)
    with pytest.raises(ValueError, match="seconds above 0"):
        buvar_service.program(program, timeout=timeout)
