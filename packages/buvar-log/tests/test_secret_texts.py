"""Secrets within texts: messages, exceptions, header lists, URLs."""

from __future__ import annotations

import logging
import sys

import pytest
import structlog

from buvar import log


TEXTS = [
    "GET /cb?state=1&access_token=hunter2&x=1",
    "host=db password=hunter2 dbname=x",
    "Server=db;Pwd=hunter2;Database=x",
    "postgres://me:hun/ter2@host/db",
    "amqp://me:hunter2@host/",
    "{'user': 'x', 'password': 'hunter2'}",
    '{"api_key": "hunter2"}',
    "Authorization: Bearer hunter2",
    "Cookie: session=hunter2; other=hunter2",
    "[('Authorization', 'hunter2')]",
    "sent Bearer hunter2",
    "mysql --password=hunter2 --host db",
    "mysql --host db --password hunter2",
    "Command '['mysql', '--password', 'hunter2']' returned non-zero",
]


def chain(text: str) -> BaseException:
    """Return an exception that tells a secret in all its places."""
    error = ValueError(text)
    error.add_note(text)
    error.__cause__ = LookupError(text)
    error.__cause__.__context__ = OSError(text)
    return ExceptionGroup(text, [error])


@pytest.fixture(params=["tty", "orjson", "json"])
def form(request, monkeypatch):
    """Set each form of output up."""
    if request.param == "json":
        monkeypatch.setitem(sys.modules, "orjson", None)
    log.setup_logging(tty=request.param == "tty")


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.usefixtures("form")
def test_texts(capsys, text):
    """A secret in a text is masked, wherever the text is."""
    logger = logging.getLogger("x")
    logger.warning(text)
    logger.warning("got %s", text)
    logger.warning("a", extra={"a": text, "b": [text], "c": {"d": text}})
    structlog.get_logger("x").warning("%d", text)
    logger.error("a", exc_info=chain(text))
    structlog.get_logger("x").warning(text, a=text)
    record = logging.LogRecord("x", 30, "", 0, "a", (), None)
    record.exc_text = f"Traceback:\nValueError: {text}"
    record.stack_info = f"Stack:\n{text}"
    logger.handle(record)
    shown = capsys.readouterr().err
    assert "***" in shown
    assert "hunter2" not in shown
    assert "ter2" not in shown


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", "hunter2"), ("Accept", "x")],
        [(b"authorization", b"hunter2"), (b"accept", b"x")],
        [["Cookie", "hunter2"], ["Accept", "x"]],
        (("X-Api-Key", "hunter2"), ("Accept", "x")),
        {"Authorization": "hunter2", "Accept": "x"},
    ],
    ids=repr,
)
@pytest.mark.usefixtures("form")
def test_headers(capsys, headers):
    """Headers are masked as pairs as well as by keys."""
    structlog.get_logger("x").warning("a", headers=headers)
    shown = capsys.readouterr().err
    assert "hunter2" not in shown
    assert "ccept" in shown


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1:8080",
        "http://host:8080/a?b=c",
        "GET /x?page=1&sort=name",
        "wait for a token, then go on",
        "password must have 8 letters",
        "the rest follows in 3 s",
        "no such key: port",
        "--password is missing",
        "run it with --token, --user and --port 8080",
    ],
)
@pytest.mark.usefixtures("form")
def test_other_texts(capsys, text):
    """What tells no secret stays as it is."""
    logging.getLogger("x").warning(text)
    assert text in capsys.readouterr().err


@pytest.mark.usefixtures("form")
def test_own_words(capsys):
    """Words of the user's own count in texts, too."""
    log.setup_logging(tty=False, redact=["iban"])
    logging.getLogger("x").warning("iban=DE1")
    assert "iban=***" in capsys.readouterr().err


def test_exceptions_of_workers(events):
    """What another process raised is written as what this one raises."""
    log.setup_logging(tty=False)
    described = [
        {"exc_type": "ValueError", "exc_value": "password=hunter2"},
    ]
    record = logging.LogRecord("x", 40, "", 0, "failed", (), None)
    record.exception = described
    record.exc_text = "Traceback"
    logging.getLogger("x").handle(record)
    logging.getLogger("x").warning("a", extra={"exception": "b"})
    first, second = events()
    assert first["exception"] == [
        {"exc_type": "ValueError", "exc_value": "password=***"}
    ]
    assert second["exception_"] == "b"


def test_many_texts_are_not_remembered(events):
    """Messages that are all different are not kept for ever."""
    log.setup_logging(tty=False)
    for number in range(5_000):
        logging.getLogger("x").warning(f"message {number}")  # noqa: G004
    assert len(events()) == 5_000
