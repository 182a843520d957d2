"""Show where something that is awaited is at the moment."""

from __future__ import annotations

import asyncio
import traceback
import types
import typing as t


def stack_of(awaited: t.Any) -> str:
    """
    Return the stack of a task, a coroutine or an async generator.

    Returns:
        Lines as those of a traceback, outermost first.
    """
    if isinstance(awaited, asyncio.Task):
        awaited = t.cast("t.Any", awaited).get_coro()
    frames: list[traceback.FrameSummary] = []
    while awaited is not None:
        frame, awaited = _step(awaited)
        if frame is not None:
            summary = traceback.StackSummary.extract(
                iter([(frame, frame.f_lineno)])
            )
            frames.extend(summary)
    return "".join(traceback.format_list(frames)) or "  (no Python code)\n"


def _step(awaited: t.Any) -> tuple[types.FrameType | None, t.Any]:
    """Return the frame of something awaited, and what that awaits."""
    for prefix, inner in (
        ("cr", "cr_await"),
        ("ag", "ag_await"),
        ("gi", "gi_yieldfrom"),
    ):
        if hasattr(awaited, inner):
            return getattr(awaited, f"{prefix}_frame"), getattr(awaited, inner)
    return None, None
