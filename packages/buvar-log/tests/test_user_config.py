"""The user's part: merged, checked, and explained when wrong."""

from __future__ import annotations

import json
import logging
import logging.handlers
import string

from buvar import log


class Only(logging.Filter):
    """Let pass what says so."""

    def __init__(self, word):
        super().__init__()
        self.word = word

    def filter(self, record):
        return self.word in record.getMessage()


class Rewrite(logging.Filter):
    """Give the handler another record."""

    def filter(self, record):
        return logging.makeLogRecord(record.__dict__ | {"msg": "rewritten"})


def test_a_file_beside_standard_error(events, tmp_path):
    """A handler of the user uses the formatters that exist."""
    path = tmp_path / "app.log"
    log.setup_logging(
        tty=False,
        user_config={
            "handlers": {
                "file": {
                    "class": "logging.FileHandler",
                    "filename": str(path),
                    "formatter": "json",
                    "level": "error",
                }
            },
            "root": {"handlers": ["default", "file"]},
        },
    )
    logging.getLogger("x").info("a")
    logging.getLogger("x").error("b", extra={"n": 1})
    assert [event["event"] for event in events()] == ["a", "b"]
    (line,) = path.read_text().splitlines()
    assert (json.loads(line)["event"], json.loads(line)["n"]) == ("b", 1)


def test_loggers_may_have_handlers_of_their_own(events, tmp_path):
    """A logger with handlers, that does not propagate, is set back."""
    path = tmp_path / "access.log"
    log.setup_logging(
        tty=False,
        user_config={
            "version": 1,
            "formatters": {"short": {"format": "%(message)s"}},
            "handlers": {
                "access": {
                    "class": "logging.FileHandler",
                    "filename": str(path),
                    "formatter": "short",
                }
            },
            "loggers": {
                "access": {
                    "handlers": ["access"],
                    "propagate": False,
                    "level": "DEBUG",
                }
            },
        },
    )
    logger = logging.getLogger("access")
    logger.debug("GET /")
    assert events() == []
    assert path.read_text() == "GET /\n"
    log.reset()
    assert logger.propagate
    assert logger.handlers == []
    assert logger.level == logging.NOTSET


def test_filters_apply(events):
    """Filters of the user reach the root, loggers and handlers."""
    log.setup_logging(
        tty=False,
        user_config={
            "filters": {
                "yes": {"()": Only, "word": "yes"},
                "rewrite": {"()": Rewrite},
            },
            "loggers": {"filtered": {"filters": ["yes"]}},
            "handlers": {"default": {"filters": ["rewrite"]}},
        },
    )
    handlers = logging.getLogger().handlers
    (ours,) = (each for each in handlers if each.name == "default")
    ours.addFilter(lambda record: record.name != "hidden")
    logging.getLogger("hidden").info("yes")
    logging.getLogger("filtered").info("yes")
    logging.getLogger("filtered").info("no")
    (event,) = events()
    # Only from Python 3.12 on a filter may return another record.
    assert event["event"] in {"yes", "rewritten"}
    log.reset()
    assert logging.getLogger("filtered").filters == []


def test_references_are_resolved(events):
    """ext:// names an object, in filters and formatters, too."""
    log.setup_logging(
        tty=False,
        user_config={
            "filters": {"f": {"()": Only, "word": "ext://string.digits"}},
            "root": {"filters": ["f"]},
        },
    )
    logging.getLogger().info(string.digits)
    logging.getLogger().info("other")
    assert [event["event"] for event in events()] == [string.digits]


def test_the_default_handler_can_be_changed(events):
    """A setting of the default handler adds to it."""
    log.setup_logging(
        tty=False, user_config={"handlers": {"default": {"level": "ERROR"}}}
    )
    logging.getLogger("x").info("a")
    logging.getLogger("x").error("b")
    assert [event["event"] for event in events()] == ["b"]


def test_the_default_handler_can_be_replaced(capsys):
    """A class of the user takes the place of the default handler."""
    log.setup_logging(
        user_config={
            "formatters": {"short": {"format": "%(message)s!"}},
            "handlers": {
                "default": {
                    "class": "logging.StreamHandler",
                    "stream": "ext://sys.stdout",
                    "formatter": "short",
                }
            },
        }
    )
    logging.getLogger("x").info("a")
    assert capsys.readouterr().out == "a!\n"


def test_a_standard_formatter_serves_the_default_handler(capsys):
    """A formatter of the standard library may fail without harm."""
    log.setup_logging(
        user_config={
            "formatters": {"short": {"format": "%(message)s %(nope)s"}},
            "handlers": {"default": {"formatter": "short"}},
        }
    )
    logging.getLogger("x").info("a", extra={"nope": 1})
    logging.getLogger("x").info("b")
    first, second = capsys.readouterr().err.splitlines()
    assert first == "a 1"
    assert json.loads(second)["event"] == "b"


def test_handlers_may_need_each_other():
    """A handler that names another as its target is built after it."""
    log.setup_logging(
        user_config={
            "handlers": {
                "buffer": {
                    "class": "logging.handlers.MemoryHandler",
                    "capacity": 10,
                    "target": "default",
                }
            },
            "root": {"handlers": ["buffer"]},
        }
    )
    (buffer,) = (
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.handlers.MemoryHandler)
    )
    assert isinstance(buffer.target, log.OutputHandler)
