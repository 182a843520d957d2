"""Cleanup contexts of an application with injected parameters."""

from __future__ import annotations

import contextlib
import functools
import inspect
import typing as t

import aiohttp.web

from buvar import di


CleanupContext: t.TypeAlias = t.Callable[
    [aiohttp.web.Application], t.AsyncIterator[None]
]


def cleanup_context(function: t.Any) -> CleanupContext:
    """
    Inject the parameters of a cleanup context: ``app.cleanup_ctx``.

    Args:
        function: An async generator function that yields once; it gets the
            application, and what else it asks for.

    Raises:
        TypeError: It is none.

    Example:
        >>> import aiohttp.web
        >>> class Pool: ...
        >>> @cleanup_context
        ... async def warm_up(app, pool: Pool):
        ...     yield
        >>> app = aiohttp.web.Application()
        >>> app.cleanup_ctx.append(warm_up)
    """
    if not inspect.isasyncgenfunction(function):
        name = getattr(function, "__qualname__", repr(function))
        msg = (
            f"{name} is not an async generator function.\n"
            "Write it as 'async def' with one 'yield', as app.cleanup_ctx "
            "asks for."
        )
        raise TypeError(msg)

    @functools.wraps(function)
    async def make(*args: t.Any, **kwargs: t.Any) -> t.Any:
        return function(*args, **kwargs)

    injected = di.inject(make)

    async def run(app: aiohttp.web.Application) -> t.AsyncGenerator[None]:
        async with contextlib.aclosing(await injected(app)) as generator:
            async for _ in generator:
                yield

    functools.update_wrapper(run, function)
    this: t.Any = run
    this.__wrapped__ = injected
    return run
