"""What a handler built ends with the handler's own outcome."""

from __future__ import annotations

import typing as t

import aiohttp
import aiohttp.web
import pytest

import buvar_aiohttp

from buvar import context
from buvar import di


web = aiohttp.web
TIMEOUT = 20.0  # seconds, a bound and no expectation


class Session:
    """What is committed or rolled back."""

    closed = False


@pytest.fixture
def sessions(ends):
    """Register sessions that live as long as the layer."""

    async def make() -> t.AsyncIterator[Session]:
        session = Session()
        try:
            yield session
        except BaseException as error:
            ends.append(error)
            raise
        else:
            ends.append(None)
        finally:
            session.closed = True

    async def prepare_sessions() -> None:
        di.register(make, scope="layer")

    return prepare_sessions


@di.inject
async def nothing_special(
    request: t.Any, handler: t.Any, session: Session
) -> t.Any:
    return await handler(request)


def handling(action: t.Callable[[], t.Any]) -> t.Any:
    """Make a handler with a session."""

    @di.inject
    async def handle(request: web.Request, session: Session) -> t.Any:
        assert not session.closed
        return action()

    return handle


def throw(error: BaseException) -> t.Any:
    raise error


async def ask(session: aiohttp.ClientSession, url: str) -> t.Any:
    async with session.get(url, allow_redirects=False) as response:
        return response.status


@pytest.mark.parametrize(
    ("action", "status", "kind"),
    [
        (web.Response, 200, None),
        (lambda: web.Response(status=304), 304, None),
        (lambda: throw(web.HTTPSeeOther("/")), 303, None),
        (lambda: throw(web.HTTPNoContent()), 204, None),
        (lambda: throw(web.HTTPConflict()), 409, web.HTTPConflict),
        (lambda: throw(web.HTTPBadGateway()), 502, web.HTTPBadGateway),
        (
            lambda: web.Response(status=422),
            422,
            buvar_aiohttp.ResponseStatusError,
        ),
        (
            lambda: web.json_response({}, status=503),
            503,
            buvar_aiohttp.ResponseStatusError,
        ),
        (lambda: throw(ValueError("no")), 500, ValueError),
        (lambda: throw(TimeoutError()), 504, TimeoutError),
    ],
)
@pytest.mark.parametrize("around", [False, True])
def test_outcomes(
    serve, route, sessions, middleware, ends, *, action, status, kind, around
) -> None:
    """Success is below 400, however it is said; all else is thrown in."""
    plugins = [middleware(nothing_special)] if around else []

    found = serve(ask, sessions, route(handling(action)), *plugins)

    assert found == status
    # The middleware has a session of its own.
    assert len(ends) == 1 + around
    for end in ends:
        assert type(end) is (kind or type(None))
    if isinstance(ends[0], buvar_aiohttp.ResponseStatusError):
        assert ends[0].status == ends[0].response.status == status
        assert str(status) in str(ends[0])


def test_middlewares_come_after_the_end(
    serve, route, sessions, middleware, ends
) -> None:
    """A middleware that answers for a failure does not make it a success."""
    seen: list[t.Any] = []

    async def answer(request: web.Request, handler: t.Any) -> t.Any:
        try:
            return await handler(request)
        except ValueError as error:
            seen.extend(ends)
            return web.json_response({"error": str(error)}, status=200)

    failing = handling(lambda: throw(ValueError("half done")))

    found = serve(
        ask,
        buvar_aiohttp.prepare_app,
        sessions,
        route(failing),
        middleware(answer),
    )

    assert found == 200
    assert [type(end) for end in ends] == [ValueError]
    assert seen == ends


@pytest.mark.parametrize("raised", [False, True])
def test_a_cleanup_that_fails(serve, route, middleware, raised) -> None:
    """A failure to commit is an exception that middlewares see as it is."""
    seen: list[BaseException] = []

    async def make() -> t.AsyncIterator[Session]:
        try:
            yield Session()
        finally:
            raise RuntimeError("commit failed")

    async def prepare_make() -> None:
        di.register(make, scope="layer")

    async def answer(request: web.Request, handler: t.Any) -> t.Any:
        try:
            return await handler(request)
        except RuntimeError as error:
            seen.append(error)
            raise

    action = (lambda: throw(ValueError())) if raised else web.Response
    plugins = (route(handling(action)), middleware(answer))

    assert serve(ask, prepare_make, *plugins) == 500
    assert [str(error) for error in seen] == ["commit failed"]


def test_several_cleanups_that_fail(serve, route, middleware) -> None:
    """Several failures are a group, once each."""
    seen: list[BaseException] = []

    def fail(error: BaseException | None) -> None:
        raise RuntimeError("stuck")

    async def handle(request: web.Request) -> t.Any:
        layer = t.cast("t.Any", context.current_context())
        layer.defer(fail)
        layer.defer(fail)
        return web.Response()

    async def answer(request: web.Request, handler: t.Any) -> t.Any:
        try:
            return await handler(request)
        except* RuntimeError as group:
            seen.extend(group.exceptions)
        return web.Response(status=418)

    assert serve(ask, route(handle), middleware(answer)) == 418
    assert [str(error) for error in seen] == ["stuck", "stuck"]


def test_what_middlewares_build_is_their_own(
    serve, route, sessions, middleware, ends
) -> None:
    """What a middleware built lives until it ends; the handler has its own."""
    found: list[t.Any] = []

    @di.inject
    async def outer(request: t.Any, handler: t.Any, session: Session) -> t.Any:
        found.append(session)
        context.add("from the middleware")
        response = await handler(request)
        assert [s.closed for s in found] == [False, True]
        assert await di.nject(Session) is session
        return response

    @di.inject
    async def handle(request: web.Request, session: Session) -> t.Any:
        found.append(session)
        assert session is not found[0]
        assert context.get(str) == "from the middleware"
        assert context.get(web.Request) is request
        return web.Response()

    plugins = (sessions, route(handle), middleware(outer))

    assert serve(ask, *plugins) == 200
    assert ends == [None, None]
    assert [s.closed for s in found] == [True, True]


def test_a_request_that_a_middleware_replaced(
    serve, route, middleware
) -> None:
    """The request in the context is the one that the handler is given."""

    async def clone(request: web.Request, handler: t.Any) -> t.Any:
        return await handler(request.clone(remote="192.0.2.7"))

    async def handle(request: web.Request) -> t.Any:
        assert context.get(web.Request) is request
        assert request.remote == "192.0.2.7"
        return web.Response()

    assert serve(ask, route(handle), middleware(clone)) == 200


@pytest.mark.parametrize("root", [False, True])
def test_sub_applications(serve, sessions, ends, root) -> None:
    """Middlewares of a sub-application count, those of the root as well."""
    order: list[t.Any] = []
    apps: list[t.Any] = []

    def note(name: str) -> t.Any:
        @web.middleware
        async def note(request: web.Request, handler: t.Any) -> t.Any:
            order.append((name, request.app is apps[0]))
            try:
                return await handler(request)
            except ValueError:
                order.append((name, [type(end) for end in ends]))
                raise web.HTTPBadRequest from None

        return note

    async def prepare_sub() -> None:
        app = context.get(web.Application)
        sub = web.Application(middlewares=[note("sub"), note("inner")])
        apps.append(sub)
        sub.router.add_get("/", handling(lambda: throw(ValueError())))
        app.add_subapp("/sub", sub)
        if root:
            app.middlewares.append(note("root"))

    async def visit(session: aiohttp.ClientSession, url: str) -> t.Any:
        return await ask(session, f"{url}/sub/"), await ask(session, url)

    found = serve(visit, buvar_aiohttp.prepare_app, sessions, prepare_sub)

    assert found == (400, 404)
    assert order == [
        *([("root", False)] if root else []),
        ("sub", True),
        ("inner", True),
        ("inner", [ValueError]),
        # The route that does not exist.
        *([("root", False)] if root else []),
    ]
    assert len(ends) == 1


@pytest.mark.filterwarnings("ignore:old-style middleware")
def test_old_middlewares(serve, route, sessions, ends) -> None:
    """Middlewares of the old kind come after the end as well."""

    async def factory(app: web.Application, handler: t.Any) -> t.Any:
        async def handle(request: web.Request) -> t.Any:
            try:
                return await handler(request)
            except ValueError:
                return web.Response(status=418)

        return handle

    async def prepare_old() -> None:
        context.get(web.Application).middlewares.append(factory)

    failing = handling(lambda: throw(ValueError()))

    assert serve(ask, sessions, route(failing), prepare_old) == 418
    assert [type(end) for end in ends] == [ValueError]


def test_a_view(serve, route, sessions, middleware, ends) -> None:
    """The methods of a view are injected, and their outcome counts."""

    class Items(web.View):
        @di.inject
        async def get(self, session: Session) -> web.Response:
            assert not session.closed
            raise web.HTTPGone

    async def keep(request: web.Request, handler: t.Any) -> t.Any:
        assert request.match_info.handler is Items
        return await handler(request)

    assert serve(ask, sessions, route(Items), middleware(keep)) == 410
    assert [type(end) for end in ends] == [web.HTTPGone]


async def read(session: aiohttp.ClientSession, url: str) -> t.Any:
    async with session.get(url) as response:
        return await response.read()


def test_no_response(serve, route, sessions, ends, middleware) -> None:
    """A middleware may make a response of anything."""

    async def render(request: web.Request, handler: t.Any) -> t.Any:
        return web.json_response(await handler(request))

    answering = route(handling(lambda: {"a": 1}))

    assert serve(read, sessions, answering, middleware(render)) == b'{"a": 1}'
    assert ends == [None]


def test_the_layer_is_gone_after_the_end(serve, route) -> None:
    """What runs while the response is sent sees the stage, not the layer."""
    found: list[t.Any] = []

    async def signal(request: t.Any, response: t.Any) -> None:
        found.append(context.get(web.Request, default=None))
        found.append(context.get(web.Application) is request.app)

    async def prepare_signal() -> None:
        context.get(web.Application).on_response_prepare.append(signal)

    async def handle(request: web.Request) -> t.Any:
        return web.Response()

    assert serve(ask, route(handle), prepare_signal) == 200
    assert found == [None, True]
