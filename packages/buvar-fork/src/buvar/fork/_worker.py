"""The worker, as the plugins in it see it."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import typing as t

from ._ipc import Kind
from ._ipc import Sender
from ._sockets import Socket


_log = logging.getLogger("buvar.fork")

#: How much sooner than asked a worker may be replaced, so that not all are
#: replaced at once.
_JITTER: t.Final = 0.1


def _tell(told: asyncio.Future[None]) -> None:
    """Have whoever waits go on, once."""
    if not told.done():
        told.set_result(None)


class SupervisorLink(t.Protocol):
    """The connection to the supervisor: for requests and reports."""

    def ask(self, uri: str, backlog: int) -> Socket:
        """Return the socket that all workers share."""
        ...

    def tell(self, modules: t.Iterable[str]) -> None:
        """Tell which modules were loaded."""
        ...


class Worker:
    """
    The worker that the code runs in, a component in each of them.

    Attributes:
        slot: The number of its place among those of its role, from 1; a
            successor has the same.
        generation: How many reloads there were when it was started.
        role: The name of its role, empty without roles.
        max_requests: After how much work it is replaced, if ever.
        work_count: How much work it has done.
        asker: Where ``bind`` asks for sockets; None without a supervisor.

    Example:
        >>> async def handle(worker: Worker) -> None:
        ...     worker.count()
    """

    def __init__(
        self,
        slot: int = 1,
        generation: int = 0,
        *,
        role: str = "",
        max_requests: int | None = None,
        jitter: int | None = None,
        sender: Sender | None = None,
        asker: SupervisorLink | None = None,
        stopping: int | None = None,
    ) -> None:
        self.slot = slot
        self.generation = generation
        self.role = role
        self.work_count = 0
        self.max_requests = max_requests
        if max_requests is not None:
            if jitter is None:
                jitter = int(_JITTER * max_requests)
            self.max_requests = max_requests - random.randint(  # noqa: S311
                0, jitter
            )
        self.asker = asker
        self._sender = sender
        self._stopping = stopping
        self._asked = False

    def count(self, number: int = 1) -> None:
        """Count work done; after ``max_requests`` the worker is replaced."""
        self.work_count += number
        most = self.max_requests
        if most is not None and self.work_count >= most:
            self.recycle(f"it has done {self.work_count} requests")

    def delay_stop(self, seconds: float) -> None:
        """
        Have connections be accepted for a while once the service stops.

        Load balancers go on to send connections until they have noticed. With
        several workers the longest delay counts; it comes before
        ``graceful_timeout``. Without a supervisor (``forks=1``) it is up to
        the server itself.

        Args:
            seconds: How long.
        """
        if self._sender is not None:
            self._sender.send(Kind.DELAY, b"%.6f" % seconds)

    async def stopping(self) -> None:
        """
        Wait until the service begins to stop, a delay before its workers do.

        Without a supervisor (``forks=1``), and where no worker has asked for
        a delay, this is never told: wait for ``plugin.Cancel`` as well.
        """
        loop = asyncio.get_running_loop()
        told: asyncio.Future[None] = loop.create_future()
        if self._stopping is None:
            await told
            return
        # A copy for each who waits: a loop has one callback for a descriptor.
        copy = os.dup(self._stopping)
        try:
            loop.add_reader(copy, _tell, told)
            await told
        finally:
            loop.remove_reader(copy)
            os.close(copy)

    def recycle(self, reason: str = "a plugin asked for it") -> None:
        """
        Ask to be replaced: a successor is started, then this one stopped.

        Without a supervisor (``forks=1``) this is only logged.
        """
        if self._asked:
            return
        self._asked = True
        if self._sender is None:
            _log.warning(
                "Nobody is there to replace this process: %s.",
                reason,
                extra={"reason": reason},
            )
        else:
            self._sender.hint(Kind.RECYCLE, reason.encode()[:1000])
