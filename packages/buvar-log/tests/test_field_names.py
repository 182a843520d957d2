"""Fields may be named like anything that the methods name."""

from __future__ import annotations

import inspect
import logging

import pytest
import structlog

from buvar import log
from buvar.log._bound import METHODS
from buvar.log._bound import BoundLogger


#: All the names of parameters, those of records and of structlog.
NAMES = sorted(
    {
        *(
            "self",
            "event",
            "args",
            "kw",
            "level",
            "name",
            "method",
            "method_name",
        ),
        *("event_kw", "new_values", "logger", "timestamp", "pid", "exception"),
        *(
            "stack",
            "message",
            "asctime",
            "taskName",
            "positional_args",
            "fields",
        ),
        *("stacklevel", "context", "processors", "record", "extra", "msg"),
        *logging.LogRecord("", 0, "", 0, "", (), None).__dict__,
    }
    - {"exc_info", "stack_info"}
)


@pytest.mark.parametrize("name", NAMES)
def test_every_method_takes_every_name(events, name):
    """No value is lost, whatever it is called."""
    log.setup_logging(tty=False, level=1)
    logger = structlog.get_logger("x").bind()
    for method in METHODS:
        getattr(logger, method)("text", **{name: "value"})
    logger.log(20, "text", **{name: "value"})
    logger.bind(**{name: "value"}).info("text")
    logger.new(**{name: "value"}).info("text")
    found = events()
    assert len(found) == len(METHODS) + 3
    for event in found:
        assert event["event"] == "text"
        assert "value" in {event.get(name), event.get(f"{name}_")}


async def test_asynchronous_methods(events):
    """So do those that are awaited."""
    log.setup_logging(tty=False)
    logger = structlog.get_logger("x")
    for name in ("self", "event", "level", "args"):
        await logger.ainfo("text", **{name: "value"})
        await logger.alog(20, "text", **{name: "value"})
    assert all("value" in event.values() for event in events())


def test_no_parameter_can_be_named():
    """Every parameter beside the fields is given by its position."""
    for name in (*METHODS, "log", "alog", "bind", "new", "_proxy_to_logger"):
        parameters = inspect.signature(getattr(BoundLogger, name)).parameters
        kinds = {each.kind for each in parameters.values()}
        assert kinds <= {
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.VAR_POSITIONAL,
            inspect.Parameter.VAR_KEYWORD,
        }, name


def test_an_event_by_its_name(events):
    """Without a message the field of this name is it, as in structlog."""
    log.setup_logging(tty=False)
    structlog.get_logger("x").info(event="text", n=1)
    structlog.get_logger("x").bind(event="bound").info(event="text")
    first, second = events()
    assert (first["event"], first["n"]) == ("text", 1)
    assert "event_" not in first
    assert second["event"] == "text"


def test_the_root_among_loggers(events):
    """The logger without a name is the root, by settings and by levels."""
    for settings in (
        {"user_config": {"loggers": {"": {"level": "DEBUG"}}}},
        {"user_config": {"loggers": {"root": {"level": "DEBUG"}}}},
        {"levels": {"": "DEBUG"}},
    ):
        log.setup_logging(tty=False, **settings)
        logging.getLogger("x").debug("a")
        assert [event["event"] for event in events()] == ["a"]
    log.setup_logging(
        tty=False,
        user_config={
            "loggers": {"": {"level": "DEBUG"}},
            "root": {"level": "ERROR"},
        },
    )
    logging.getLogger("x").warning("a")
    assert events() == []
