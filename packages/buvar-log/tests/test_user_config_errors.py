"""What is wrong in the user's part is explained."""

from __future__ import annotations

import gc

import pytest

from buvar import log


_WRONG = {
    "unknown key": (
        {"handler": {}},
        "user_config: unknown key 'handler' (did you mean 'handlers'?).",
    ),
    "version": (
        {"version": 2},
        "user_config.version: there is no version 2.",
    ),
    "disable": (
        {"disable_existing_loggers": True},
        "user_config.disable_existing_loggers: is not supported",
    ),
    "list": (
        {"handlers": []},
        "user_config.handlers: expected a table, not [].",
    ),
    "no table": (
        {"handlers": {"a": 1}},
        "user_config.handlers.a: expected a table, not 1.",
    ),
    "not even a table": ([1], "user_config: expected a table, not [1]."),
    "level": (
        {"loggers": {"a": {"level": "WARNIGN"}}},
        (
            "user_config.loggers.a.level: 'WARNIGN' is not a log level "
            "(did you mean 'WARNING'?)."
        ),
    ),
    "propagate": (
        {"loggers": {"a": {"propagate": "no"}}},
        "user_config.loggers.a.propagate: 'no' is neither true nor false.",
    ),
    "root level": (
        {"root": {"level": "x"}},
        "user_config.root.level: 'x' is not a log level",
    ),
    "handler name": (
        {"root": {"handlers": ["defualt"]}},
        (
            "user_config.root.handlers: handlers has nothing called "
            "'defualt' (did you mean 'default'?)."
        ),
    ),
    "filter name": (
        {"loggers": {"a": {"filters": ["f"]}}},
        "user_config.loggers.a.filters: filters has nothing called 'f'.",
    ),
    "no list": (
        {"root": {"handlers": "default"}},
        (
            "user_config.root.handlers: expected a list of handlers, not "
            "'default'."
        ),
    ),
    "no class": (
        {"handlers": {"a": {"level": "INFO"}}},
        "user_config.handlers.a: a handler needs its class.",
    ),
    "class": (
        {"handlers": {"a": {"class": "no.such.Handler"}}},
        (
            "user_config.handlers.a: cannot be made: ValueError: Cannot "
            "resolve 'no.such.Handler'"
        ),
    ),
    "formatter name": (
        {"handlers": {"default": {"formatter": "xml"}}},
        (
            "user_config.handlers.default: cannot be made: ValueError: Unable "
            "to set formatter 'xml'"
        ),
    ),
    "arguments": (
        {"handlers": {"a": {"class": "logging.FileHandler", "nope": 1}}},
        "user_config.handlers.a: cannot be made: ",
    ),
    "formatter": (
        {"formatters": {"a": {"()": "no.such.Formatter"}}},
        "user_config.formatters.a: cannot be made: ",
    ),
    "target": (
        {
            "handlers": {
                "a": {
                    "class": "logging.handlers.MemoryHandler",
                    "capacity": 1,
                    "target": "nowhere",
                }
            }
        },
        "user_config.handlers.a: cannot be made: ",
    ),
}


@pytest.mark.parametrize("name", _WRONG)
def test_wrong_parts_are_explained(name):
    """Each mistake is one error with its path and a cure."""
    config, message = _WRONG[name]
    with pytest.raises(log.LogConfigError) as caught:
        log.setup_logging(user_config=config)
    assert str(caught.value).startswith(message)
    assert caught.value.path.startswith("user_config")
    # The command line ends with that, and tells no traceback.
    assert caught.value.exit_code == 2
    assert len(str(caught.value).splitlines()) == 2


def test_what_was_opened_is_closed(tmp_path):
    """When one handler cannot be made, those before it are closed."""
    path = tmp_path / "app.log"
    file = {"class": "logging.FileHandler", "filename": str(path)}
    with pytest.raises(log.LogConfigError):
        log.setup_logging(
            user_config={"handlers": {"a": file, "z": {"class": "no"}}}
        )
    assert path.exists()
    gc.collect()
