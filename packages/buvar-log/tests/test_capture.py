"""The means of tests to look at logs keep working."""

from __future__ import annotations

import logging

import structlog

from buvar import log


module_logger = structlog.get_logger("module")


def test_caplog_sees_both(caplog):
    """Records of both worlds reach pytest's handler, with their fields."""
    log.setup_logging(tty=False, level="DEBUG")
    logging.getLogger("x").info("a %s", "b", extra={"n": 1})
    structlog.get_logger("x").info("a %s", "c", n=2)
    assert caplog.messages == ["a b", "a c"]
    assert [record.n for record in caplog.records] == [1, 2]


def test_caplog_sets_levels(caplog):
    """at_level holds for structlog, too."""
    log.setup_logging(tty=False, level="ERROR")
    with caplog.at_level("DEBUG"):
        structlog.get_logger("x").debug("a")
    structlog.get_logger("x").debug("b")
    assert caplog.messages == ["a"]


def test_capture_logs_sees_cached_loggers(events):
    """Structlog's own capture works with loggers used before."""
    log.setup_logging(tty=False)
    module_logger.info("cached")
    bound = module_logger.bind(b=1)
    with structlog.testing.capture_logs() as captured:
        module_logger.info("a", n=1)
        bound.error("b")
    module_logger.info("after")
    assert captured == [
        {"event": "a", "n": 1, "log_level": "info"},
        {"event": "b", "b": 1, "log_level": "error"},
    ]
    assert [event["event"] for event in events()] == ["cached", "after"]


def test_capture_logs_survives_another_setup():
    """A logger cached by one setup is captured after the next."""
    log.setup_logging(tty=False)
    module_logger.info("cached")
    log.reset()
    log.setup_logging(tty=False)
    with structlog.testing.capture_logs() as captured:
        module_logger.info("a")
    assert len(captured) == 1
