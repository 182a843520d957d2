"""
What the stages of workers return, on its way to the parent.

It goes there as data that cannot run anything: JSON, in which everything
that JSON does not know is a table with the name of its type. So the parent,
which may have more rights than its workers, never builds what a worker has
invented; what has no such form is refused.
"""

from __future__ import annotations

import asyncio
import base64
import builtins
import dataclasses
import datetime as dt
import decimal
import json
import math
import pathlib
import typing as t
import uuid

from ._errors import ResultError
from ._errors import TaskFailedError
from ._ipc import LIMITS
from ._ipc import Kind
from ._ipc import MessageError


#: Deeper than this is a mistake, not data.
_DEPTH: t.Final = 50
#: The largest integer that JSON writers and readers agree on, in bits.
_BITS: t.Final = 63


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _hex(text: str) -> int:
    return int(text, 16)


def _days(value: dt.timedelta) -> str:
    return f"{value.days} {value.seconds} {value.microseconds}"


def _timedelta(text: str) -> dt.timedelta:
    return dt.timedelta(*map(int, text.split(" ")))


#: What JSON has no form for, by the name that is sent: how to write it, and
#: how to read it. Only exactly these types: a subclass would come out as
#: something else than it was.
_SCALARS: t.Final[dict[str, tuple[type[object], t.Any, t.Any]]] = {
    "bytes": (bytes, _base64, _bytes),
    "complex": (complex, repr, complex),
    "date": (dt.date, dt.date.isoformat, dt.date.fromisoformat),
    "datetime": (
        dt.datetime,
        dt.datetime.isoformat,
        dt.datetime.fromisoformat,
    ),
    "decimal": (decimal.Decimal, str, decimal.Decimal),
    "float": (float, repr, float),
    "int": (int, hex, _hex),
    "path": (type(pathlib.Path()), str, pathlib.Path),
    "time": (dt.time, dt.time.isoformat, dt.time.fromisoformat),
    "timedelta": (dt.timedelta, _days, _timedelta),
    "uuid": (uuid.UUID, str, uuid.UUID),
}
_NAMES: t.Final[dict[type[object], str]] = {
    facts[0]: name
    for name, facts in _SCALARS.items()
    if name not in {"int", "float"}
}
_SEQUENCES: t.Final[t.Mapping[str, t.Any]] = {
    "frozenset": frozenset,
    "set": set,
    "tuple": tuple,
}
#: Exceptions that come out as themselves: to build one runs no code of
#: anybody else.
_EXCEPTIONS: t.Final[t.Mapping[str, type[BaseException]]] = {
    "CancelledError": asyncio.CancelledError,
    **{
        name: kind
        for name, kind in vars(builtins).items()
        if isinstance(kind, type)
        and issubclass(kind, BaseException)
        and not issubclass(kind, BaseExceptionGroup)
    },
}


@dataclasses.dataclass(frozen=True, slots=True)
class Refused:
    """
    Stands for a result that cannot be handed to the parent.

    Attributes:
        number: Which of the results of its worker it was, from 1.
        reason: Why it cannot.
    """

    number: int
    reason: str


class _CannotError(Exception):
    """A value has no form in which it could be sent."""


def pack(results: t.Iterable[t.Any], *, signalled: bool) -> bytes:
    """Make results bytes; what cannot be sent says so in its place."""
    items = [
        _pack(number, item) for number, item in enumerate(results, start=1)
    ]
    limit = LIMITS[Kind.RESULTS]
    data = _dump(signalled, items)
    size = len(data)
    # The largest go first, until the others fit.
    sizes = [len(_json(item)) for item in items]
    for index in sorted(range(len(items)), key=lambda index: -sizes[index]):
        if size <= limit:
            break
        refusal = _refusal(
            index + 1,
            f"it takes {sizes[index]} bytes, where all results of a worker "
            f"may take {limit}",
        )
        size += len(_json(refusal)) - sizes[index]
        items[index] = refusal
    if size > limit:
        items = [_refusal(1, f"there are {len(items)} of them")]
    return _dump(signalled, items)


def _refusal(number: int, reason: str) -> dict[str, t.Any]:
    return {"refused": [number, reason]}


def _dump(signalled: bool, items: list[t.Any]) -> bytes:  # noqa: FBT001
    return _json([signalled, items]).encode()


def _json(value: t.Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _pack(number: int, item: t.Any) -> t.Any:
    try:
        return _write(item, _DEPTH)
    except _CannotError as error:
        return _refusal(number, str(error))


def _write(value: t.Any, depth: int) -> t.Any:
    """Return the form of a value that JSON can say."""
    kind = t.cast("t.Any", type(value))
    if value is None or kind is bool or kind is str:
        return value
    if kind is int:
        return value if value.bit_length() <= _BITS else {"int": hex(value)}
    if kind is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if kind in _NAMES:
        name = _NAMES[kind]
        return {name: _SCALARS[name][1](value)}
    if depth == 0:
        raise _CannotError("it is nested too deeply, or contains itself")
    return _write_container(value, kind, depth - 1)


def _write_container(value: t.Any, kind: type, depth: int) -> t.Any:
    if kind is list:
        return [_write(item, depth) for item in value]
    if kind is dict:
        pairs = [
            [_write(key, depth), _write(item, depth)]
            for key, item in value.items()
        ]
        return {"dict": pairs}
    for name, sequence in _SEQUENCES.items():
        if kind is sequence:
            return {name: [_write(item, depth) for item in value]}
    if isinstance(value, BaseException):
        return _write_exception(value, depth)
    raise _CannotError(
        f"it is, or contains, an object of {kind.__module__}."
        f"{kind.__qualname__}"
    )


def _write_exception(error: BaseException, depth: int) -> t.Any:
    """Write an exception as itself, or else as what it says."""
    kind = type(error)
    notes = [str(note) for note in getattr(error, "__notes__", ())]
    if isinstance(error, BaseExceptionGroup):
        group = t.cast("BaseExceptionGroup[BaseException]", error)
        members = [_write(each, depth) for each in group.exceptions]
        return {"group": [group.message, members, notes]}
    if _EXCEPTIONS.get(kind.__name__) is kind:
        try:
            arguments = [_write(item, depth) for item in error.args]
        except _CannotError:
            pass
        else:
            return {"exception": [kind.__name__, arguments, notes]}
    try:
        text = str(error)
    except Exception as failure:  # noqa: BLE001 - anybody's text
        text = f"<its text raised {type(failure).__name__}>"
    name = f"{kind.__module__}.{kind.__qualname__}"
    return {"failure": [name, text, notes]}


def unpack(data: bytes) -> tuple[bool, list[t.Any]]:
    """
    Return whether a signal has ended the stage, and the results.

    Raises:
        MessageError: These are not results.
    """
    try:
        signalled, items = _listed(json.loads(data))
        return _truth(signalled), [_read(item) for item in _listed(items)]
    except (
        ArithmeticError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise MessageError(f"results that make no sense: {error!r}") from error


def _read(value: t.Any) -> t.Any:
    """Return what a value was before it was written."""
    if isinstance(value, list):
        return [_read(item) for item in t.cast("t.Any", value)]
    if isinstance(value, dict):
        ((name, inner),) = t.cast("dict[str, t.Any]", value).items()
        return _read_special(name, inner)
    return value


def _read_special(name: str, inner: t.Any) -> t.Any:
    """Return what was written as a table with the name of its type."""
    if name in _SCALARS:
        if not isinstance(inner, str):
            raise TypeError(f"{name} is written as text")
        return _SCALARS[name][2](inner)
    if name in _SEQUENCES:
        return _SEQUENCES[name](map(_read, _listed(inner)))
    if name == "dict":
        pairs = map(_listed, _listed(inner))
        return {_read(key): _read(item) for key, item in pairs}
    if name == "refused":
        number, reason = _listed(inner)
        return Refused(int(number), str(reason))
    return _read_exception(name, inner)


def _read_exception(name: str, inner: t.Any) -> BaseException:
    first, second, notes = _listed(inner)
    error: BaseException
    if name == "exception":
        error = _EXCEPTIONS[first](*map(_read, _listed(second)))
    elif name == "failure":
        error = TaskFailedError(str(first), str(second))
    elif name == "group":
        members = [_read(each) for each in _listed(second)]
        error = BaseExceptionGroup(str(first), members)
    else:
        raise LookupError(name)
    for note in _listed(notes):
        error.add_note(str(note))
    return error


def _truth(value: t.Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("expected a truth value")
    return value


def _listed(value: t.Any) -> list[t.Any]:
    if not isinstance(value, list):
        raise TypeError("expected a list")
    items: list[t.Any] = t.cast("t.Any", value)
    return items


def checked(results: list[t.Any]) -> list[t.Any]:
    """
    Return the results of all workers.

    Raises:
        ResultError: One of them could not be handed over.
    """
    refused = [item for item in results if isinstance(item, Refused)]
    if refused:
        plain = [item for item in results if not isinstance(item, Refused)]
        raise ResultError(refused[0].number, refused[0].reason, plain)
    return results
