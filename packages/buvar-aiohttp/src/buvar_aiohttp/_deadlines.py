"""How long requests may take, for all that is done for them to know."""

from __future__ import annotations

import asyncio
import functools
import typing as t

import aiohttp.typedefs
import aiohttp.web

from buvar import context
from buvar.context import buvar_context

from ._connection import Connection
from ._key import TIMEOUT
from ._key import UNTIL_SWITCHED


P = t.ParamSpec("P")
R = t.TypeVar("R")
Async: t.TypeAlias = t.Callable[P, t.Coroutine[t.Any, t.Any, R]]


def set_deadline(seconds: float, place: str) -> None:
    """
    Tell what runs in the current layer how much time the task has.

    Args:
        seconds: How much.
        place: Where it was set.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    context.add(context.Deadline(seconds, place, loop, task))


def deadline(seconds: float) -> t.Callable[[Async[P, R]], Async[P, R]]:
    """
    Bound the time of a route: the handler is cancelled, the answer is 503.

    What is left is a component, ``context.Deadline``, as of
    ``context.child(timeout=...)``: calls of client sessions end with it. It
    never gives more time than ``request_timeout`` of the settings has left.

    Args:
        seconds: How long the handler may take, until there is a response.

    Raises:
        ValueError: That is not a time.

    Example:
        >>> import aiohttp.web
        >>> @deadline(2.5)
        ... async def search(request):
        ...     return aiohttp.web.Response()
    """
    _check(seconds)

    def decorate(handler: Async[P, R]) -> Async[P, R]:
        name = getattr(handler, "__qualname__", repr(handler))

        @functools.wraps(handler)
        async def bounded(*args: P.args, **kwargs: P.kwargs) -> R:
            left = _at_most(seconds)
            scope = asyncio.timeout(left)
            set_deadline(left, f"the deadline of {name}")
            try:
                async with scope:
                    return await handler(*args, **kwargs)
            except TimeoutError as error:
                request = context.get(aiohttp.web.Request, default=None)
                if not _answers(scope, request):
                    raise
                raise _unavailable(seconds) from error

        return bounded

    return decorate


def deadline_middleware(seconds: float) -> aiohttp.typedefs.Middleware:
    """
    Bound the time of an application: each of its handlers is cancelled then.

    A middleware, for an application or a sub-application: put it in front of
    its others, which are bounded as well. As with ``deadline`` the answer is
    503, and what is left is a component, ``context.Deadline``. Of several the
    nearest one counts, and never gives more time than one around it has left:
    that of ``request_timeout``, of an outer application, of this one, and of
    a route.

    Sending the response is not counted, and neither is a websocket.

    Args:
        seconds: How long a request may take until there is a response.

    Raises:
        ValueError: That is not a time.

    Example:
        >>> import aiohttp.web
        >>> admin = aiohttp.web.Application(
        ...     middlewares=[deadline_middleware(2.5)]
        ... )
    """
    _check(seconds)

    @aiohttp.web.middleware
    async def bounded(
        request: aiohttp.web.Request, handler: aiohttp.typedefs.Handler
    ) -> aiohttp.web.StreamResponse:
        upgrade = "Upgrade" in request.headers
        if upgrade and not isinstance(request.protocol, Connection):
            # Nothing would tell when it becomes a websocket.
            return await handler(request)
        outer = buvar_context.get()
        # What is around this middleware goes on with the time of its own.
        buvar_context.set(outer.push())
        received = context.get(aiohttp.web.Request, default=request)
        left, before = _at_most(seconds), received.get(TIMEOUT)
        scope = asyncio.timeout(left)
        scopes: list[asyncio.Timeout] = []
        if upgrade:
            scopes = received.get(UNTIL_SWITCHED, scopes)
            received[UNTIL_SWITCHED] = scopes
            scopes.append(scope)
        else:
            set_deadline(left, "the deadline of the application")
        if left == seconds:
            # What the layer of the handler is told when it is cancelled.
            received[TIMEOUT] = (scope, seconds)
        try:
            async with scope:
                return await handler(request)
        except TimeoutError as error:
            if not _answers(scope, received):
                raise
            raise _unavailable(seconds) from error
        finally:
            received[TIMEOUT] = before
            if upgrade:
                scopes.remove(scope)
            buvar_context.set(outer)

    return bounded


def _check(seconds: float) -> None:
    if not seconds > 0:
        msg = f"a deadline is a number of seconds above 0, not {seconds!r}"
        raise ValueError(msg)


def _at_most(seconds: float) -> float:
    """Return a time, or what is left of the one around it, if that is less."""
    outer = context.get(context.Deadline, default=None)
    return seconds if outer is None else min(seconds, outer.remaining())


def _answers(
    scope: asyncio.Timeout, request: aiohttp.web.Request | None
) -> bool:
    """
    Tell whether a time that is over can be answered with 503.

    It may be another one, of the handler itself, or a part of its response
    is sent already, which is cut off then.
    """
    started = request is not None and request.writer.output_size > 0
    return scope.expired() and not started


def _unavailable(seconds: float) -> aiohttp.web.HTTPServiceUnavailable:
    return aiohttp.web.HTTPServiceUnavailable(
        text=f"It took longer than {seconds:g} s.",
        headers={"Retry-After": "1"},
    )
