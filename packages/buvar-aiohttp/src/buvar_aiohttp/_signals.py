"""Signals that stop the stage, where the stage itself handles none."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import typing as t


_STOP: t.Final = (signal.SIGINT, signal.SIGTERM)
_DEFAULTS: t.Final = (signal.SIG_DFL, signal.default_int_handler)


@contextlib.contextmanager
def stop_on_signals(cancel: asyncio.Event) -> t.Generator[None]:
    """
    Stop the stage on ``INT`` and ``TERM`` for the length of a block.

    aiohttp's own handlers raise ``SystemExit`` in the event loop, so that no
    request is answered and the process exits with 1. What handles a signal
    already, such as the stage, is left alone.
    """
    loop = asyncio.get_running_loop()
    handled: list[tuple[signal.Signals, t.Any]] = []
    for number in _STOP:
        before = signal.getsignal(number)
        if before not in _DEFAULTS:
            continue
        # Only the main thread can, and not on each platform.
        with contextlib.suppress(
            NotImplementedError, RuntimeError, ValueError
        ):
            loop.add_signal_handler(number, cancel.set)
            handled.append((number, before))
    try:
        yield
    finally:
        for number, before in handled:
            loop.remove_signal_handler(number)
            signal.signal(number, before)
