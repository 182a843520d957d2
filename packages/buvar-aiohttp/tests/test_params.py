"""Typed parameters: the path, the query and the body of requests."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import typing as t
import uuid

import aiohttp
import aiohttp.web
import attrs
import pytest

import buvar_aiohttp

from buvar import context
from buvar import di
from buvar import plugin
from buvar_aiohttp import params
from buvar_aiohttp.params import Body
from buvar_aiohttp.params import Path
from buvar_aiohttp.params import Query


JSON = {"Content-Type": "application/json"}
#: What was converted, by the handlers below.
seen: list[t.Any] = []


@pytest.fixture(autouse=True)
def forget() -> None:
    """Have each test see its own values only."""
    seen.clear()


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


@attrs.frozen
class Line:
    sku: str
    amount: int = attrs.field(validator=attrs.validators.gt(0))


@dataclasses.dataclass(frozen=True)
class Order:
    customer: str
    lines: list[Line]
    color: Color = Color.RED
    size: Size = Size.SMALL
    day: dt.date | None = None
    price: decimal.Decimal = decimal.Decimal(0)
    weights: dict[str, float] = dataclasses.field(default_factory=dict)
    pair: tuple[int, str] = (0, "")


@attrs.frozen
class Filter:
    limit: int = 10
    tag: tuple[str, ...] = ()
    since: dt.datetime | None = None
    order: t.Literal["up", "down"] = "up"


class Repo:
    """What is injected besides."""


async def _answer(*values: t.Any) -> aiohttp.web.Response:
    seen.append(values)
    return aiohttp.web.Response(text="fine")


@params.inject
async def read(  # noqa: PLR0917 - one of each
    request: aiohttp.web.Request,
    number: t.Annotated[int, Path()],
    only: t.Annotated[Filter, Query()],
    repo: Repo,
    word: t.Annotated[str | None, Query],
    exact: t.Annotated[bool, Query("is-exact")] = False,
    ids: t.Annotated[list[uuid.UUID] | None, Query()] = None,
    ratio: t.Annotated[float | int, Query()] = 1.0,
) -> aiohttp.web.Response:
    assert isinstance(repo, Repo)
    return await _answer(number, only, word, exact, ids, ratio)


@params.inject(unknown_query="error")
async def write(
    request: aiohttp.web.Request,
    order: t.Annotated[Order, Body()],
    size: t.Annotated[Size, Query()] = Size.SMALL,
) -> aiohttp.web.Response:
    return await _answer(order, size)


@params.inject
async def perhaps(
    request: aiohttp.web.Request,
    line: t.Annotated[Line | None, Body(unknown="ignore")],
) -> aiohttp.web.Response:
    return await _answer(line)


class Item(aiohttp.web.View):
    @params.inject
    async def get(
        self, number: t.Annotated[int, Path("id")], repo: Repo
    ) -> aiohttp.web.Response:
        return await _answer(number, self.request.method)


class Handlers:
    @params.inject
    async def show(
        self, request: aiohttp.web.Request, n: t.Annotated[int, Query()]
    ) -> aiohttp.web.Response:
        return await _answer(n)


async def prepare_routes(load: plugin.Loader) -> None:
    await load(buvar_aiohttp.prepare_app)
    di.register(Repo)
    router = context.get(aiohttp.web.Application).router
    router.add_get("/read/{number}", read)
    router.add_post("/write", write)
    router.add_post("/perhaps", perhaps)
    router.add_view("/item/{id}", Item)
    router.add_get("/method", Handlers().show)


Ask: t.TypeAlias = t.Callable[..., t.Any]


@pytest.fixture
def ask(serve: t.Any) -> t.Iterator[Ask]:
    """Send requests to the handlers above, by a real client."""
    token = di.buvar_adapters.set(di.Adapters())

    def ask(*requests: t.Any) -> t.Any:
        answers: list[t.Any] = []

        async def visit(session: aiohttp.ClientSession, url: str) -> object:
            for method, path, *options in requests:
                async with session.request(
                    method, f"{url}{path}", **(options or [{}])[0]
                ) as response:
                    is_json = response.content_type.endswith("json")
                    body = await (
                        response.json(content_type=None)
                        if is_json
                        else response.text()
                    )
                    answers.append((response, body))
            return answers

        serve(visit, prepare_routes)
        return answers

    yield ask
    di.buvar_adapters.reset(token)


def errors_of(answer: t.Any) -> list[tuple[str, str, str]]:
    """Return the mistakes that an answer lists."""
    response, body = answer
    assert response.status == 422, body
    assert response.content_type == "application/problem+json"
    assert body["status"] == 422
    assert body["title"]
    return [(e["place"], e["name"], e["reason"]) for e in body["errors"]]


def test_parameters_are_converted(ask: Ask) -> None:
    """Path, query and body arrive as their types, with defaults."""
    one = uuid.UUID(int=1)
    body = {
        "customer": "Ann",
        "lines": [{"sku": "a", "amount": 2}],
        "color": "blue",
        "size": 2,
        "day": "2026-01-31",
        "price": "1.10",
        "weights": {"a": 1},
        "pair": [1, "b"],
    }
    answers = ask(
        ("GET", "/read/7"),
        (
            "GET",
            (
                "/read/-7?limit=5&tag=a&tag=b&since=2026-01-31T00:00:00Z&word=&"
                f"order=down&is-exact=yes&ids={one}&ratio=0.5&utm=ignored"
            ),
        ),
        ("POST", "/write?size=2", {"json": body}),
        ("POST", "/perhaps"),
        (
            "POST",
            "/perhaps",
            {
                "data": b'{"sku": "a", "amount": 1, "new": 1}',
                "headers": {
                    "Content-Type": "application/line+json; charset=UTF-8"
                },
            },
        ),
        ("GET", "/item/3"),
        ("GET", "/method?n=4"),
    )
    assert {response.status for response, _ in answers} == {200}
    since = dt.datetime(2026, 1, 31, tzinfo=dt.UTC)
    assert seen == [
        (7, Filter(), None, False, None, 1.0),
        (-7, Filter(5, ("a", "b"), since, "down"), "", True, [one], 0.5),
        (
            Order(
                "Ann",
                [Line("a", 2)],
                Color.BLUE,
                Size.LARGE,
                dt.date(2026, 1, 31),
                decimal.Decimal("1.10"),
                {"a": 1.0},
                (1, "b"),
            ),
            Size.LARGE,
        ),
        (None,),
        (Line("a", 1),),
        (3, "GET"),
        (4,),
    ]


def test_all_mistakes_are_one_answer(ask: Ask) -> None:
    """Each mistake is told with its place, its name and its reason."""
    body = {
        "lines": [{"sku": "a", "amount": 0}, {"sku": 1, "amount": "3"}],
        "color": "green",
        "size": True,
        "day": "31.1.",
        "weights": {"a/b": "x"},
        "pair": [1],
        "kolor": 1,
    }
    path, query, deep, shape = ask(
        ("GET", "/read/1.5?limit=1_0&since=now&order=x&is-exact=2&ids=7"),
        ("GET", "/read/1?limit=1&limit=2"),
        ("POST", "/write?size=3&sise=2", {"json": body}),
        ("POST", "/write", {"json": {"customer": "a", "lines": "ab"}}),
    )
    assert errors_of(path) == [
        ("path", "number", "expected an integer"),
        ("query", "limit", "expected an integer"),
        (
            "query",
            "since",
            "expected a date and time such as 2026-01-31T12:00:00Z",
        ),
        ("query", "order", "expected one of up, down"),
        ("query", "is-exact", "expected true or false"),
        ("query", "ids/0", "expected a UUID"),
    ]
    assert errors_of(query) == [("query", "limit", "is given 2 times")]
    found = errors_of(deep)
    assert found[:3] == [
        ("query", "size", "expected one of 1, 2"),
        ("query", "sise", "is not known"),
        ("body", "/customer", "is missing"),
    ]
    assert found[3][1] == "/lines/0"
    assert found[4:] == [
        ("body", "/lines/1/sku", "expected a text"),
        ("body", "/lines/1/amount", "expected an integer"),
        ("body", "/color", "expected one of red, blue"),
        ("body", "/size", "expected one of 1, 2"),
        ("body", "/day", "expected a date such as 2026-01-31"),
        ("body", "/weights/a~1b", "expected a number"),
        ("body", "/pair", "expected a list of 2 items"),
        ("body", "/kolor", "is not known"),
    ]
    assert errors_of(shape) == [("body", "/lines", "expected a list")]
    assert not seen


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is missing"),
        (b"{", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "expected an object"),
        (b"null", "expected an object"),
    ],
)
def test_bodies_that_are_wrong_as_a_whole(
    ask: Ask, data: bytes, reason: str
) -> None:
    """A body that is missing, broken or of another shape is a mistake."""
    (answer,) = ask(("POST", "/write", {"data": data, "headers": JSON}))
    assert errors_of(answer) == [("body", "", reason)]


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
    ],
)
def test_a_body_of_another_type(ask: Ask, kind: str) -> None:
    """A body that does not say that it is JSON is a 415."""
    ((response, _),) = ask(
        ("POST", "/write", {"data": b"{}", "headers": {"Content-Type": kind}})
    )
    assert response.status == 415
    assert response.headers["Accept"] == "application/json"


def test_many_mistakes(ask: Ask) -> None:
    """A client cannot make the answer, nor the search, as long as it likes."""
    calls = [
        ("POST", "/write", {"json": body})
        for body in (
            {"customer": "a", "lines": [1] * 1000},
            {"customer": "a", "lines": [{"amount": "x"}] * 60},
            {"customer": "a", "lines": []}
            | dict.fromkeys(map(str, range(200))),
        )
    ]
    for answer in ask(*calls):
        assert len(errors_of(answer)) == 100
        assert "more than 100 mistakes" in answer[1]["detail"]


def test_an_error_says_all() -> None:
    """The exception itself lists the mistakes, for logs and tests."""
    error = params.ValidationError(
        [
            params.Mistake("query", "limit", "expected an integer"),
            params.Mistake("body", "", "is not JSON"),
        ]
    )
    assert error.status == 422
    assert "query limit: expected an integer" in str(error)
    assert "body: is not JSON" in str(error)
    assert isinstance(error, aiohttp.web.HTTPUnprocessableEntity)
    assert buvar_aiohttp.ValidationError is params.ValidationError


async def test_arguments_can_be_given() -> None:
    """Whoever calls a handler, such as a test, may give its parameters."""
    with context.child() as layer:
        layer.add(Repo())
        request = t.cast("t.Any", _request())
        response = await read(request, number=1, word="x")
    assert response.status == 200
    assert seen == [(1, Filter(), "x", False, None, 1.0)]
    with pytest.raises(TypeError, match="its request first"):
        await read()


def _request() -> aiohttp.web.Request:
    from aiohttp.test_utils import make_mocked_request

    return make_mocked_request("GET", "/", match_info={"number": "7"})
