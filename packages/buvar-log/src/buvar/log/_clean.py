"""
Turn anybody's objects into what JSON can say.

Nothing here raises: what has no better form is written by its repr, and what
has no repr is named by its type.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import math
import sys
import typing as t

from collections.abc import Mapping

from ._redact import MASK
from ._redact import Secrets


#: Types that go into JSON as they are.
PLAIN: t.Final = frozenset({str, int, float, bool, type(None)})

#: Deeper than this is a mistake, not structure.
_DEPTH = 64
#: More containers than this in one event are a mistake, too.
_CONTAINERS = 10_000
_REPR = 10_000
#: A name and its value.
_PAIR = 2
_CUT = "..."
#: Larger integers are written in hexadecimal (decimal is quadratic).
_BITS = 4096


class Cleaner:
    """
    Make copies of values with string keys, without secrets and cycles.

    Args:
        secrets: Says which keys are secret.
        strict: Also replace what only some JSON writers accept: objects,
            not-a-number, lone surrogates and overlong integers.
    """

    def __init__(self, secrets: Secrets, *, strict: bool = False) -> None:
        self._secrets = secrets
        self._strict = strict

    def __call__(self, value: object) -> t.Any:
        """Return a clean copy, or the value where it is clean."""
        return self._clean(value, (), [_CONTAINERS])

    def unknown(self, value: object) -> t.Any:
        """Return something else for what the JSON writer does not know."""
        try:
            return self._object(value, (), [_CONTAINERS])
        except Exception:  # noqa: BLE001 - anybody's properties may raise
            return safe_repr(value)

    def _clean(
        self, value: t.Any, parents: tuple[int, ...], budget: list[int]
    ) -> t.Any:
        if type(value) is str:
            value = self._secrets.hide(value)
        if type(value) in PLAIN:
            return self._plain(value) if self._strict else value
        if isinstance(value, Mapping | list | tuple):
            try:
                return self._container(value, parents, budget)
            except Exception:  # noqa: BLE001 - anybody's container
                return safe_repr(t.cast("object", value))
        if not self._strict:
            return value
        try:
            return self._object(value, parents, budget)
        except Exception:  # noqa: BLE001 - anybody's properties may raise
            return safe_repr(value)

    def _container(
        self, value: t.Any, parents: tuple[int, ...], budget: list[int]
    ) -> t.Any:
        if id(value) in parents or len(parents) >= _DEPTH or budget[0] <= 0:
            return _CUT
        budget[0] -= 1
        inner = (*parents, id(value))
        if self._is_secret_pair(value):
            return [self._clean(value[0], inner, budget), MASK]
        if isinstance(value, Mapping):
            mapping = t.cast("Mapping[object, object]", value)
            # The list is a snapshot: another thread may change the dict.
            return self._pairs(list(mapping.items()), inner, budget)
        return [self._clean(item, inner, budget) for item in list(value)]

    def _is_secret_pair(self, value: t.Any) -> bool:
        """Tell whether this is a header, say: a secret name and its value."""
        if isinstance(value, Mapping) or len(value) != _PAIR:
            return False
        name, content = value
        if isinstance(name, bytes):
            name = name.decode("latin-1")
        return (
            isinstance(name, str)
            and isinstance(content, str | bytes)
            and self._secrets[str(name)]
        )

    def _pairs(
        self,
        pairs: t.Iterable[tuple[object, object]],
        parents: tuple[int, ...],
        budget: list[int],
    ) -> dict[str, t.Any]:
        result: dict[str, t.Any] = {}
        for key, value in pairs:
            name = key if type(key) is str else key_text(key)
            if self._strict:
                name = _text(name)
            if name in result:
                name = f"{name} ({type(key).__name__})"
            result[name] = (
                MASK
                if self._secrets[name]
                else self._clean(value, parents, budget)
            )
        return result

    def _object(
        self, value: t.Any, parents: tuple[int, ...], budget: list[int]
    ) -> t.Any:
        if isinstance(value, enum.Enum):
            return self._clean(value.value, parents, budget)
        for kind in (str, int, float):
            if isinstance(value, kind):
                return self._clean(kind(value), parents, budget)
        if isinstance(value, dt.datetime | dt.date | dt.time):
            return value.isoformat()
        if _is_uuid(value):
            return str(value)
        return _text(self._secrets.hide(self._repr(value)))

    def _repr(self, value: object) -> str:
        """Return the repr, written anew where it would show a secret."""
        fields = _fields(value)
        if not any(self._secrets[name] for name, _ in fields):
            return safe_repr(value)
        shown = ", ".join(
            f"{name}={MASK if self._secrets[name] else text}"
            for name, write in fields
            for text in [_written(write, getattr(value, name, None))]
        )
        return f"{type(value).__qualname__}({shown})"

    @staticmethod
    def _plain(value: t.Any) -> t.Any:
        if type(value) is str:
            return _text(value)
        if type(value) is float and not math.isfinite(value):
            return None
        if type(value) is int and value.bit_length() > _BITS:
            return hex(value)
        return value


def _is_uuid(value: object) -> bool:
    """Tell whether it is one, without importing what makes them."""
    module: t.Any = sys.modules.get("uuid")
    return module is not None and isinstance(value, module.UUID)


def key_text(key: object) -> str:
    """Return the text of a key as JSON writers have it, else its repr."""
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    if isinstance(key, enum.Enum):
        return key_text(key.value)
    if isinstance(key, str | int | float) or _is_uuid(key):
        try:
            return str(key)
        except Exception:  # noqa: BLE001 - a subclass of anybody
            return safe_repr(key)
    return safe_repr(key)


def safe_repr(value: object) -> str:
    """Return the repr, cut when very long, or what there is without one."""
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - anybody's repr
        kind = type(value)
        return (
            f"<{kind.__module__}.{kind.__qualname__} object, its repr raised "
            f"{type(error).__name__}>"
        )
    if len(text) > _REPR:
        return f"{text[:_REPR]}{_CUT} ({len(text) - _REPR} more characters)"
    return text


def _text(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot say."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _fields(value: object) -> list[tuple[str, t.Any]]:
    """Return what a dataclass or attrs instance shows in its repr, and how."""
    if dataclasses.is_dataclass(value):
        fields: t.Any = dataclasses.fields(value)
    else:
        fields = getattr(type(value), "__attrs_attrs__", ())
    # Attrs allows a function in place of the repr, perhaps to hide a value.
    return [(each.name, each.repr) for each in fields if each.repr]


def _written(write: t.Any, value: object) -> str:
    return safe_repr(value) if write is True else str(write(value))
