"""What a request is called where few names must stand for many requests."""

from __future__ import annotations

import typing as t

import aiohttp.hdrs
import aiohttp.web


#: What stands for a method that HTTP does not know: a client invents it.
OTHER: t.Final = "_OTHER"
_METHODS: t.Final = frozenset(map(str, aiohttp.hdrs.METH_ALL)) - {"CONNECT"}


def known_method(method: str) -> str:
    """Return a method, ``_OTHER`` for one that is not known."""
    return method if method in _METHODS else OTHER


def method_of(request: aiohttp.web.Request) -> str:
    """Return the method of a request, ``_OTHER`` for one that is not known."""
    return known_method(request.method)


def route_of(request: aiohttp.web.Request) -> str | None:
    """Return the template of the route, ``None`` if no route matched."""
    resource = request.match_info.route.resource
    return None if resource is None else resource.canonical
