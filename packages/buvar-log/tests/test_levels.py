"""Levels by name or number."""

from __future__ import annotations

import logging
import pickle

import pytest

from buvar import log


@pytest.mark.parametrize(
    ("level", "number"),
    [
        ("DEBUG", 10),
        ("debug", 10),
        (" Info ", 20),
        ("WARN", 30),
        (30, 30),
        ("15", 15),
        (0, 0),
        ("NOTSET", 0),
    ],
    ids=repr,
)
def test_levels_are_names_or_numbers(level, number):
    """A level may be written in several ways."""
    log.LogConfig(level=level).setup()
    assert logging.getLogger().level == number


def test_added_levels_are_known(events):
    """A level given to the standard library has a name here, too."""
    logging.addLevelName(25, "NOTICE")
    log.setup_logging(level="notice", tty=False)
    logging.getLogger("x").log(25, "a")
    logging.getLogger("x").info("b")
    assert [event["level"] for event in events()] == ["notice"]


@pytest.mark.parametrize(
    "level", ["DEBGU", "", "-1", -1, True, None, 1.5, []], ids=repr
)
def test_other_levels_are_an_error(level):
    """The error says what is wrong, what is near, and what may be used."""
    with pytest.raises(log.LogConfigError) as caught:
        log.LogConfig(level=level)
    assert caught.value.path == "level"
    assert caught.value.value == level
    assert str(caught.value).startswith(f"level: {level!r} is not a log level")
    assert str(caught.value).splitlines()[-1].startswith("Use one of NOTSET, ")


def test_errors_can_be_pickled():
    """An error crosses the border of a process with its facts."""
    error = log.LogConfigError("level", "x", "is wrong.", "Use another.")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert str(copy) == str(error) == "level: is wrong.\nUse another."
    assert (copy.path, copy.cure) == ("level", "Use another.")


def test_a_typo_has_a_hint():
    """A near miss is named."""
    with pytest.raises(log.LogError, match="did you mean 'DEBUG'"):
        log.setup_logging(level="DEBGU")


def test_loggers_have_their_own_levels(events):
    """A level per logger, parents and children as always."""
    log.setup_logging(
        tty=False, level="WARNING", levels={"app": "DEBUG", "app.loud": 40}
    )
    logging.getLogger("other").info("no")
    logging.getLogger("app.part").debug("yes")
    logging.getLogger("app.loud").warning("no")
    assert [event["event"] for event in events()] == ["yes"]


def test_an_unknown_level_of_a_logger_names_the_logger():
    """The error says which logger."""
    with pytest.raises(log.LogConfigError) as caught:
        log.LogConfig(levels={"app": "LOUD"})
    assert caught.value.path == "levels.app"


@pytest.mark.parametrize("timeout", [-1, float("nan")])
def test_a_timeout_is_not_negative(timeout):
    """A time to wait is a number of seconds."""
    with pytest.raises(log.LogConfigError, match="write_timeout"):
        log.LogConfig(write_timeout=timeout)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("levels", ["app"]),
        ("output", 5),
        ("redact", "iban"),
        ("redact", [5]),
        ("write_timeout", "1s"),
        ("output", "a\0b"),
    ],
)
def test_a_setting_of_another_type(setting, value):
    """A setting of a wrong type is an error that names it, and says more."""
    with pytest.raises(log.LogConfigError) as caught:
        log.setup_logging(**{setting: value})
    assert caught.value.path == setting
    assert str(caught.value).split("\n")[1]
