"""Names for requests, few of them however many requests there are."""

from __future__ import annotations

import typing as t

import aiohttp.hdrs
import aiohttp.web


#: What stands for a method that HTTP does not know: a client invents it.
OTHER: t.Final = "_OTHER"
_METHODS: t.Final = frozenset(map(str, aiohttp.hdrs.METH_ALL)) - {"CONNECT"}


#: The routes of ``buvar_aiohttp.health``.
HEALTH: t.Final = frozenset(
    {"/health/live", "/health/ready", "/health/startup"}
)


def known_method(method: str) -> str:
    """Return a method, ``_OTHER`` for one that is not known."""
    return method if method in _METHODS else OTHER


def method_of(request: aiohttp.web.Request) -> str:
    """Return the method of a request, ``_OTHER`` for one that is not known."""
    return known_method(request.method)


def route_of(request: aiohttp.web.BaseRequest) -> str | None:
    """Return the template of the route, ``None`` if no route matched."""
    try:
        known = t.cast("aiohttp.web.Request", request)
        resource = known.match_info.route.resource
    except (AssertionError, AttributeError):
        # It was malformed, so that no route was looked for.
        return None
    return None if resource is None else resource.canonical
