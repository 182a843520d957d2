"""Setting up again, setting back, and what else lives beside."""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
import threading
import warnings

import pytest
import structlog

from buvar import log


def state():
    """Return all that setup changes."""
    root = logging.getLogger()
    config = structlog.get_config()
    return (
        root.level,
        list(root.handlers),
        sys.excepthook,
        threading.excepthook,
        sys.unraisablehook,
        warnings.showwarning,
        sys.stdout,
        config["wrapper_class"],
        config["cache_logger_on_first_use"],
        structlog.is_configured(),
    )


def test_reset_sets_everything_back():
    """After reset nothing is left, however often setup was called."""
    before = state()
    for _ in range(3):
        log.setup_logging(tty=True, level=1, redirect_print=True)
        assert state() != before
    log.reset()
    assert state() == before
    log.reset()
    assert state() == before


def test_setting_up_twice_writes_once(events):
    """The second setup replaces the first."""
    log.setup_logging(tty=True, level="ERROR")
    logger = structlog.get_logger("x")
    logger.error("cached by its first use")
    events_before = logging.getLogger().handlers[:]
    log.setup_logging(tty=False, level="DEBUG")
    assert len(logging.getLogger().handlers) == len(events_before)
    sys.stderr.flush()


def test_cached_loggers_follow_a_new_setup(capsys):
    """A logger in use before the second setup has its level and format."""
    log.setup_logging(tty=True, level="ERROR")
    logger = structlog.get_logger("x")
    logger.info("off")
    logger.error("on")
    assert "on" in capsys.readouterr().err
    log.setup_logging(tty=False, level="DEBUG")
    logger.debug("now on")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "now on"


def test_a_wrong_setup_changes_nothing(events):
    """When a setting cannot be applied the earlier ones stay."""
    log.setup_logging(tty=False, level="INFO")
    before = state()
    with pytest.raises(log.LogConfigError):
        log.setup_logging(user_config={"root": {"handlers": ["nowhere"]}})
    assert state() == before
    logging.getLogger("x").info("a")
    assert len(events()) == 1


def test_basic_handlers_are_replaced(events):
    """What basicConfig left does not write each event again."""
    root = logging.getLogger()
    basic = logging.StreamHandler()
    root.addHandler(basic)
    try:
        log.setup_logging(tty=False)
        logging.getLogger("x").info("a")
        assert len(events()) == 1
        log.reset()
        assert basic in root.handlers
    finally:
        root.removeHandler(basic)


def test_other_handlers_stay():
    """Handlers of others are not touched."""
    root = logging.getLogger()
    other = logging.NullHandler()
    root.addHandler(other)
    try:
        log.setup_logging(tty=False)
        assert other in root.handlers
    finally:
        root.removeHandler(other)


def test_levels_of_loggers_are_set_back():
    """A logger has its own level again after reset."""
    logger = logging.getLogger("set.back")
    logger.setLevel(33)
    log.setup_logging(levels={"set.back": "DEBUG"})
    assert logger.level == logging.DEBUG
    log.setup_logging()
    assert logger.level == 33


def test_an_earlier_configuration_of_structlog_comes_back():
    """Reset restores what structlog was configured with."""
    processors = [structlog.processors.JSONRenderer()]
    structlog.configure(processors=processors)
    try:
        log.setup_logging()
        assert structlog.get_config()["processors"] is not processors
        log.reset()
        assert structlog.get_config()["processors"] is processors
    finally:
        structlog.reset_defaults()


def test_hooks_of_others_stay():
    """A hook set after setup is not taken away by reset."""
    before = sys.excepthook

    def theirs(*_args):
        """Do nothing."""

    log.setup_logging()
    sys.excepthook = theirs
    try:
        log.reset()
        assert sys.excepthook is theirs
    finally:
        sys.excepthook = before


def test_the_settings_are_plain_data():
    """The settings go to JSON and back, so any source can load them."""
    config = log.LogConfig(
        True, "DEBUG", {"root": {}}, False, True, levels={"a": 10}
    )
    data = json.loads(json.dumps(dataclasses.asdict(config)))
    assert log.LogConfig(**data) == config


def test_seed_program(capsys):
    """The program of the documentation works."""
    log_config = log.LogConfig(tty=sys.stdout.isatty(), level="DEBUG")
    log_config.setup()
    logging.getLogger("x").debug("a")
    assert json.loads(capsys.readouterr().err)["event"] == "a"


def test_an_unknown_setting_is_a_type_error():
    """A misspelt setting is not ignored."""
    with pytest.raises(TypeError, match="levle"):
        log.setup_logging(levle="DEBUG")
