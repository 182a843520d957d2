"""The worker, as the plugins in it see it."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import random
import select
import typing as t

from ._ipc import Kind
from ._ipc import Sender
from ._sockets import Socket


_log = logging.getLogger("buvar.fork")

#: How much sooner than asked a worker may be replaced, so that not all are
#: replaced at once.
_JITTER: t.Final = 0.1


def _go_on(told: asyncio.Future[None]) -> None:
    """Have whoever waits go on, once."""
    if not told.done():
        told.set_result(None)


def _check_delay(seconds: float) -> None:
    """Refuse a delay that cannot be waited for."""
    if not 0 <= seconds < math.inf:
        msg = f"A delay is a number of seconds from 0 on, not {seconds!r}."
        raise ValueError(msg)


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
        signalled: Whether a signal has told it to end.
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
        exclusive: bool = False,
    ) -> None:
        self.slot = slot
        self.generation = generation
        self.role = role
        self.work_count = 0
        self.signalled = False
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
        self._exclusive = exclusive
        self._asked = False
        #: What may be busy at the end, and for how many seconds it counts.
        self._busy: dict[object, float] = {}

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

        Raises:
            ValueError: That cannot be waited for.
        """
        _check_delay(seconds)
        self._tell(Kind.DELAY, seconds)

    def delay_stop_while_busy(self, seconds: float) -> t.Callable[[], None]:
        """
        Have connections be accepted at the end for as long as work goes on.

        Where anything has asked for a fixed delay with ``delay_stop``, only
        that one counts. A second signal ends the workers at once, as it does
        without a delay.

        Args:
            seconds: How long at most.

        Raises:
            ValueError: That cannot be waited for.

        Returns:
            What to call after ``stopping``, as soon as nothing is to be done:
            the service stops once all have called it. It may be called twice.

        Example:
            >>> async def watch(worker: Worker, requests: set[object]) -> None:
            ...     idle = worker.delay_stop_while_busy(1.0)
            ...     await worker.stopping()
            ...     while requests:
            ...         await asyncio.sleep(0.01)
            ...     idle()
        """
        _check_delay(seconds)
        claim = object()
        self._busy[claim] = seconds
        self._tell_busy()

        def idle() -> None:
            if self._busy.pop(claim, None) is not None:
                self._tell_busy()

        return idle

    def _tell_busy(self) -> None:
        self._tell(Kind.BUSY, max(self._busy.values(), default=0.0))

    def _tell(self, kind: Kind, seconds: float) -> None:
        if self._sender is not None:
            self._sender.send(kind, b"%.9g" % seconds)

    async def stopping(self) -> None:
        """
        Wait until the service begins to stop, a delay before its workers do.

        Without a supervisor (``forks=1``), and when only this worker is told
        to end, this is never told: wait for ``plugin.Cancel`` as well.
        """
        loop = asyncio.get_running_loop()
        told: asyncio.Future[None] = loop.create_future()
        if self._stopping is None:
            await told
            return
        # A copy for each who waits: a loop has one callback for a descriptor.
        copy = os.dup(self._stopping)
        try:
            loop.add_reader(copy, _go_on, told)
            await told
        finally:
            loop.remove_reader(copy)
            os.close(copy)

    @property
    def retired(self) -> bool:
        """
        Whether this worker was told to end, while the service goes on.

        The others serve what it has served, and in its place a successor,
        after ``HUP`` or ``recycle``. One of an exclusive role is never
        retired: there is nobody else until it has ended.
        """
        if not self.signalled or self._exclusive or self._stopping is None:
            return False
        poll = select.poll()
        poll.register(self._stopping, select.POLLIN)
        return not poll.poll(0)

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
