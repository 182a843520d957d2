"""Log what nobody caught, and warnings."""

from __future__ import annotations

import logging
import sys
import threading
import typing as t
import warnings

from ._clean import safe_repr
from ._exception import safe_str
from ._handler import OWN


Undo: t.TypeAlias = t.Callable[[], None]


def replace(owner: t.Any, name: str, new: t.Any) -> Undo:
    """Set an attribute; the function returned sets it back if still ours."""
    old = getattr(owner, name)
    setattr(owner, name, new)

    def undo() -> None:
        if getattr(owner, name) is new:
            setattr(owner, name, old)

    return undo


def hook_uncaught() -> list[Undo]:
    """Log uncaught exceptions of the main thread, threads and finalizers."""
    return [
        replace(sys, "excepthook", _excepthook(sys.excepthook)),
        replace(threading, "excepthook", _thread_hook),
        replace(sys, "unraisablehook", _unraisable(sys.unraisablehook)),
    ]


def hook_warnings() -> list[Undo]:
    """Log warnings that are shown, with what they say as fields."""
    return [replace(warnings, "showwarning", _showwarning(warnings))]


def _excepthook(previous: t.Any) -> t.Any:
    def excepthook(kind: t.Any, error: t.Any, trace: t.Any) -> None:
        if issubclass(kind, KeyboardInterrupt):
            previous(kind, error, trace)
            return
        logging.getLogger(OWN).critical(
            "uncaught exception", exc_info=(kind, error, trace)
        )

    return excepthook


def _thread_hook(args: threading.ExceptHookArgs) -> None:
    if issubclass(args.exc_type, SystemExit):
        return
    error = args.exc_value or args.exc_type()
    logging.getLogger(OWN).error(
        "uncaught exception in a thread",
        exc_info=(args.exc_type, error, args.exc_traceback),
        extra={"thread_name": args.thread.name if args.thread else None},
    )


def _unraisable(previous: t.Any) -> t.Any:
    def unraisablehook(args: t.Any) -> None:
        if sys.is_finalizing():  # pragma: no cover - coverage has ended
            previous(args)
            return
        error = args.exc_value or args.exc_type()
        extra = {"where": args.err_msg or "Exception ignored in"}
        # From Python 3.14 on the message names it, mostly.
        if args.object is not None:
            # Only the text of the object: keeping it would resurrect it.
            extra["object"] = safe_repr(args.object)
        logging.getLogger(OWN).error(
            "unraisable exception",
            exc_info=(args.exc_type, error, args.exc_traceback),
            extra=extra,
        )

    return unraisablehook


def _showwarning(module: t.Any) -> t.Any:
    previous = module.showwarning

    def showwarning(  # noqa: PLR0917 - as the module calls it
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: t.TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if file is not None:
            previous(message, category, filename, lineno, file, line)
            return
        logging.getLogger("py.warnings").warning(
            "%s",
            safe_str(message),
            extra={
                "category": category.__name__,
                "file": filename,
                "line": lineno,
            },
        )

    return showwarning
