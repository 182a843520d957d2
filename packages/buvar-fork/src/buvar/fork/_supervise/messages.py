"""From the messages of a worker to events."""

from __future__ import annotations

from .._failure import Failure
from .._results import unpack
from .._wire import Kind
from . import events as happened


def event_of(key: int, kind: Kind, payload: bytes) -> happened.Event:
    """
    Read a message.

    Args:
        key: The worker that has sent it.
        kind: What kind it is.
        payload: What it carries.
    """
    if kind is Kind.READY:
        return happened.BecameReady(key)
    if kind is Kind.BEAT:
        return happened.Heard(key, int(payload or 0))
    if kind is Kind.RECYCLE:
        return happened.RecycleAsked(key, payload.decode(errors="replace"))
    if kind is Kind.RESULTS:
        signalled, results = unpack(payload)
        return happened.StageEnded(key, tuple(results), signalled)
    return happened.StageFailed(key, Failure.unpack(payload))
