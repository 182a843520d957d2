"""
Whether a worker serves what it was given to listen on.

The kernel completes the connections of a socket that listens, whoever reads
from it, or nobody: clients of one that no plugin serves would wait for ever.
Most servers ask for their socket while they are prepared. Others do so in
their tasks, which start a little later, so these get some seconds.

A worker that serves some of its sockets has forgotten the others: it fails to
boot. One that serves none may be about to, so that it is only warned about,
unless ``unserved="error"`` says that it is to serve what was bound for it.
"""

from __future__ import annotations

import asyncio
import logging
import typing as t

from buvar import context
from buvar import plugin

from ._errors import UnservedSocketError
from ._sockets import Socket


_log = logging.getLogger("buvar.fork")

#: Seconds in which tasks are to ask for their sockets.
_PATIENCE: t.Final = 5.0
#: Seconds between two looks.
_TICK: t.Final = 0.01


class Serving:
    """
    Tells when a worker is ready: once its sockets are served.

    Args:
        sockets: The sockets.
        on_ready: Called once it is ready.
        strict: Whether one has to be served at all.
    """

    def __init__(
        self,
        sockets: t.Iterable[Socket],
        on_ready: t.Callable[[], object],
        *,
        strict: bool,
    ) -> None:
        self._sockets = list(sockets)
        self._on_ready = on_ready
        self._strict = strict
        self._due = 0.0
        self._waits = False
        self._error: UnservedSocketError | None = None

    def begin(self) -> None:
        """Look; the plugins are prepared, and their tasks about to run."""
        loop = asyncio.get_running_loop()
        self._due = loop.time() + _PATIENCE
        self._waits = True
        unserved = self._unserved()
        if not self._strict and len(unserved) == len(self._sockets):
            self._done()
        if unserved:
            loop.call_later(_TICK, self._look, context.get(plugin.Stage))
        else:
            self._done()

    def end(self) -> None:
        """
        Conclude, as the stage has ended well.

        Raises:
            UnservedSocketError: It was ended because of a socket.
        """
        if self._error is not None:
            raise self._error
        self._done()

    def _unserved(self) -> list[str]:
        return [item.uri for item in self._sockets if not item.served]

    def _look(self, stage: plugin.Stage) -> None:
        if stage.cancel.is_set():
            if self._waits and stage.state is not plugin.State.ENDED:
                # It was not ready: there is nothing to wait for.
                stage.stop()
            return
        loop = asyncio.get_running_loop()
        uris = self._unserved()
        if not uris:
            self._done()
        elif loop.time() < self._due:
            loop.call_later(_TICK, self._look, stage)
        elif self._waits:
            self._error = UnservedSocketError(uris, _PATIENCE)
            # Twice, as there is nothing to wait for.
            stage.stop()
            stage.stop()
        else:
            error = UnservedSocketError(uris, _PATIENCE)
            _log.warning("%s", error, extra={"uris": uris})

    def _done(self) -> None:
        """Be ready, once."""
        if self._waits:
            self._waits = False
            self._on_ready()
