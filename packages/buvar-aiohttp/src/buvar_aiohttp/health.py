"""
Health: ``/health/live``, ``/health/ready`` and ``/health/startup``.

``await load("buvar_aiohttp.health")`` adds the routes. The process is live as
long as it answers. It is ready until the stage begins to stop, while all
critical checks pass, and has started once they have passed for the first time.

A check is a component, see ``Check``: an async function with injected
parameters. All of them run at the same time, each within its time-out, and no
more often than its ``cache`` says, however many ask. With ``health_details``
in the section ``aiohttp`` the answer tells of each check.

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

from buvar import config
from buvar import context
from buvar import di
from buvar import plugin

from . import json
from ._app import prepare_app
from ._checks import Check
from ._checks import Checks
from ._checks import Result
from ._checks import add_check
from ._checks import is_ready
from ._config import AioHttpConfig


async def prepare(
    load: plugin.Loader, cancel: plugin.Cancel, teardown: plugin.Teardown
) -> None:
    """Add the routes to the application."""
    await load(config, prepare_app)
    settings = await di.nject(AioHttpConfig)
    checks = Checks()
    teardown.add(checks.close)
    plugin.add_check(functools.partial(_add_entry_points, checks))

    def answer(
        status: str, results: t.Sequence[Result] = (), *, fine: bool = True
    ) -> aiohttp.web.Response:
        body: dict[str, t.Any] = {"status": status}
        if settings.health_details and results:
            body["checks"] = {one.check.name: one.as_json() for one in results}
        return json.response(body, status=200 if fine else 503)

    async def live(request: aiohttp.web.Request) -> aiohttp.web.Response:
        del request
        return answer("live")

    async def ready(request: aiohttp.web.Request) -> aiohttp.web.Response:
        del request
        if cancel.is_set():
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

    router = context.get(aiohttp.web.Application).router
    router.add_get("/health/live", live)
    router.add_get("/health/ready", ready)
    router.add_get("/health/startup", startup)


def _add_entry_points(checks: Checks) -> None:
    """Have a check of the application see what the checks of health call."""
    for function in checks.functions():
        di.add_entry_point(function)


__all__ = ["Check", "add_check", "prepare"]
