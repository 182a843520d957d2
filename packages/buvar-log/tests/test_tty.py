"""Logs for people."""

from __future__ import annotations

import logging
import os
import sys

import pytest
import structlog

from buvar import log


def test_people_read_lines_with_colours(capsys, monkeypatch):
    """On a terminal an event is a coloured line with its fields."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    log.setup_logging(tty=True)
    structlog.get_logger("some.name").info("hello", n=1)
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "\x1b[" in err or sys.platform == "win32"
    for part in ("hello", "some.name", "info", str(os.getpid())):
        assert part in err


def test_no_color_is_respected(capsys, monkeypatch):
    """NO_COLOR means plain text, tracebacks, too."""
    monkeypatch.setenv("NO_COLOR", "1")
    log.setup_logging(tty=True)
    try:
        raise ValueError("text")
    except ValueError:
        logging.getLogger("x").exception("a", stack_info=True)
    logging.getLogger("x").error("without", exc_info=(None, None, None))
    err = capsys.readouterr().err
    assert "\x1b[" not in err
    assert "Traceback (most recent call last):" in err
    assert "ValueError: text" in err


def test_colours_can_be_left_out():
    """A formatter without colours writes plain text, for files."""
    record = logging.LogRecord("x", 20, "", 0, "a", (), None)
    assert "\x1b" not in log.ConsoleFormatter(colors=False).format(record)


def test_tracebacks_do_not_show_variables(capsys):
    """Local variables may be secret."""
    log.setup_logging(tty=True)
    hidden = "hunter" + str(2)
    try:
        raise ValueError(len(hidden))
    except ValueError:
        logging.getLogger("x").exception("a")
    err = capsys.readouterr().err
    assert "ValueError" in err
    assert hidden not in err


def test_levels_of_the_user_show(capsys):
    """A level structlog does not know is written without a colour."""
    log.setup_logging(tty=True)
    logging.getLogger("x").log(27, "a")
    assert "level 27" in capsys.readouterr().err


def test_control_characters_are_shown(capsys):
    """A logged escape sequence cannot rewrite the screen."""
    log.setup_logging(tty=True)
    logging.getLogger("x").info("a\x1b[2Jb", extra={"c": "\r\x1b]0;t\x07"})
    err = capsys.readouterr().err
    assert "\\x1b[2J" in err
    assert "\x1b[2J" not in err
    assert "\r" not in err


def test_objects_without_repr_are_named(capsys):
    """The console does not raise either."""

    class Bad:
        def __repr__(self):
            raise ValueError

    log.setup_logging(tty=True)
    logging.getLogger("x").info("a", extra={"bad": Bad(), "odd": "\ud800"})
    assert "its repr raised ValueError" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="opens a terminal")
@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_is_found(monkeypatch, terminal):
    """Without tty= it is asked for: what the output is decides."""
    main, other = os.openpty() if terminal else os.pipe()
    with os.fdopen(other, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        log.setup_logging()
        logging.getLogger("x").info("a")
        line = os.read(main, 10_000)
        monkeypatch.undo()
    os.close(main)
    assert line.startswith(b"{") is not terminal


def test_a_stream_that_is_gone_is_no_terminal(monkeypatch):
    """Without standard error logging can still be set up."""
    monkeypatch.setattr(sys, "stderr", None)
    log.setup_logging()
    logging.getLogger("x").info("a")
