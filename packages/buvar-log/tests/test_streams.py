"""Outputs that work: files, streams, several processes."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys

import pytest

from buvar import log


posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")


def parse(text):
    return [json.loads(line) for line in text.splitlines()]


def test_a_stream_of_another_encoding(monkeypatch):
    """A stream that cannot say a letter gets it escaped."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    monkeypatch.setattr(sys, "stderr", stream)
    log.setup_logging(tty=False)
    logging.getLogger("x").info("grün")
    assert json.loads(raw.getvalue())["event"] == "grün"


def test_what_was_printed_comes_before(run):
    """On standard output lines keep their order with prints."""
    done = run(
        "import logging\n"
        "from buvar import log\n"
        "log.setup_logging(tty=False, output='stdout')\n"
        "for number in range(3):\n"
        "    print(number)\n"
        "    logging.getLogger('x').info(str(number))\n"
    )
    lines = done.stdout.splitlines()
    assert lines[::2] == ["0", "1", "2"]
    assert [json.loads(line)["event"] for line in lines[1::2]] == lines[::2]


def test_a_file_is_appended_to(tmp_path):
    """Lines are added to what the file has."""
    path = tmp_path / "app.log"
    for text in ("a", "b"):
        log.setup_logging(output=str(path))
        logging.getLogger("x").info(text)
        log.reset()
    assert [e["event"] for e in parse(path.read_text())] == ["a", "b"]


def test_a_closed_handler_loses_events_only(tmp_path):
    """A handler used after its end raises nothing."""
    handler = log.OutputHandler(str(tmp_path / "app.log"))
    handler.close()
    handler.close()
    record = logging.LogRecord("x", 20, "", 0, "a", (), None)
    handler.handle(record)
    assert (tmp_path / "app.log").read_text() == ""


@pytest.mark.parametrize("output", ["", "/no/such/folder/app.log"])
def test_a_file_that_cannot_be_opened(output):
    """The error names the path and the reason."""
    with pytest.raises(log.LogConfigError) as caught:
        log.setup_logging(output=output)
    assert caught.value.path == "output"
    assert "No such file or directory" in str(caught.value)


@posix
def test_events_of_processes_do_not_mix(tmp_path, run):
    """Lines of several processes in one pipe are whole."""
    done = run(
        "import logging, os, sys\n"
        "from buvar import log\n"
        "log.setup_logging(tty=False, write_timeout=10)\n"
        "pids = []\n"
        "for _ in range(4):\n"
        "    pid = os.fork()\n"
        "    if not pid:\n"
        "        for number in range(500):\n"
        "            logging.getLogger('x').info('x' * 1000)\n"
        "        os._exit(0)\n"
        "    pids.append(pid)\n"
        "for pid in pids: os.waitpid(pid, 0)\n"
    )
    events = parse(done.stderr)
    assert len(events) == 2_000
    assert len({event["pid"] for event in events}) == 4


def test_a_handler_that_could_not_be_made():
    """It is not there at the end of the process either."""
    program = """
from buvar import log
try:
    log.OutputHandler("/no/such/folder/app.log")
except OSError as error:
    kept = error
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stderr == ""
