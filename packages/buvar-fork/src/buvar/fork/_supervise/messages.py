"""From the messages of a worker to events."""

from __future__ import annotations

import typing as t

from buvar.fork._failure import Failure
from buvar.fork._ipc import Kind
from buvar.fork._ipc import parse_delay
from buvar.fork._ipc import parse_heartbeat
from buvar.fork._ipc import parse_reason
from buvar.fork._results import unpack

from . import events as happened


#: What the kinds of messages mean that carry nothing.
_WITHOUT_MORE: t.Final[
    t.Mapping[Kind, t.Callable[[int], happened.Message]]
] = {
    Kind.READY: happened.BecameReady,
    Kind.ENDING: happened.StageEnding,
}


def event_of(key: int, kind: Kind, payload: bytes) -> happened.Event:
    """
    Read a message.

    Args:
        key: The worker that has sent it.
        kind: What kind it is.
        payload: What it carries.

    Raises:
        MessageError: It makes no sense.
    """
    if kind in _WITHOUT_MORE:
        return _WITHOUT_MORE[kind](key)
    if kind is Kind.HEARTBEAT:
        return happened.Heard(key, parse_heartbeat(payload))
    if kind is Kind.RECYCLE:
        return happened.RecycleAsked(key, parse_reason(payload))
    if kind in {Kind.DELAY, Kind.BUSY}:
        busy = kind is Kind.BUSY
        event = happened.BusyTold if busy else happened.DelayAsked
        return event(key, parse_delay(payload))
    if kind is Kind.RESULTS:
        signalled, results = unpack(payload)
        return happened.StageEnded(key, tuple(results), signalled)
    return happened.StageFailed(key, Failure.unpack(payload))
