"""Errors as data, for clients that accept JSON; nothing is leaked."""

from __future__ import annotations

import logging
import typing as t

import aiohttp.test_utils
import aiohttp.web
import multidict
import pytest

from buvar_aiohttp._problem import accepts_json


ACCEPTS = {"Accept": "application/json"}
PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/json", True),
        ("text/html, application/problem+json;q=0.5", True),
        ("application/*", True),
        ("APPLICATION/JSON ; charset=utf-8", True),
        ("application/json;q=0", False),
        ("application/json; q=0.000", False),
        ("*/*", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("text/json+x", False),
        ("", False),
        (";;,,q=", False),
        ("text/html\napplication/json", True),
        ("application/json;q=0, application/problem+json", True),
        ("application/*;q=0, application/json", True),
        ("application/json;q=0, application/*", False),
        ("application/json;q=0\napplication/problem+json;q=0", False),
    ],
)
def test_who_gets_it(accept: str, expected: bool) -> None:
    """JSON has to be asked for by name, in any line of the header."""
    headers = multidict.CIMultiDict[str]()
    for line in accept.splitlines():
        headers.add("Accept", line)
    request = aiohttp.test_utils.make_mocked_request("GET", "/", headers)
    assert accepts_json(request) is expected


@pytest.fixture
def answer(serve, route):
    """Have a handler raise something, and return the answer."""

    def answer(
        error: t.Any,
        headers: t.Any = ACCEPTS,
        *plugins: t.Any,
        **config: t.Any,
    ) -> t.Any:
        async def handle(request: aiohttp.web.Request) -> t.Any:
            if isinstance(error, BaseException):
                raise error
            return error

        async def visit(session: t.Any, url: str) -> object:
            async with session.get(url, headers=headers) as found:
                return (
                    found.status,
                    found.content_type,
                    await found.json(content_type=None)
                    if found.content_type.endswith("json")
                    else await found.text(),
                    found.headers,
                )

        return serve(visit, route(handle), *plugins, **config)

    return answer


def test_http_errors(answer) -> None:
    """Status and reason, and what the application has to say."""
    web = aiohttp.web
    status, kind, body, headers = answer(
        web.HTTPMethodNotAllowed("GET", ["POST"], text="Only POST.")
    )
    assert (status, kind) == (405, PROBLEM)
    assert body == {
        "type": "about:blank",
        "title": "Method Not Allowed",
        "status": 405,
        "detail": "Only POST.",
    }
    assert headers["Allow"] == "POST"
    assert answer(web.HTTPNotFound())[2] == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
    }


def test_what_stays(answer) -> None:
    """What is no error, and what has a format of its own."""
    web = aiohttp.web
    own = web.HTTPConflict(text="{}", content_type="application/json")
    assert answer(own)[1:3] == ("application/json", {})
    text = ("text/plain", "409: Conflict")
    assert answer(web.HTTPConflict(), {})[1:3] == text
    found = answer(web.HTTPConflict(), problem_details=False)
    assert found[1:3] == text
    assert answer(web.Response(text="no", status=404))[2] == "no"
    assert answer(web.HTTPOk())[:2] == (200, "text/plain")


@pytest.mark.parametrize("headers", [ACCEPTS, {}])
def test_unexpected(answer, headers, middleware, caplog) -> None:
    """An exception is a 500 without a word of it, logged once."""

    async def through(request: t.Any, handler: t.Any) -> t.Any:
        return await handler(request)

    error = ValueError("s3cret")
    for plugins in ((), (middleware(through),)):
        caplog.clear()
        found = answer(error, headers, "buvar_aiohttp.request_ids", *plugins)
        assert found[0] == 500
        assert "s3cret" not in str(found)
        assert found[3]["Connection"] == "close"
        (record,) = [r for r in caplog.records if r.levelno >= logging.ERROR]
        assert record.exc_info[1] is error
        assert record.getMessage() == "The request GET / failed."
        if headers:
            assert found[1] == PROBLEM
            request_id = found[3]["X-Request-ID"]
            assert found[2]["request_id"] == request_id == record.request_id


def test_a_time_out_of_its_own(answer, caplog) -> None:
    """A TimeoutError of the handler is a 504, and logged."""
    found = answer(TimeoutError("s3cret"))
    assert found[:3] == (
        504,
        PROBLEM,
        {"type": "about:blank", "title": "Gateway Timeout", "status": 504},
    )
    (record,) = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert record.exc_info


def test_too_large(serve, route) -> None:
    """A body that is too large is told as data as well."""

    async def read(request: aiohttp.web.Request) -> t.Any:
        return aiohttp.web.Response(body=await request.read())

    async def visit(session: t.Any, url: str) -> object:
        async with session.post(url, data=b"xx", headers=ACCEPTS) as found:
            return (await found.json(content_type=PROBLEM))["status"]

    assert serve(visit, route(read, method="POST"), client_max_size=1) == 413
