"""All that an application calls, for injection to check it."""

from __future__ import annotations

import functools
import sys
import typing as t

import aiohttp.hdrs
import aiohttp.web


_METHODS: t.Final = tuple(str(name).lower() for name in aiohttp.hdrs.METH_ALL)


def applications(
    app: aiohttp.web.Application,
) -> t.Iterator[aiohttp.web.Application]:
    """Yield an application and its sub-applications."""
    yield app
    for resource in app.router.resources():
        if isinstance(resource, aiohttp.web.PrefixedSubAppResource):
            sub_app = resource.get_info().get("app")
            if sub_app is not None:  # pragma: no branch - it always has one
                yield from applications(sub_app)


def entry_points(
    app: aiohttp.web.Application,
) -> t.Iterator[tuple[t.Any, int]]:
    """
    Yield what an application calls.

    Returns:
        Functions, each with the number of arguments that it is given by
        position: handlers, the methods of views, middlewares and what is
        called when the application starts and stops.
    """
    for route in app.router.routes():
        handler: t.Any = route.handler
        if isinstance(handler, type):
            methods = (getattr(handler, name, None) for name in _METHODS)
            yield from (
                (method, 1) for method in methods if method is not None
            )
        else:
            yield handler, 1
    for application in applications(app):
        for middleware in application.middlewares:
            yield (
                functools.partial(t.cast("t.Any", middleware), handler=None),
                1,
            )
        for signal in (
            application.on_startup,
            application.on_shutdown,
            application.on_cleanup,
        ):
            yield from ((receiver, 1) for receiver in signal)
        yield from ((context, 1) for context in application.cleanup_ctx)
        yield from (
            (receiver, 2) for receiver in application.on_response_prepare
        )


def check_parameters(app: aiohttp.web.Application) -> None:
    """
    Verify the typed parameters of all handlers, if any have some.

    Raises:
        ParameterError: One of them cannot be filled from a request.
        ExceptionGroup: Several cannot.
    """
    # Whoever has not imported it has no such parameters.
    params: t.Any = sys.modules.get("buvar_aiohttp.params._inject")
    if params is None:
        return
    errors = [*params.problems(app.router.routes())]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        msg = "Parameters of handlers cannot be filled from a request"
        raise ExceptionGroup(msg, errors)
