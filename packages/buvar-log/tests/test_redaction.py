"""Secrets do not reach the log."""

from __future__ import annotations

import dataclasses
import logging

import pytest
import structlog

from buvar import log


SECRET = "hunter2"  # noqa: S105 - what must not be seen


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "PASSWORD",
        "db_password",
        "dbPassword",
        "Authorization",
        "X-Api-Key",
        "access_token",
        "Set-Cookie",
        "client secret",
    ],
)
@pytest.mark.parametrize("tty", [True, False])
def test_values_of_secret_keys_are_masked(capsys, tty, key):
    """A secret key is masked wherever it stands."""
    log.setup_logging(tty=tty)
    logging.getLogger("x").info("a", extra={key: SECRET})
    structlog.get_logger("x").info("b", **{key: SECRET})
    structlog.get_logger("x").info("c", at=[{"deep": {key: SECRET}}])
    structlog.contextvars.bind_contextvars(**{key: SECRET})
    structlog.get_logger("x").info("d")
    err = capsys.readouterr().err
    assert SECRET not in err
    assert err.count("***") == 4


def test_other_keys_are_not_masked(events):
    """Words within a key mean nothing."""
    log.setup_logging(tty=False)
    fields = {"token_count": 2, "author": "a", "keyboard": 3}
    structlog.get_logger("x").info("a", **fields)
    assert fields.items() <= events()[0].items()


def test_words_can_be_added(events):
    """The user's words count beside the known ones."""
    log.setup_logging(tty=False, redact=["iban"])
    structlog.get_logger("x").info("a", iban=1, password=1, n=1)
    (event,) = events()
    assert (event["iban"], event["password"], event["n"]) == ("***", "***", 1)


def test_the_known_words_can_be_left_out(events):
    """Without the defaults only the user's words count."""
    log.setup_logging(tty=False, redact=["iban"], redact_defaults=False)
    structlog.get_logger("x").info("a", iban=1, password=1)
    (event,) = events()
    assert (event["iban"], event["password"]) == ("***", 1)


@pytest.mark.parametrize("tty", [True, False])
def test_dataclasses_do_not_show_secret_fields(capsys, tty):
    """The repr of a dataclass is written anew without its secrets."""

    @dataclasses.dataclass
    class User:
        name: str
        password: str
        hidden: str = dataclasses.field(default=SECRET, repr=False)

    log.setup_logging(tty=tty)
    structlog.get_logger("x").info("a", user=User("joe", SECRET))
    err = capsys.readouterr().err
    assert SECRET not in err
    assert "User(name='joe', password=***)" in err


def test_attrs_like_classes_do_not_show_secret_fields(events):
    """Classes of attrs are read by what they say of their attributes."""

    @dataclasses.dataclass
    class Attribute:
        name: str
        repr: bool = True

    class User:
        __attrs_attrs__ = (Attribute("name"), Attribute("token"))
        name = "joe"
        token = SECRET

    log.setup_logging(tty=False)
    structlog.get_logger("x").info("a", user=User())
    assert events()[0]["user"].endswith("User(name='joe', token=***)")


def test_the_memory_of_keys_is_bounded(events):
    """Keys that are data, not vocabulary, are not remembered for ever."""
    log.setup_logging(tty=False)
    logger = structlog.get_logger("x")
    data = {f"item{number}": number for number in range(5_000)}
    logger.info("a", data=data | {"password": 1})
    assert events()[0]["data"] == data | {"password": "***"}


URL = "amqp://me:hunter2@host/"


class Url(str):
    """A URL that is text, as that of buvar-config."""

    __slots__ = ()


@pytest.mark.parametrize("tty", [False, True])
@pytest.mark.parametrize(
    "value", [URL, Url(URL), [URL], {"a": Url(URL)}, {"b": [URL]}], ids=repr
)
def test_the_password_of_a_url(tty, value, capsys):
    """Where a URL is logged its password is masked."""
    log.setup_logging(tty=tty)
    structlog.get_logger().info("connect", to=value, port=80)
    logging.getLogger().info("connect to %s", URL)
    logging.getLogger().info("connect to " + URL)  # noqa: G003 - as some do
    text = capsys.readouterr().err
    assert "hunter2" not in text
    assert text.count("amqp://me:***@host/") == 3
