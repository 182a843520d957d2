"""
Event loops that a test steers: their time, and the order of their tasks.

looptime has a virtual clock, too. It is not used, as it gives every loop of a
run its hooks, knows no "only this far", and lets sockets be used while time
jumps.

Time: ``select()`` is where a loop waits. One that may not wait jumps to the
next timer instead: time passes only when nothing else can happen. What runs
in the threads of an executor can happen, so it is waited for in real time.

Order: asyncio promises the order of callbacks, on which transports and
protocols rely, but nobody is promised which of two tasks that are both ready
goes first. So among the tasks in a row at the head of the queue any may go
next, and no callback is ever overtaken.
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import random
import selectors
import typing as t


if t.TYPE_CHECKING:
    import concurrent.futures
    import types

T = t.TypeVar("T")
Ts = t.TypeVarTuple("Ts")

#: Real seconds that threads may keep time from passing, and that a loop in
#: which nothing can happen waits for one.
PATIENCE: t.Final = 5.0
#: How often time may jump without ``advance()`` being asked for it.
MOST_JUMPS: t.Final = 100_000

_REFUSED: t.Final = (
    "add_reader",
    "add_writer",
    "connect_accepted_socket",
    "connect_read_pipe",
    "connect_write_pipe",
    "create_connection",
    "create_datagram_endpoint",
    "create_server",
    "create_unix_connection",
    "create_unix_server",
    "getaddrinfo",
    "getnameinfo",
    "sock_accept",
    "sock_connect",
    "sock_recv",
    "sock_recv_into",
    "sock_recvfrom",
    "sock_recvfrom_into",
    "sock_sendall",
    "sock_sendfile",
    "sock_sendto",
    "subprocess_exec",
    "subprocess_shell",
)


class RealSocketError(RuntimeError):
    """
    Something outside of the process was to be waited for.

    Attributes:
        method: The method of the loop that was called.
    """

    def __init__(self, method: str) -> None:
        super().__init__(method)
        self.method = method

    def __str__(self) -> str:
        """Say what was called and the cure."""
        return (
            f"loop.{self.method}() was called on a virtual clock, which would "
            "jump ahead while the other side takes its time.\nGive the plugin "
            "a fake in place of what connects or listens, or leave out "
            "clock='virtual'."
        )


class StandstillError(RuntimeError):
    """
    Nothing will ever happen, or only timers go on for ever.

    Attributes:
        tasks: What waits, a line for each task.
        jumps: How often time has jumped; 0 if there is no timer.
    """

    def __init__(self, tasks: list[str], jumps: int = 0) -> None:
        super().__init__(tasks, jumps)
        self.tasks = tasks
        self.jumps = jumps

    def __str__(self) -> str:
        """Say what waits and the cure."""
        why = "no timer is set and nothing is ready"
        if self.jumps:
            why = f"time has jumped {self.jumps} times without advance()"
        lines = "".join(f"\n  {task}" for task in self.tasks)
        return (
            f"The test waits for something that does not come: {why}. What "
            f"waits:{lines}\nHave something set what is waited for, or bound "
            "the wait with asyncio.timeout()."
        )


class VirtualSelector(selectors.DefaultSelector):
    """A selector that asks a clock instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.clock: VirtualLoop | None = None

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; if nothing is, let time pass."""
        ready = super().select(0)
        if ready or timeout == 0 or self.clock is None:
            return ready
        if self.clock.threads:
            wait = PATIENCE if timeout is None else min(timeout, PATIENCE)
            ready = super().select(wait)
        elif timeout is None and not self.clock.settling:
            # A thread that nobody told us of may still wake it up.
            ready = super().select(PATIENCE)
        if not ready:
            self.clock.idle(timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """
    An event loop whose time passes when nothing else can happen.

    Attributes:
        settling: What waits until nothing more happens at this time.
        threads: How many calls run in executors.
    """

    def __init__(self) -> None:
        self._now = 0.0
        #: The time of the day at 0, as a timestamp.
        self.epoch = 0.0
        self._jumps = 0
        self._advancing = 0
        self.settling: list[asyncio.Future[None]] = []
        self.threads = 0
        selector = VirtualSelector()
        super().__init__(selector)
        selector.clock = self

    def time(self) -> float:
        """Return the virtual time in seconds, from 0."""
        return self._now

    def wall_time(self) -> float:
        """Return the time of the day, as a timestamp: for ``cron``."""
        return self.epoch + self._now

    def idle(self, timeout: float | None) -> None:
        """
        Let time pass, as nothing can happen now.

        Args:
            timeout: Seconds until the next timer, None if there is none.

        Raises:
            StandstillError: Nothing will ever happen.
        """
        if self.settling:
            waiters, self.settling = self.settling, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)
            return
        if timeout is None:
            raise StandstillError(self._waiting())
        self._now += timeout
        if self._advancing:
            return
        self._jumps += 1
        if self._jumps > MOST_JUMPS:
            jumps, self._jumps = self._jumps, 0
            raise StandstillError(self._waiting(), jumps)

    async def advance(self, seconds: float) -> None:
        """Let so much time pass, and all happen that is due by then."""
        self._advancing += 1
        self._jumps = 0
        try:
            due = self.create_future()
            timer = self.call_at(self._now + seconds, _resolve, due)
            try:
                await due
            finally:
                timer.cancel()
            await self.settle()
        finally:
            self._advancing -= 1

    async def settle(self) -> None:
        """Let all happen that can happen without time passing."""
        waiter = self.create_future()
        self.settling.append(waiter)
        await waiter

    def run_in_executor(
        self,
        executor: concurrent.futures.Executor | None,
        func: t.Callable[[*Ts], T],
        *args: *Ts,
    ) -> asyncio.Future[T]:
        """Run something in a thread, which time waits for."""
        future = super().run_in_executor(executor, func, *args)
        self.threads += 1
        future.add_done_callback(self._thread_ended)
        return future

    async def shutdown_default_executor(self, *args: t.Any) -> None:
        """Wait for the threads, which is a matter of real time."""
        self.threads += 1
        try:
            await super().shutdown_default_executor(*args)
        finally:
            self.threads -= 1

    def _thread_ended(self, future: asyncio.Future[t.Any]) -> None:
        del future
        self.threads -= 1

    def _waiting(self) -> list[str]:
        tasks = asyncio.all_tasks(self)
        return sorted(describe(task) for task in tasks)


def _refuse(name: str) -> t.Callable[..., t.NoReturn]:
    def refuse(*_: t.Any, **__: t.Any) -> t.NoReturn:
        raise RealSocketError(name)

    return refuse


for _name in _REFUSED:
    setattr(VirtualLoop, _name, _refuse(_name))


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def describe(task: asyncio.Task[t.Any]) -> str:
    """Say what a task runs, and the line of its own code it waits at."""
    coro: t.Any = task.get_coro()
    what = getattr(coro, "__qualname__", repr(coro))
    frame: types.FrameType | None = getattr(coro, "cr_frame", None)
    while True:
        coro = getattr(coro, "cr_await", None)
        deeper: types.FrameType | None = getattr(coro, "cr_frame", None)
        if deeper is None or "asyncio" in deeper.f_globals["__name__"]:
            break
        frame = deeper
    if frame is None:
        return f"{task.get_name()} ({what})"
    where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
    return f"{task.get_name()} ({what}) at {where}"


class ShuffledQueue(collections.deque[asyncio.Handle]):
    """A ready queue out of which tasks come in an order of its own."""

    def __init__(self, items: t.Iterable[asyncio.Handle], seed: int) -> None:
        super().__init__(items)
        self._random = random.Random(seed)  # noqa: S311 - it is replayed

    def popleft(self) -> asyncio.Handle:
        """Return any of the tasks in a row at the head, or what is there."""
        number = 0
        for handle in self:
            if not _is_task_step(handle):
                break
            number += 1
        if number > 1:
            chosen = self._random.randrange(number)
            self[0], self[chosen] = self[chosen], self[0]
        return super().popleft()


def _is_task_step(handle: asyncio.Handle) -> bool:
    # asyncio's own reports tell by this, too, which task a handle runs.
    callback = getattr(handle, "_callback", None)
    return isinstance(getattr(callback, "__self__", None), asyncio.Task)


@dataclasses.dataclass(frozen=True)
class LoopFactory:
    """
    Makes the event loop of a test.

    Attributes:
        virtual: Whether its time is virtual.
        seed: What its order comes from, None for the usual one.
    """

    virtual: bool
    seed: int | None

    def __call__(self) -> asyncio.AbstractEventLoop:
        """Make a loop."""
        loop: t.Any = (
            VirtualLoop() if self.virtual else asyncio.SelectorEventLoop()
        )
        if self.seed is not None:
            loop._ready = ShuffledQueue(loop._ready, self.seed)  # noqa: SLF001
        return t.cast("asyncio.AbstractEventLoop", loop)
