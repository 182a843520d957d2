"""JSON with orjson where it is installed, else with the standard library."""

from __future__ import annotations

import typing as t

import aiohttp.web


try:
    import orjson
except ImportError:
    import json as _json

    def dumps(value: t.Any) -> bytes:
        """Return JSON as bytes."""
        return _json.dumps(value, separators=(",", ":")).encode()

    def loads(text: str | bytes) -> t.Any:
        """Return what JSON says."""
        return _json.loads(text)

else:

    def dumps(value: t.Any) -> bytes:
        """Return JSON as bytes."""
        return orjson.dumps(value)

    def loads(text: str | bytes) -> t.Any:
        """Return what JSON says."""
        return orjson.loads(text)


def response(value: t.Any, **options: t.Any) -> aiohttp.web.Response:
    """
    Return a response of JSON.

    Args:
        value: What to answer.
        options: As for ``aiohttp.web.Response``, e.g. ``status``.
    """
    options.setdefault("content_type", "application/json")
    return aiohttp.web.Response(body=dumps(value), **options)


__all__ = ["dumps", "loads", "response"]
