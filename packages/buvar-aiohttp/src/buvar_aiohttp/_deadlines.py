"""How long requests may take, for all that is done for them to know."""

from __future__ import annotations

import asyncio
import functools
import typing as t

import aiohttp.web

from buvar import context


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
    if not seconds > 0:
        msg = f"a deadline is a number of seconds above 0, not {seconds!r}"
        raise ValueError(msg)

    def decorate(handler: Async[P, R]) -> Async[P, R]:
        name = getattr(handler, "__qualname__", repr(handler))

        @functools.wraps(handler)
        async def bounded(*args: P.args, **kwargs: P.kwargs) -> R:
            outer = context.get(context.Deadline, default=None)
            left = seconds if outer is None else outer.remaining()
            scope = asyncio.timeout(min(seconds, left))
            set_deadline(min(seconds, left), f"the deadline of {name}")
            try:
                async with scope:
                    return await handler(*args, **kwargs)
            except TimeoutError as error:
                if not scope.expired():
                    raise
                raise aiohttp.web.HTTPServiceUnavailable(
                    text=f"It took longer than {seconds:g} s.",
                    headers={"Retry-After": "1"},
                ) from error

        return bounded

    return decorate
