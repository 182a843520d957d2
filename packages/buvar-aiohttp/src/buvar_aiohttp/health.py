"""
Health: ``/health/live``, ``/health/ready`` and ``/health/startup``.

``await load("buvar_aiohttp.health")`` adds the routes. The process is live as
long as it answers. It is ready until the service begins to stop, while all
critical checks pass, and has started once they have passed for the first time.
A worker that is replaced is as ready as its successor.

A check is a component, see ``Check``: an async function with injected
parameters. All of them run at the same time, each within its time-out, and no
more often than its ``cache`` says, however many ask. The answer tells of each
check where only operators ask: on the listener that ``management`` in the
section ``aiohttp`` names, or with ``health_details``.

Example:
    >>> class Database:
    ...     async def ping(self): ...
    >>> async def ping(database: Database):
    ...     await database.ping()
    >>> async def prepare():
    ...     add_check("database", ping, timeout=2)
"""

from __future__ import annotations

import functools
import typing as t

import aiohttp.web

from buvar import context
from buvar import di
from buvar import plugin

from . import json
from ._checks import Check
from ._checks import Checks
from ._checks import Result
from ._checks import add_check
from ._checks import is_ready
from ._config import AioHttpConfig
from ._server import Server
from .management import management_app


async def prepare(
    load: plugin.Loader, cancel: plugin.Cancel, teardown: plugin.Teardown
) -> None:
    """Add the routes to the application."""
    app = await management_app(load)
    settings = await di.nject(AioHttpConfig)
    details = settings.management is not None or settings.health_details
    checks = Checks()
    teardown.add(checks.close)
    plugin.add_check(functools.partial(_add_entry_points, checks))

    def answer(
        status: str, results: t.Sequence[Result] = (), *, fine: bool = True
    ) -> aiohttp.web.Response:
        body: dict[str, t.Any] = {"status": status}
        if details and results:
            body["checks"] = {
                result.check.name: result.as_json() for result in results
            }
        return json.response(body, status=200 if fine else 503)

    async def live(request: aiohttp.web.Request) -> aiohttp.web.Response:
        del request
        return answer("live")

    async def ready(request: aiohttp.web.Request) -> aiohttp.web.Response:
        del request
        server = context.get(Server, default=None)
        stopping = cancel.is_set() or (server is not None and server.stopping)
        if stopping and (server is None or not server.retired):
            return answer("stopping", fine=False)
        results = await checks.run()
        if is_ready(results):
            return answer("ready", results)
        return answer("failing", results, fine=False)

    async def startup(request: aiohttp.web.Request) -> aiohttp.web.Response:
        del request
        if checks.passed:
            return answer("started")
        results = await checks.run()
        if checks.passed:
            return answer("started", results)
        return answer("starting", results, fine=False)

    router = app.router
    router.add_get("/health/live", live)
    router.add_get("/health/ready", ready)
    router.add_get("/health/startup", startup)


def _add_entry_points(checks: Checks) -> None:
    """Have a check of the application see what the checks of health call."""
    for function in checks.functions():
        di.add_entry_point(function)


__all__ = ["Check", "add_check", "prepare"]
