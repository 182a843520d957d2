"""What the stages of workers return, on its way to the parent."""

from __future__ import annotations

import pickle
import typing as t


def pack(results: t.Iterable[t.Any], *, signalled: bool) -> bytes:
    """
    Make results bytes.

    Each is one for itself: what cannot be taken to the parent is replaced by
    its ``repr``.
    """
    return pickle.dumps((signalled, [_pack(item) for item in results]))


def _pack(item: t.Any) -> bytes:
    try:
        data = pickle.dumps(item)
        # Many an exception can be written, but not read.
        pickle.loads(data)  # noqa: S301 - one's own
    except Exception:  # noqa: BLE001 - pickle raises what it wants
        return pickle.dumps(repr(item))
    return data


def unpack(data: bytes) -> tuple[bool, list[t.Any]]:
    """Return whether a signal has ended the stage, and the results."""
    signalled, results = pickle.loads(data)  # noqa: S301 - of its own child
    return signalled, [_unpack(item) for item in results]


def _unpack(data: bytes) -> t.Any:
    try:
        return pickle.loads(data)  # noqa: S301 - of its own child
    except Exception as error:  # noqa: BLE001 - pickle raises what it wants
        # Made of what only the worker has imported.
        return f"<not to be read by the parent: {error!r}>"
