"""Errors as data, RFC 9457, for clients that accept JSON."""

from __future__ import annotations

import http
import typing as t

import aiohttp.web

from ._key import REQUEST_ID
from .json import dumps


#: The media type.
PROBLEM: t.Final = "application/problem+json"

_JSON: t.Final = frozenset({"application/json", "application/*"})
_FAILURE: t.Final = 400


def accepts_json(accept: str) -> bool:
    """
    Tell whether a client asks for JSON.

    Args:
        accept: Its header ``Accept``. What accepts anything, such as a
            browser, does not ask for it.
    """
    for item in accept.lower().split(","):
        media, *parameters = (part.strip() for part in item.split(";"))
        if media in _JSON or (
            media.startswith("application/") and media.endswith("+json")
        ):
            return not any(map(_is_zero, parameters))
    return False


def _is_zero(parameter: str) -> bool:
    """Tell whether a parameter says that something is not wanted."""
    name, _, value = parameter.partition("=")
    return name == "q" and not value.strip("0.")


def phrase_of(status: int) -> str:
    """Return what a status is called."""
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def problem(
    request: aiohttp.web.BaseRequest, status: int, detail: str | None = None
) -> bytes:
    """Return the body of an answer that says what is wrong."""
    body: dict[str, t.Any] = {
        "type": "about:blank",
        "title": phrase_of(status),
        "status": status,
    }
    if detail:
        body["detail"] = detail
    if REQUEST_ID in request:
        body["request_id"] = request[REQUEST_ID]
    return dumps(body)


def describe(
    request: aiohttp.web.BaseRequest, answer: aiohttp.web.HTTPException
) -> None:
    """
    Write an HTTP error as data, where its client accepts that.

    What the application has written in another format than text is left as
    it is.
    """
    if (
        answer.status < _FAILURE
        or answer.empty_body
        or answer.content_type != "text/plain"
        or not accepts_json(request.headers.get("Accept", ""))
    ):
        return
    text = answer.text
    usual = f"{answer.status}: {answer.reason}"
    answer.body = problem(
        request, answer.status, None if text == usual else text
    )
    answer.headers["Content-Type"] = PROBLEM
