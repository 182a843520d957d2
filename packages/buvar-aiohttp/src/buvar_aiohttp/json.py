"""JSON with orjson where it is installed, else with the standard library."""

from __future__ import annotations

import math
import re
import typing as t

import aiohttp.web


_JSON: t.Final = "application/json"
_Response = aiohttp.web.Response
_dumps: t.Callable[[t.Any], bytes]

#: A half of a pair of UTF-16, as an escape.
_SURROGATE: t.Final = re.compile(r"\\u[dD][89a-fA-F]")


def _refuse(constant: str) -> t.NoReturn:
    msg = f"JSON has no {constant}"
    raise ValueError(msg)


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        msg = "a number is too large"
        raise ValueError(msg)
    return value


try:
    import orjson
except ImportError:
    import json as _json

    def dumps(value: t.Any) -> bytes:
        """Return JSON as bytes."""
        return _json.dumps(value, separators=(",", ":")).encode()

    _dumps = dumps

    def loads(text: str | bytes) -> t.Any:
        """Return what JSON says."""
        # As strict as orjson: UTF-8, and neither NaN nor half a character.
        if isinstance(text, bytes):
            text = text.decode()
        value = _loads(text)
        if _SURROGATE.search(text):
            _json.dumps(value, ensure_ascii=False).encode()
        return value

    _loads = _json.JSONDecoder(
        parse_constant=_refuse, parse_float=_finite
    ).decode

else:

    def dumps(value: t.Any) -> bytes:
        """Return JSON as bytes."""
        return orjson.dumps(value)

    _dumps = orjson.dumps

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
    if not options:
        # The usual case, which is quicker so.
        return _Response(body=_dumps(value), content_type=_JSON)
    options.setdefault("content_type", _JSON)
    return _Response(body=_dumps(value), **options)


__all__ = ["dumps", "loads", "response"]
