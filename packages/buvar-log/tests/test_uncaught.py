"""Exceptions nobody caught are logged."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading

import pytest

from buvar import log


HEAD = """
import asyncio, gc, logging, sys, threading
from buvar import log
log.setup_logging(tty=False)
"""


def events_of(done):
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_the_main_thread(run):
    """The exception that ends the program is its last event."""
    done = run(HEAD + "1 / 0")
    (event,) = events_of(done)
    assert done.returncode == 1
    assert event["level"] == "critical"
    assert event["event"] == "uncaught exception"
    assert event["exception"][0]["exc_type"] == "ZeroDivisionError"


def test_a_thread(run):
    """The exception that ends a thread names the thread."""
    done = run(
        HEAD
        + "def work(): 1 / 0\n"
        + "def leave(): sys.exit(3)\n"
        + "for func in (work, leave):\n"
        + "    thread = threading.Thread(target=func, name='worker')\n"
        + "    thread.start(); thread.join()\n"
    )
    (event,) = events_of(done)
    assert done.returncode == 0
    assert event["thread_name"] == "worker"
    assert event["exception"][0]["exc_type"] == "ZeroDivisionError"


def test_a_task_nobody_awaits(run):
    """What asyncio's exception handler says goes the same way."""
    done = run(
        HEAD
        + "async def fail(): 1 / 0\n"
        + "async def main():\n"
        + "    asyncio.ensure_future(fail())\n"
        + "    await asyncio.sleep(0)\n"
        + "    gc.collect()\n"
        + "    asyncio.get_running_loop().call_soon(lambda: [][0])\n"
        + "    await asyncio.sleep(0)\n"
        + "asyncio.run(main())\n"
    )
    events = events_of(done)
    assert {event["logger"] for event in events} == {"asyncio"}
    assert {event["exception"][0]["exc_type"] for event in events} == {
        "ZeroDivisionError",
        "IndexError",
    }


def test_a_finalizer(run):
    """An exception in __del__ is logged with the text of its object."""
    done = run(
        HEAD + "class Bad:\n"
        "    def __del__(self): 1 / 0\n"
        "bad = Bad()\n"
        "del bad\n"
        "gc.collect()\n"
    )
    (event,) = events_of(done)
    assert event["event"] == "unraisable exception"
    assert "__del__" in event["where"] + event.get("object", "")
    assert event.get("object") != "None"
    assert event["exception"][0]["exc_type"] == "ZeroDivisionError"


def test_a_finalizer_at_the_end(run):
    """At the end of the interpreter the message is Python's own."""
    done = run(
        HEAD + "class Bad:\n"
        "    def __del__(self):\n"
        "        raise ValueError('at the end')\n"
        "bad = Bad()\n"
    )
    assert done.returncode == 0
    assert "at the end" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_the_user_interrupts(run):
    """Control-C is no error of the program."""
    done = run(HEAD + "import os, signal\nos.kill(os.getpid(), signal.SIGINT)")
    assert done.returncode == -signal.SIGINT
    assert done.stderr.endswith("KeyboardInterrupt\n")
    assert "uncaught" not in done.stderr


def test_without_standard_error_the_exit_code_stays(run):
    """An uncaught exception that cannot be logged still ends with 1."""
    done = run(
        HEAD + "sys.stderr.close(); 1 / 0",
        stderr=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        capture_output=False,
    )
    assert done.returncode == 1


def test_hooks_take_what_python_gives_them(events):
    """Hooks cope with exceptions without a value and threads without name."""
    log.setup_logging(tty=False)
    threading.excepthook(
        threading.ExceptHookArgs([ValueError, None, None, None])
    )
    sys.unraisablehook(Unraisable())
    first, second = events()
    assert first["thread_name"] is None
    assert first["exception"][0]["exc_type"] == "ValueError"
    assert second["where"] == "Exception ignored in"


class Unraisable:
    exc_type = ValueError
    exc_value = None
    exc_traceback = None
    err_msg = None
    object = None
