"""Outputs that fail cost events, never the application."""

from __future__ import annotations

import io
import json
import logging
import os
import select
import subprocess
import sys

import pytest

from buvar import log
from buvar.log import _output


def parse(text):
    return [json.loads(line) for line in text.splitlines()]


posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")

PROGRAM = """
import logging, sys, time, structlog
from buvar import log
log.setup_logging(tty=False, **{settings})
logger = logging.getLogger("x")
started = time.monotonic()
for number in range(1000):
    logger.info("filler " + "x" * 200, extra={{"n": number}})
    structlog.get_logger("x").info("also")
spent = time.monotonic() - started
sys.stdout.write(f"alive after {{spent:.3f}}")
"""


def program(**settings):
    return PROGRAM.format(settings=settings)


@posix
@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_standard_error_closed_or_full(run, tmp_path, redirection):
    """Without a working standard error the program runs on."""
    path = tmp_path / "app.py"
    path.write_text(program())
    done = subprocess.run(  # noqa: S602 - the shell redirects
        f"{sys.executable} {path} {redirection}",
        shell=True,
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stdout.startswith("alive after ")
    assert done.returncode == 0


@posix
@pytest.mark.parametrize("settings", [{}, {"output": "stdout"}])
def test_a_broken_pipe(run, settings):
    """A reader that has gone away does not end the program."""
    reading, writing = os.pipe()
    os.close(reading)
    target = "stdout" if settings else "stderr"
    kw = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    kw |= {target: writing}
    text = program(**settings) + "import os\nos._exit(42)\n"
    text = text.replace("sys.stdout.write", "str")
    done = run(text, capture_output=False, **kw)
    os.close(writing)
    assert done.returncode == 42
    if settings:
        # Standard error says, once, that standard output fails.
        (event,) = parse(done.stderr)
        assert event["event"] == "log output fails"
        assert event["output"] == "stdout"
        assert event["error"].startswith("BrokenPipeError")


@posix
def test_a_pipe_nobody_reads(run):
    """A full pipe is waited for once, then events are dropped."""
    reading, writing = os.pipe()
    done = run(
        program(write_timeout=0.2),
        capture_output=False,
        stdout=subprocess.PIPE,
        stderr=writing,
    )
    spent = float(done.stdout.removeprefix("alive after "))
    assert 0.2 <= spent < 5
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as reader:
        lines = reader.read().splitlines()
    # All but perhaps the last line are whole.
    assert all(json.loads(line) for line in lines[:-1])


@posix
@pytest.mark.parametrize("nowait", [True, False])
def test_a_pipe_that_is_read_again(nowait, monkeypatch):
    """When the pipe is read again it says how many events were lost."""
    reading, writing = os.pipe()
    output = os.fdopen(writing, "w", encoding="utf-8")
    monkeypatch.setattr(sys, "stderr", output)
    if not nowait:
        monkeypatch.setattr(_output, "_NOWAIT", 0)
    log.setup_logging(tty=False, write_timeout=0.01)
    logger = logging.getLogger("x")
    for number in range(2_000):
        logger.info("filler" * 20, extra={"n": number})
    got = drain(reading)
    logger.info("again")
    got += drain(reading)
    lines = got.decode().splitlines()
    whole = [json.loads(line) for line in lines if is_json(line)]
    assert len(whole) >= len(lines) - 1
    assert whole[-1]["event"] == "again"
    assert whole[-2]["event"] == "log events were lost"
    assert whole[-2]["error"].startswith("BlockingIOError")
    assert whole[-2]["lost"] + len(whole) - 2 == 2_000
    output.close()
    os.close(reading)


@posix
def test_a_line_cut_in_the_middle_spoils_no_other(monkeypatch):
    """After a line that was written in part the next starts anew."""
    reading, writing = os.pipe()
    output = os.fdopen(writing, "w", encoding="utf-8")
    monkeypatch.setattr(sys, "stderr", output)
    log.setup_logging(tty=False, write_timeout=0)
    logging.getLogger("x").info("x" * 1_000_000)
    got = drain(reading)
    logging.getLogger("x").info("again")
    got += drain(reading)
    first, *others = got.decode().splitlines()
    assert not is_json(first)
    assert [json.loads(line)["event"] for line in others] == [
        "log events were lost",
        "again",
    ]
    output.close()
    os.close(reading)


@posix
def test_a_slow_reader_gets_everything(monkeypatch, run):
    """A reader that is only slow loses nothing, long lines are whole."""
    text = (
        "import logging\n"
        "from buvar import log\n"
        "log.setup_logging(tty=False, write_timeout=20)\n"
        "for number in range(20):\n"
        "    logging.getLogger('x').info('x' * 100_000)\n"
    )
    done = run(text)
    assert len(parse(done.stderr)) == 20


def drain(fd):
    """Read what is in a pipe."""
    got = b""
    while select.select([fd], [], [], 0)[0]:
        got += os.read(fd, 65_536)
    return got


def is_json(line):
    try:
        return bool(json.loads(line))
    except ValueError:
        return False


@posix
def test_a_full_disk_is_reported_on_standard_error(events):
    """Another output that fails is reported, not more often than needed."""
    log.setup_logging(tty=False, output="/dev/full")
    for _ in range(100):
        logging.getLogger("x").info("a")
    (event,) = events()
    assert (event["logger"], event["level"]) == ("buvar.log", "warning")
    assert (event["event"], event["lost"]) == ("log output fails", 1)
    assert "No space left" in event["error"]


@posix
def test_nowhere_to_complain(monkeypatch):
    """With standard error gone, too, nothing is said and nothing raised."""
    monkeypatch.setattr(sys, "stderr", None)
    log.setup_logging(output="/dev/full")
    logging.getLogger("x").info("a")


def test_reports_are_limited(monkeypatch):
    """A stream that fails now and then does not fill the log with reports."""

    class Flaky(io.StringIO):
        turn = 0

        def write(self, text):
            self.turn += 1
            if self.turn % 3 == 0:
                raise OSError("flaky")
            return super().write(text)

    stream = Flaky()
    monkeypatch.setattr(sys, "stderr", stream)
    log.setup_logging(tty=False)
    for _ in range(100):
        logging.getLogger("x").info("a")
    reports = [
        event
        for event in parse(stream.getvalue())
        if event["event"] == "log events were lost"
    ]
    assert len(reports) == 1


def test_a_stream_closed_later(monkeypatch, events):
    """A stream that somebody closes is left alone until it is replaced."""
    mine = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", mine)
        log.setup_logging(tty=False)
        logging.getLogger("x").info("a")
        assert len(parse(mine.getvalue())) == 1
        mine.close()
        logging.getLogger("x").info("lost")
    logging.getLogger("x").info("b")
    lost, last = events()
    assert (lost["event"], lost["lost"]) == ("log events were lost", 1)
    assert lost["error"] == "ValueError: stderr is closed"
    assert last["event"] == "b"


def test_a_closed_descriptor(run):
    """A descriptor closed below the stream is survived."""
    done = run(
        "import logging, os\n"
        "from buvar import log\n"
        "log.setup_logging(tty=False)\n"
        "logging.getLogger('x').info('a')\n"
        "os.close(2)\n"
        "logging.getLogger('x').info('b')\n"
        "os._exit(0)\n"
    )
    assert done.returncode == 0
    assert len(parse(done.stderr)) == 1
