"""What a client sends does not change what a log says."""

from __future__ import annotations

import json
import logging
import sys
import threading

import pytest
import structlog

from buvar import log


#: Each would start a line, move the cursor or turn the writing around.
HOSTILE = [
    "\n",
    "\r",
    "\r\n",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x08\x08",
    "\x7f",
    "\x85",
    "\x9b2J",
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\u200f",
    "\ufeff",
]
FORGED = "2026-01-01T00:00:00Z [critical] FORGED"


class Odd:
    """An object whose repr is hostile."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def everywhere(text: str) -> None:
    """Log a text in all the places that an event has."""
    name = f"logger{text}{FORGED}"
    bad = f"a{text}{FORGED}"
    logging.getLogger(name).warning("a")
    logger = logging.getLogger("x")
    logger.warning(bad)
    logger.warning("%s", bad)
    structlog.get_logger("x").warning("%d", bad)
    logger.warning("a", extra={bad: 1, "b": bad, "c": [bad, {bad: bad}]})
    logger.warning("a", extra={"odd": Odd(bad), "both": (Odd(bad),)})
    logger.warning("a", extra={"thread_name": bad})
    record = logging.LogRecord("x", 30, "", 0, "a", (), None)
    record.levelname = bad
    record.stack_info = f"Stack:\n  {bad}"
    logger.handle(record)
    structlog.get_logger("x").warning(bad, **{bad: bad})
    structlog.contextvars.bind_contextvars(**{bad: bad})
    structlog.get_logger("x").warning("a")
    structlog.contextvars.clear_contextvars()
    error = ValueError(bad)
    error.add_note(bad)
    error.__cause__ = KeyError(bad)
    logger.error("a", exc_info=ExceptionGroup(bad, [error]))
    logger.error("a", exc_info=SyntaxError(bad, (bad, 1, 1, bad)))
    record = logging.LogRecord("x", 30, "", 0, "a", (), None)
    record.exc_text = bad
    logger.handle(record)
    thread = threading.Thread(name=bad, target=logger.warning, args=("t",))
    thread.start()
    thread.join()


@pytest.mark.parametrize("colors", [True, False])
@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_lines_for_people(capsys, monkeypatch, text, colors):
    """No line is forged, no command reaches the terminal."""
    if colors:
        monkeypatch.delenv("NO_COLOR", raising=False)
    else:
        monkeypatch.setenv("NO_COLOR", "1")
    log.setup_logging(tty=True)
    everywhere(text)
    shown = capsys.readouterr().err
    assert "FORGED" in shown
    assert text.replace("\r\n", "\r").replace("\n", "") not in shown or (
        text == "\n"
    )
    for line in shown.split("\n"):
        assert len(line.splitlines()) <= 1
        plain = line.lstrip(" \x1b[0123456789m")
        assert not plain.startswith(("2026-01-01", "FORGED"))


@pytest.mark.parametrize("orjson", [True, False])
@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_lines_of_json(capsys, monkeypatch, text, orjson):
    """An event is one line for whoever reads lines, and says all of it."""
    if not orjson:
        monkeypatch.setitem(sys.modules, "orjson", None)
    log.setup_logging(tty=False)
    logging.getLogger("x").warning("a%sb", text, extra={f"k{text}": text})
    err = capsys.readouterr().err
    (line,) = err.splitlines()
    event = json.loads(line)
    assert event["event"] == f"a{text}b"
    assert event[f"k{text}"] == text
    assert "\x9b" not in line


def test_events_of_several_lines(capsys, monkeypatch):
    """An event may have several lines: the others stand behind a bar."""
    monkeypatch.setenv("NO_COLOR", "1")
    log.setup_logging(tty=True)
    logging.getLogger("x").warning("select a\nfrom b\n")
    first, second = capsys.readouterr().err.splitlines()
    assert "select a" in first
    assert second == "  | from b"
