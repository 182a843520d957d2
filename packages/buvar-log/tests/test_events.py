"""Events of both worlds carry the same keys."""

from __future__ import annotations

import asyncio
import collections
import datetime as dt
import json
import logging
import os

import pytest
import structlog

from buvar import log


def test_standard_event_has_its_five_keys(events):
    """A record says when, how bad, who, what and where it happened."""
    log.setup_logging(level="DEBUG", tty=False)
    before = dt.datetime.now(dt.UTC)
    logging.getLogger("some.name").info("hello %s", "world")
    (event,) = events()
    stamp = dt.datetime.fromisoformat(event.pop("timestamp"))
    assert stamp.utcoffset() == dt.timedelta()
    assert abs(stamp - before) < dt.timedelta(seconds=5)
    assert event == {
        "level": "info",
        "logger": "some.name",
        "event": "hello world",
        "pid": os.getpid(),
    }


def test_structlog_and_standard_events_look_the_same(events):
    """The same facts logged in either way give the same event."""
    log.setup_logging(tty=False)
    logging.getLogger("one").warning("served", extra={"user": "a", "n": 1})
    structlog.get_logger("one").warning("served", user="a", n=1)
    first, second = events()
    assert first.pop("timestamp") <= second.pop("timestamp")
    assert first == second


def test_context_variables_are_part_of_every_event(events):
    """What is bound to the context shows, the call's own fields win."""
    log.setup_logging(tty=False)
    structlog.contextvars.bind_contextvars(request="r1", user="context")
    logging.getLogger("x").info("a")
    structlog.get_logger("x").info("b", user="call")
    first, second = events()
    assert (first["request"], first["user"]) == ("r1", "context")
    assert (second["request"], second["user"]) == ("r1", "call")


def test_each_task_logs_its_own_context(events):
    """Context variables of concurrent tasks do not mix."""

    async def work(name):
        structlog.contextvars.bind_contextvars(task=name)
        await asyncio.sleep(0)
        logging.getLogger("x").info(name)

    async def main():
        await asyncio.gather(*(work(str(number)) for number in range(5)))

    log.setup_logging(tty=False)
    asyncio.run(main())
    assert [event["task"] for event in events()] == list("01234")


def test_bound_fields_show(events):
    """A bound logger adds what it is bound to."""
    log.setup_logging(tty=False)
    logger = structlog.get_logger("x").bind(a=1, b=2)
    logger.unbind("b").info("hello", c=3)
    (event,) = events()
    assert (event["a"], event["c"]) == (1, 3)
    assert "b" not in event


def test_fields_named_like_keys_get_an_underscore(events):
    """No field hides the level, and none is lost."""
    log.setup_logging(tty=False)
    structlog.get_logger("x").info("a", level="mine", pid=1, name="n", args=2)
    logging.getLogger("x").info("b", extra={"event": "mine", "level": 3})
    first, second = events()
    assert (first["level"], first["level_"], first["pid_"]) == (
        "info",
        "mine",
        1,
    )
    assert (first["name"], first["args"]) == ("n", 2)
    assert (second["event"], second["event_"], second["level_"]) == (
        "b",
        "mine",
        3,
    )


@pytest.mark.parametrize("tty", [True, False])
def test_fields_named_like_exceptions_get_an_underscore(capsys, tty):
    """A field called exception does not get lost to the exception."""
    log.setup_logging(tty=tty)
    logging.getLogger("x").info("a", extra={"exception": [1], "stack": {}})
    structlog.contextvars.bind_contextvars(exc_info="bound")
    structlog.get_logger("x").error(
        "b", exception="mine", exc_info=ValueError("text")
    )
    err = capsys.readouterr().err
    assert "log_error" not in err
    assert err.count("exception_") == 2
    for part in ("mine", "ValueError", "text", "bound", "stack_"):
        assert part in err


def test_arguments_that_do_not_fit_are_shown(run):
    """A wrong format costs the message, not the event."""
    done = run(
        "import logging, structlog\n"
        "from buvar import log\n"
        "log.setup_logging(tty=False)\n"
        "logging.getLogger('x').info('%d items', 'many')\n"
        "structlog.get_logger('x').info('%d items', 'many', a=1)\n"
    )
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert len(events) == 2
    for event in events:
        assert event["event"] == "%d items"
        assert event["positional_args"] == "('many',)"
        assert event["log_error"].startswith("TypeError: ")


def test_messages_interpolate_mappings_and_objects(events):
    """Messages may be any object, arguments a mapping."""
    log.setup_logging(tty=False)
    structlog.get_logger("x").info("%(a)s", {"a": 1})
    logging.getLogger("x").info("%(a)s", {"a": 1})
    logging.getLogger("x").info(ValueError("text"))
    structlog.get_logger("x").info(("a", 1))
    structlog.get_logger("x").info(None)
    assert [event["event"] for event in events()] == [
        "1",
        "1",
        "text",
        "('a', 1)",
        "",
    ]


def test_records_of_another_factory_keep_their_fields(events):
    """A record factory that puts its attributes first loses nothing."""

    class Record(logging.LogRecord):
        def __init__(self, *args, **kw):
            self.first = "added"
            super().__init__(*args, **kw)

    log.setup_logging(tty=False)
    old = logging.getLogRecordFactory()
    logging.setLogRecordFactory(Record)
    try:
        logging.getLogger("x").info("a", extra={"n": 1})
    finally:
        logging.setLogRecordFactory(old)
    (event,) = events()
    assert (event["first"], event["n"]) == ("added", 1)


def test_stack_is_shown_when_asked(events):
    """stack_info adds where the call came from."""
    log.setup_logging(tty=False)
    logging.getLogger("x").info("a", stack_info=True)
    structlog.get_logger("x").info("b", stack_info=True)
    for event in events():
        assert event["stack"].startswith("Stack (most recent call last):\n")
        assert "test_stack_is_shown_when_asked" in event["stack"]


def test_a_logger_without_a_name_is_named_by_its_module(events):
    """get_logger() means the module that calls."""
    log.setup_logging(tty=False)
    structlog.get_logger().info("a")
    assert events()[0]["logger"] == __name__


_LEVELS = [
    ("debug", "debug"),
    ("info", "info"),
    ("msg", "info"),
    ("warn", "warning"),
    ("warning", "warning"),
    ("err", "error"),
    ("error", "error"),
    ("exception", "error"),
    ("fatal", "critical"),
    ("critical", "critical"),
]


async def test_each_method_has_its_level(events):
    """Synonyms and asynchronous methods log like the ones they stand for."""
    log.setup_logging(tty=False, level="DEBUG")
    logger = structlog.get_logger("x")
    for name, _ in _LEVELS:
        getattr(logger, name)(name)
        await getattr(logger, "a" + name)(name)
    logger.log(logging.INFO, "by number")
    await logger.alog(logging.INFO, "by number")
    assert [(e["event"], e["level"]) for e in events()] == [
        pair for pair in [*_LEVELS, ("by number", "info")] for _ in range(2)
    ]


async def test_a_level_that_is_off_logs_nothing(events):
    """Below its level a logger is silent, in every way to call it."""
    log.setup_logging(tty=False, level="CRITICAL")
    logger = structlog.get_logger("x")
    for name in ("debug", "info", "error", "exception"):
        getattr(logger, name)(name)
        await getattr(logger, "a" + name)(name)
    logger.log(10, "off")
    await logger.alog(10, "off")
    logger.bind()._proxy_to_logger("info", "off")
    assert not logger.is_enabled_for(logging.INFO)
    assert logger.get_effective_level() == logging.CRITICAL
    assert logger.name == "x"
    assert events() == []


def test_wrappers_of_structlog_reach_the_logger(events):
    """Whoever builds on structlog's own hook gets the same event."""
    log.setup_logging(tty=False)
    logger = structlog.get_logger("x").bind(a=1)
    logger._proxy_to_logger("error", "a", b=2)
    (event,) = events()
    assert (event["level"], event["a"], event["b"]) == ("error", 1, 2)


def test_processors_of_the_user_run(events):
    """What structlog is configured with changes and drops events."""

    def edit(_logger, _method, event):
        if event["event"] == "drop":
            raise structlog.DropEvent
        return event | {"edited": True}

    log.setup_logging(tty=False)
    processors = structlog.get_config()["processors"]
    processors.append(edit)
    try:
        structlog.get_logger("x").info("drop")
        structlog.get_logger("x").info("keep")
    finally:
        processors.clear()
    (event,) = events()
    assert (event["event"], event["edited"]) == ("keep", True)


def test_processors_may_render(events):
    """Text, bytes or arguments that a last processor returns are logged."""
    log.setup_logging(tty=False)
    results = collections.deque(["text", b"bytes", (("args",), {})])
    processors = structlog.get_config()["processors"]
    processors.append(lambda *_: results.popleft())
    try:
        for _ in range(3):
            structlog.get_logger("x").info("a")
    finally:
        processors.clear()
    assert [e["event"] for e in events()] == ["text", "bytes", "args"]


def test_records_know_the_caller(caplog):
    """Records made for structlog point to the line that logs."""
    log.setup_logging(tty=False)

    def helper():
        structlog.get_logger("x").info("b", stacklevel=2)

    structlog.get_logger("x").info("a")
    helper()
    assert {record.funcName for record in caplog.records} == {
        "test_records_know_the_caller"
    }
    assert caplog.records[0].pathname == __file__
