"""Types of an application as typed parameters."""

from __future__ import annotations

import typing as t

import aiohttp
import aiohttp.web

from buvar_aiohttp import params
from buvar_aiohttp.params import Query


def test_a_fault_of_the_application(serve: t.Any, route: t.Any) -> None:
    """What a converter fails with is no mistake of the client."""

    class Odd:
        pass

    def fail(value: object) -> Odd:
        raise LookupError(value)

    params.register(Odd, fail)

    @params.inject
    async def handle(
        request: aiohttp.web.Request, odd: t.Annotated[Odd, Query()]
    ) -> aiohttp.web.Response:
        raise AssertionError

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async with session.get(f"{url}/?odd=1") as response:
            return response.status

    assert serve(visit, route(handle)) == 500


def test_types_of_the_application(serve: t.Any, route: t.Any) -> None:
    """A type can be told how to be made, and refuses with its own words."""
    seen: list[int] = []

    class Even(int):
        pass

    def even(value: t.Any) -> Even:
        if int(value) % 2:
            msg = "expected an even number"
            raise ValueError(msg)
        return Even(value)

    params.register(Even, even)

    @params.inject
    async def handle(
        request: aiohttp.web.Request, n: t.Annotated[Even, Query()]
    ) -> aiohttp.web.Response:
        seen.append(n)
        return aiohttp.web.Response()

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        answers: list[t.Any] = []
        for number in (2, 3):
            async with session.get(f"{url}/?n={number}") as response:
                fine = response.status == 200
                answers.append(
                    None if fine else await response.json(content_type=None)
                )
        return answers

    fine, wrong = t.cast("t.Any", serve(visit, route(handle)))
    assert fine is None
    assert seen == [2]
    assert wrong["errors"] == [
        {"place": "query", "name": "n", "reason": "expected an even number"}
    ]
