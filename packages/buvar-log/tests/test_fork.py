"""Forked processes log, too."""

from __future__ import annotations

import json
import os

import pytest


pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="there is no fork"
)


def parse(text):
    return [json.loads(line) for line in text.splitlines()]


FORKING = """
import logging, os, signal, sys, threading, time, warnings
import structlog
from buvar import log
warnings.simplefilter("ignore", DeprecationWarning)
log.setup_logging(tty=False, write_timeout=20)
stop = threading.Event()

class Slow:
    def __repr__(self):
        return "slow" * 100

def work():
    while not stop.is_set():
        logging.getLogger("thread").info("busy", extra={"slow": Slow()})
        structlog.get_logger("thread").info("busy", slow=Slow())

threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
failed = 0
for number in range(40):
    pid = os.fork()
    if not pid:
        signal.alarm(10)
        logging.getLogger("child").info("a", extra={"number": number})
        structlog.get_logger("child").info("b", number=number)
        os._exit(0)
    sys.stdout.write(f"{pid}\\n")
    failed += os.waitpid(pid, 0)[1] != 0
stop.set()
for thread in threads: thread.join()
sys.exit(failed)
"""


def test_a_fork_amid_threads_that_log(run):
    """No child inherits a held lock; each says its own process id."""
    # Coverage holds a lock of its own over the fork, which hangs the child.
    quiet = {k: v for k, v in os.environ.items() if "COVERAGE" not in k}
    done = run(FORKING, env=quiet)
    assert done.returncode == 0
    pids = [int(line) for line in done.stdout.split()]
    children = [e for e in parse(done.stderr) if e["logger"] == "child"]
    assert [e["pid"] for e in children] == [p for p in pids for _ in "ab"]
    assert [e["number"] for e in children] == [
        number for number in range(40) for _ in "ab"
    ]


def test_an_open_line_is_printed_once(run):
    """A line printed in part before a fork is the parent's."""
    done = run(
        "import os\n"
        "from buvar import log\n"
        "log.setup_logging(tty=False, redirect_print=True)\n"
        "print('begun', end='')\n"
        "pid = os.fork()\n"
        "if pid:\n"
        "    os.waitpid(pid, 0)\n"
        "    print(' by the parent')\n"
        "else:\n"
        "    print('by the child')\n"
    )
    assert [event["event"] for event in parse(done.stderr)] == [
        "by the child",
        "begun by the parent",
    ]


def test_a_child_that_prints_nothing_repeats_nothing(run):
    """At its exit a child does not log what its parent began."""
    done = run(
        "import os\n"
        "from buvar import log\n"
        "log.setup_logging(tty=False, redirect_print=True)\n"
        "print('begun', end='')\n"
        "pid = os.fork()\n"
        "if pid:\n"
        "    os.waitpid(pid, 0)\n"
    )
    assert [event["event"] for event in parse(done.stderr)] == ["begun"]


def test_losses_are_counted_per_process(run):
    """A child does not report what its parent lost."""
    done = run(
        "import io, logging, os, sys\n"
        "from buvar import log\n"
        "log.setup_logging(tty=False)\n"
        "real, sys.stderr = sys.stderr, None\n"
        "logging.getLogger('x').info('lost')\n"
        "sys.stderr = real\n"
        "pid = os.fork()\n"
        "if pid: os.waitpid(pid, 0)\n"
        "logging.getLogger('x').info('a')\n"
    )
    assert [event["event"] for event in parse(done.stderr)] == [
        "a",
        "log events were lost",
        "a",
    ]
