"""Printed lines are events."""

# ruff: noqa: T201 - printing is what is tested

from __future__ import annotations

import json
import logging
import sys
import threading

from buvar import log


def redirect():
    """Log what is printed."""
    log.setup_logging(tty=False, redirect_print=True)


def texts(events):
    return [event["event"] for event in events()]


def test_each_line_is_an_event(events):
    """A print is an event of the logger print, empty lines are not."""
    redirect()
    print("one", "line", 1)
    print("two\n\nmore\r")
    print()
    got = events()
    assert [event["event"] for event in got] == ["one line 1", "two", "more"]
    assert {event["logger"] for event in got} == {"print"}
    assert {event["level"] for event in got} == {"info"}


def test_parts_wait_for_their_end(events):
    """A line printed in parts is one event."""
    redirect()
    print("a", end="", flush=True)
    assert sys.stdout.write("b") == 1
    assert texts(events) == []
    print("c")
    assert texts(events) == ["abc"]


def test_threads_do_not_mix(events):
    """Each thread has its own open line."""
    redirect()
    print("mine ", end="")
    thread = threading.Thread(target=print, args=("theirs",))
    thread.start()
    thread.join()
    print("still mine")
    assert texts(events) == ["theirs", "mine still mine"]


def test_an_open_line_is_logged_at_the_end(events):
    """Setting logging back logs what still had no end."""
    redirect()
    print("open", end="")
    log.reset()
    assert texts(events) == ["open"]


def test_an_open_line_is_logged_at_exit(run):
    """A program that ends in the middle of a line loses nothing."""
    done = run(
        "from buvar import log\n"
        "log.setup_logging(tty=False, redirect_print=True)\n"
        "print('100 %', end='')\n"
    )
    assert json.loads(done.stderr)["event"] == "100 %"
    assert done.stdout == ""


def test_a_line_without_end_is_cut(events):
    """Memory does not fill with one line."""
    redirect()
    sys.stdout.write("x" * 70_000)
    assert [len(text) for text in texts(events)] == [70_000]


def test_printing_while_logging_does_not_recurse(capsys):
    """What a handler prints goes to the stream below."""
    redirect()

    class Printing(logging.Handler):
        def emit(self, record):
            print("handled", record.getMessage())

    handler = Printing()
    logging.getLogger("print").addHandler(handler)
    try:
        print("a")
    finally:
        logging.getLogger("print").removeHandler(handler)
    captured = capsys.readouterr()
    assert captured.out == "handled a\n"
    assert json.loads(captured.err)["event"] == "a"


def test_logging_to_standard_output_does_not_recurse(capsys):
    """Events may go to the very stream that is redirected."""
    log.setup_logging(tty=False, redirect_print=True, output="stdout")
    print("a")
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["event"] == "a"


def test_redirecting_again_does_not_nest(events):
    """A second setup logs each line once."""
    redirect()
    log.setup_logging(tty=False, redirect_print=True)
    print("a")
    assert texts(events) == ["a"]


def test_it_looks_like_standard_output(run):
    """Descriptor, bytes and encoding are those of the stream below."""
    done = run(
        "import sys\n"
        "from buvar import log\n"
        "log.setup_logging(tty=False, redirect_print=True)\n"
        "assert sys.stdout.fileno() == 1\n"
        "assert sys.stdout.encoding == sys.__stdout__.encoding\n"
        "assert sys.stdout.errors == sys.__stdout__.errors\n"
        "assert sys.stdout.writable() and not sys.stdout.isatty()\n"
        "assert sys.stdout.name == '<stdout>'\n"
        "sys.stdout.reconfigure(line_buffering=True)\n"
        "sys.stdout.buffer.write(b'bytes')\n"
        "sys.stdout.flush()\n"
        "sys.__stdout__.close()\n"
        "print('a', flush=True)\n"
    )
    assert done.stdout == "bytes"
    assert json.loads(done.stderr)["event"] == "a"


def test_without_standard_output_nothing_is_redirected(monkeypatch):
    """A process without standard output has nothing to redirect."""
    monkeypatch.setattr(sys, "stdout", None)
    log.setup_logging(tty=False, redirect_print=True)
    assert sys.stdout is None
