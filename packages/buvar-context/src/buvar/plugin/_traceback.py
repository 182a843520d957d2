"""Show of a traceback what the user wrote, not how it was called."""

from __future__ import annotations

import types
import typing as t


#: Packages whose frames say nothing of a failure, above those of a user.
_MACHINERY: t.Final = frozenset(
    {"asyncio", "buvar", "buvar_aiohttp", "click", "contextlib", "importlib"}
)
#: The packages whose errors tell themselves what is wrong.
_OURS: t.Final = frozenset({"buvar", "buvar_aiohttp"})


def shorten(error: BaseException) -> None:
    """
    Take the frames of the machinery out of the traceback of an exception.

    They stay where there are no others, and below the last frame of the
    user's, unless the exception is one of ours: that explains itself. A group
    keeps them in neither case: its members say where they were raised. The
    exceptions that it was caused by and those of a group are treated alike.
    """
    _shorten(error, set(), explained=False)


def begin_here(error: BaseException) -> BaseException:
    """
    Have the traceback of a failed stage begin where it is raised again.

    Returns:
        The exception, shortened; what interrupted the user's code keeps the
        frames of it.
    """
    shorten(error)
    entry = error.__traceback__
    raised: type[t.Any] = type(error)
    if issubclass(raised, BaseExceptionGroup | KeyboardInterrupt) and (
        entry is None or _is_machinery(entry)
    ):
        error.__traceback__ = None
    return error


def _shorten(error: BaseException, seen: set[int], *, explained: bool) -> None:
    if id(error) in seen:
        return
    seen.add(id(error))
    explained = explained or _package(type(error).__module__) in _OURS
    # A syntax error has its place; its frames are those of the import. So
    # have the members of a group.
    raised: type[t.Any] = type(error)
    short = explained or issubclass(raised, SyntaxError | BaseExceptionGroup)
    error.__traceback__ = _link(_visible(error, explained=short))
    inner: list[BaseException | None] = [error.__cause__, error.__context__]
    if isinstance(error, BaseExceptionGroup):
        group = t.cast("BaseExceptionGroup[BaseException]", error)
        inner += group.exceptions
    for other in inner:
        if other is not None:
            _shorten(other, seen, explained=explained)


def _visible(
    error: BaseException, *, explained: bool
) -> list[types.TracebackType]:
    entries: list[types.TracebackType] = []
    entry = error.__traceback__
    while entry is not None:
        entries.append(entry)
        entry = entry.tb_next
    written = [
        n for n, frame in enumerate(entries) if not _is_machinery(frame)
    ]
    if not written:
        return [] if explained else entries
    shown = [entries[n] for n in written]
    # A Ctrl-C is raised by our handler, wherever the user's code is.
    if not explained and not isinstance(error, KeyboardInterrupt):
        shown += entries[written[-1] + 1 :]
    return shown


def _link(
    entries: list[types.TracebackType],
) -> types.TracebackType | None:
    following: types.TracebackType | None = None
    for entry in reversed(entries):
        entry.tb_next = following
        following = entry
    return following


def _is_machinery(entry: types.TracebackType) -> bool:
    frame = entry.tb_frame
    module = str(frame.f_globals.get("__name__", ""))
    return _package(
        module
    ) in _MACHINERY or frame.f_code.co_filename.startswith("<frozen ")


def _package(module: str | None) -> str:
    return (module or "").partition(".")[0]
