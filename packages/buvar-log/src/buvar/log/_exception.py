"""Exceptions as structure: type, text, notes, frames, causes, groups."""

from __future__ import annotations

import traceback
import types
import typing as t

from ._clean import safe_repr


#: As ``sys.exc_info()`` returns it.
ExcInfo: t.TypeAlias = tuple[
    type[BaseException] | None,
    BaseException | None,
    types.TracebackType | None,
]

#: Masks the secrets in a text.
Hide: t.TypeAlias = t.Callable[[str], str]

_FRAMES = 50
_CHAIN = 20
_MEMBERS = 20
_DEPTH = 5


def exception_dicts(
    exc_info: ExcInfo, hide: Hide = str
) -> list[dict[str, t.Any]]:
    """
    Describe an exception, then what caused it, and so on.

    The keys are those of ``structlog.tracebacks``. Local variables are left
    out: they hold secrets.

    Args:
        exc_info: The exception.
        hide: Masks the secrets in a text.
    """
    return _chain(exc_info[1], exc_info[2], hide, depth=0)


def _chain(
    error: BaseException | None,
    trace: types.TracebackType | None,
    hide: Hide,
    depth: int,
) -> list[dict[str, t.Any]]:
    result: list[dict[str, t.Any]] = []
    seen: set[int] = set()
    is_cause = False
    while error is not None and id(error) not in seen and len(seen) < _CHAIN:
        seen.add(id(error))
        result.append(_one(error, trace, hide, is_cause=is_cause, depth=depth))
        is_cause = error.__cause__ is not None
        if is_cause:
            error = error.__cause__
        else:
            error = None if error.__suppress_context__ else error.__context__
        trace = error.__traceback__ if error is not None else None
    return result


def _one(
    error: BaseException,
    trace: types.TracebackType | None,
    hide: Hide,
    *,
    is_cause: bool,
    depth: int,
) -> dict[str, t.Any]:
    described: dict[str, t.Any] = {
        "exc_type": type(error).__qualname__,
        "exc_value": hide(safe_str(error)),
        "is_cause": is_cause,
    }
    if notes := getattr(error, "__notes__", None):
        described["exc_notes"] = [
            hide(safe_str(note)) for note in _listed(notes)
        ]
    if isinstance(error, SyntaxError):
        described["syntax_error"] = {
            "filename": error.filename or "?",
            "lineno": error.lineno or 0,
            "offset": error.offset or 0,
            "line": hide((error.text or "").rstrip("\n")),
            "msg": error.msg,
        }
    described["frames"] = _frames(trace)
    if isinstance(error, BaseExceptionGroup):
        group = t.cast("BaseExceptionGroup[BaseException]", error)
        described["is_group"] = True
        described["exceptions"] = _members(group, hide, depth + 1)
    return described


def _members(
    group: BaseExceptionGroup[BaseException], hide: Hide, depth: int
) -> list[list[dict[str, t.Any]]]:
    if depth > _DEPTH:
        return []
    return [
        _chain(each, each.__traceback__, hide, depth)
        for each in group.exceptions[:_MEMBERS]
    ]


def _frames(trace: types.TracebackType | None) -> list[dict[str, t.Any]]:
    frames = [
        {
            "filename": frame.f_code.co_filename,
            "lineno": lineno,
            "name": frame.f_code.co_qualname,
        }
        for frame, lineno in traceback.walk_tb(trace)
    ]
    if len(frames) <= _FRAMES:
        return frames
    half = _FRAMES // 2
    gap = {
        "filename": "",
        "lineno": -1,
        "name": f"Skipped frames: {len(frames) - 2 * half}",
    }
    return [*frames[:half], gap, *frames[-half:]]


def _listed(notes: t.Any) -> list[t.Any]:
    """Notes are a list by convention only."""
    if isinstance(notes, list | tuple):
        return list(t.cast("t.Sequence[t.Any]", notes))
    return [notes]


def safe_str(value: object) -> str:
    """Return the text of an exception or a note, else its repr."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - anybody's text
        return safe_repr(value)
