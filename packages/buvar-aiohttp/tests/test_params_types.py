"""Types of an application as typed parameters."""

from __future__ import annotations

import dataclasses
import typing as t

import aiohttp
import aiohttp.web

from buvar_aiohttp import params
from buvar_aiohttp.params import Body
from buvar_aiohttp.params import Query


@dataclasses.dataclass
class Tree:
    """A class of itself."""

    size: float = 0.0
    branches: list[Tree] = dataclasses.field(default_factory=list)


@params.inject
async def plant(
    request: aiohttp.web.Request, tree: t.Annotated[Tree, Body()]
) -> aiohttp.web.Response:
    return aiohttp.web.Response(text=str(tree.branches[0].size))


def test_classes_of_themselves(serve: t.Any, route: t.Any) -> None:
    """A body may be nested, but not as deeply as a client likes."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        answers: list[t.Any] = []
        for depth, size in ((1, "2.5"), (1, "1e999"), (400, "1")):
            text = '{"branches": [' * depth + f'{{"size": {size}}}'
            data = text + "]}" * depth
            headers = {"Content-Type": "application/json"}
            async with session.post(url, data=data, headers=headers) as found:
                body = await found.text()
                answers.append((found.status, body))
        return answers

    fine, infinite, deep = t.cast(
        "t.Any", serve(visit, route(plant, method="POST"))
    )
    assert fine == (200, "2.5")
    assert infinite[0] == 422
    assert deep[0] == 422
    assert "is nested too deeply" in deep[1]


#: Without the import of annotations only a part of a type is in quotes.
Quoted = dataclasses.make_dataclass(
    "Quoted",
    [
        ("size", int),
        ("inner", list["Quoted"], dataclasses.field(default_factory=list)),
        ("named", dict[str, "Quoted"] | None, None),
    ],
)
Quoted.__module__ = __name__


@params.inject
async def weigh(
    request: aiohttp.web.Request, quoted: t.Annotated[Quoted, Body()]
) -> aiohttp.web.Response:
    made: t.Any = quoted
    return aiohttp.web.Response(text=str(made.inner[0].named["a"].size))


def test_names_in_quotes(serve: t.Any, route: t.Any) -> None:
    """A field may name a class in quotes, also within a list or a dict."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        answers: list[t.Any] = []
        for size in (7, "7"):
            body = {"size": 1, "named": {"a": {"size": size}}}
            body = {"size": 1, "inner": [body]}
            async with session.post(url, json=body) as found:
                answers.append((found.status, await found.text()))
        return answers

    fine, wrong = t.cast("t.Any", serve(visit, route(weigh, method="POST")))
    assert fine == (200, "7")
    assert wrong[0] == 422
    assert '"/inner/0/named/a/size"' in wrong[1]


def test_a_search_that_ends(serve: t.Any, route: t.Any) -> None:
    """What is wrong is not converted to its end, as that would take long."""
    looked_at: list[object] = []

    class Never:
        pass

    def refuse(value: object) -> t.NoReturn:
        looked_at.append(value)
        msg = "never"
        raise ValueError(msg)

    params.register(Never, refuse)

    @params.inject
    async def nested(
        request: aiohttp.web.Request,
        body: t.Annotated[list[list[list[Never]]], Body()],
    ) -> aiohttp.web.Response:
        raise AssertionError

    @params.inject
    async def named(
        request: aiohttp.web.Request,
        body: t.Annotated[dict[str, Never], Body()],
    ) -> aiohttp.web.Response:
        raise AssertionError

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        found: list[int] = []
        for path, body in (
            ("/nested", [[["x"] * 30] * 30] * 30),
            ("/named", {str(number): "x" for number in range(1000)}),
        ):
            looked_at.clear()
            async with session.post(url + path, json=body) as response:
                assert response.status == 422
            found.append(len(looked_at))
        return found

    plugins = (
        route(nested, "/nested", method="POST"),
        route(named, "/named", method="POST"),
    )
    found = t.cast("list[int]", serve(visit, *plugins))
    assert max(found) < 200


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
