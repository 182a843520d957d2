"""Errors as data, RFC 9457, for clients that accept JSON."""

from __future__ import annotations

import http
import typing as t

import aiohttp.hdrs
import aiohttp.web
import multidict

from ._key import REQUEST_ID
from .json import dumps


#: The media type.
PROBLEM: t.Final = "application/problem+json"

_FAILURE: t.Final = 400


def accepts_json(request: aiohttp.web.BaseRequest) -> bool:
    """
    Tell whether a client asks for JSON.

    What accepts anything, such as a browser, does not ask for it. A type that
    is named counts more than ``application/*``.
    """
    named: list[bool] = []
    any_application = False
    # Those of a malformed request are no more than an empty dict.
    headers = request.headers or multidict.CIMultiDict[str]()
    for line in headers.getall(aiohttp.hdrs.ACCEPT, ()):
        for item in line.lower().split(","):
            media, *parameters = (part.strip() for part in item.split(";"))
            wanted = not any(map(_is_zero, parameters))
            if media == "application/*":
                any_application = wanted
            elif media == "application/json" or (
                media.startswith("application/") and media.endswith("+json")
            ):
                named.append(wanted)
    return any(named) if named else any_application


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
        or not accepts_json(request)
    ):
        return
    text = answer.text
    usual = f"{answer.status}: {answer.reason}"
    answer.body = problem(
        request, answer.status, None if text == usual else text
    )
    answer.headers["Content-Type"] = PROBLEM
