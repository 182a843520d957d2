"""Exceptions become structure."""

from __future__ import annotations

import asyncio
import json
import logging
import sys

import pytest
import structlog

from buvar import log


def described(error):
    """Return the structure of an exception."""
    record = logging.LogRecord(
        "x", 40, "", 0, "a", (), (type(error), error, error.__traceback__)
    )
    return json.loads(log.JsonFormatter().render(record))["exception"]


def raised(func):
    try:
        func()
    except BaseException as error:  # noqa: BLE001 - which one is tested
        return error
    raise AssertionError


def test_both_ways_log_the_exception(events):
    """exception() and exc_info= give type, text and frames."""
    log.setup_logging(tty=False)
    logger = structlog.get_logger("x")
    try:
        raise ValueError("text")
    except ValueError as error:
        logging.getLogger("x").exception("a")
        logging.getLogger("x").log(40, "a", exc_info=error)
        logger.exception("a")
        logger.error("a", exc_info=True)  # noqa: G201 - one of the ways
        logger.error("a", exc_info=sys.exc_info())  # noqa: G201 - likewise
        asyncio.run(logger.aexception("a"))
        kept = error
    logger.error("a", exc_info=kept)
    got = events()
    assert len(got) == 7
    for event in got:
        (one,) = event["exception"]
        assert (one["exc_type"], one["exc_value"]) == ("ValueError", "text")
        assert one["frames"][-1]["filename"] == __file__
        assert one["frames"][-1]["name"] == "test_both_ways_log_the_exception"
        assert isinstance(one["frames"][-1]["lineno"], int)


def test_no_exception_is_none(events):
    """Asking for an exception where there is none adds nothing."""
    log.setup_logging(tty=False)
    structlog.get_logger("x").exception("a")
    logging.getLogger("x").exception("a")  # noqa: LOG004 - on purpose
    assert all("exception" not in event for event in events())


def test_causes_and_contexts_follow():
    """What led to an exception comes after it."""

    def with_cause():
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError("second") from error

    def with_context():
        try:
            with_cause()
        finally:
            raise TypeError("third")

    got = described(raised(with_context))
    assert [(one["exc_type"], one["is_cause"]) for one in got] == [
        ("TypeError", False),
        ("ValueError", False),
        ("KeyError", True),
    ]


def test_suppressed_context_is_left_out():
    """Raising from None ends the chain."""

    def from_none():
        try:
            raise KeyError
        except KeyError:
            raise ValueError from None

    assert len(described(raised(from_none))) == 1


def test_circular_chains_end():
    """Exceptions that caused each other are each described once."""
    first, second = ValueError("1"), ValueError("2")
    first.__cause__, second.__cause__ = second, first
    assert len(described(first)) == 2


def test_notes_are_listed():
    """Notes show, even where somebody put something else."""
    error = ValueError("a")
    error.add_note("noted")
    assert described(error)[0]["exc_notes"] == ["noted"]
    error.__notes__ = "odd"  # type: ignore[assignment]
    assert described(error)[0]["exc_notes"] == ["odd"]


def test_groups_nest():
    """Each member of a group is described, to a depth."""
    group: Exception = ValueError("member")
    for _ in range(8):
        group = ExceptionGroup("group", [group])
    got = described(group)[0]
    for _ in range(5):
        assert got["is_group"]
        got = got["exceptions"][0][0]
    assert got["exceptions"] == []


def test_syntax_errors_say_where():
    """A syntax error has its own place."""
    error = raised(lambda: compile("1 +\n", "some.py", "exec"))
    got = described(error)[0]["syntax_error"]
    assert (got["filename"], got["lineno"]) == ("some.py", 1)
    assert got["line"] == "1 +"


def test_deep_recursion_is_cut_in_the_middle():
    """Of a thousand frames the first and last ones are kept."""

    def recurse(depth):
        return recurse(depth - 1) if depth else 1 / 0

    frames = described(raised(lambda: recurse(300)))[0]["frames"]
    assert len(frames) == 51
    assert frames[25]["name"].startswith("Skipped frames: ")


def test_exceptions_without_text_are_named():
    """An exception whose text raises is described still."""

    class BadError(Exception):
        def __str__(self):
            raise RuntimeError

        __repr__ = __str__

    assert (
        "its repr raised RuntimeError" in described(BadError())[0]["exc_value"]
    )


@pytest.mark.parametrize("kind", [log.JsonFormatter, log.ConsoleFormatter])
def test_text_of_a_remote_exception_is_kept(kind):
    """A record from another process brings its exception as text."""
    record = logging.LogRecord("x", 40, "", 0, "a", (), None)
    record.exc_text = "Traceback of somewhere else"
    record.stack_info = "Stack of somewhere else"
    text = kind().format(record)
    assert "Traceback of somewhere else" in text
    assert "Stack of somewhere else" in text
