"""
Clients that count: what was asked, answered, refused and lost.

They run in a thread of their own, so that a test may wait meanwhile, whether
it is a coroutine or not.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import re
import threading
import time
import typing as t

from ._processes import poll


#: Seconds that a request, or any wait, may take.
TIMEOUT: t.Final = 30.0


@dataclasses.dataclass
class Counts:
    """
    What became of the requests.

    A request counts as sent when its connection was accepted: one that was
    refused was never promised anything.

    Attributes:
        sent: How many were sent.
        answered: How many were answered with a status below 500.
        refused: How many connections were refused.
        lost: Why the others were not answered.
        answers: How often each answer was given, by its text.
    """

    sent: int = 0
    answered: int = 0
    refused: int = 0
    lost: list[str] = dataclasses.field(default_factory=list[str])
    answers: collections.Counter[str] = dataclasses.field(
        default_factory=collections.Counter[str]
    )

    @property
    def in_flight(self) -> int:
        """How many have been sent and not been answered yet."""
        return self.sent - self.answered - len(self.lost)

    def assert_lost(self, at_most: int = 0, *, refused: int = 0) -> None:
        """
        Check how much was lost.

        Args:
            at_most: How many requests may be lost: those that were in flight
                at the worker that was killed, none of a reload.
            refused: How many connections may be refused.

        Raises:
            AssertionError: It was more, or nothing was answered at all.
        """
        if not self.answered:
            raise AssertionError(f"No request was answered: {self.summary()}")
        if len(self.lost) > at_most:
            raise AssertionError(
                f"{len(self.lost)} requests were lost, at most {at_most} may "
                f"be: {self.summary()}"
            )
        if self.refused > refused:
            raise AssertionError(
                f"{self.refused} connections were refused, at most {refused} "
                f"may be: {self.summary()}"
            )

    def summary(self) -> str:
        """Say what became of them, and why some were lost."""
        why = collections.Counter(self.lost).most_common(3)
        reasons = "".join(
            f"\n  {number} times: {reason}" for reason, number in why
        )
        return (
            f"{self.sent} sent, {self.answered} answered, {len(self.lost)} "
            f"lost, {self.refused} connections refused.{reasons}"
        )


class Load:
    """
    Clients that send requests within a ``with`` block.

    Args:
        address: Where the server listens.
        clients: How many ask at the same time.
        keep_alive: Whether a client uses its connection again.
        path: What they ask for.
    """

    def __init__(
        self,
        address: tuple[str, int],
        *,
        clients: int = 16,
        keep_alive: bool = False,
        path: str = "/",
    ) -> None:
        #: What became of the requests so far.
        self.counts = Counts()
        self._address = address
        self._clients = clients
        self._keep_alive = keep_alive
        self._path = path
        self._stopping = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="buvar-load")

    def __enter__(self) -> t.Self:
        """Start the clients, and wait until each could have an answer."""
        self._thread.start()
        try:
            self.answer(self._clients)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Stop the clients."""
        if kind is None:
            self.stop()
        else:
            self._stopping.set()
            self._thread.join()

    def answer(self, number: int, timeout: float = TIMEOUT) -> None:
        """
        Wait until so many more requests were answered.

        Raises:
            AssertionError: They were not in time.
        """
        end = self.counts.answered + number

        def enough() -> bool:
            return self.counts.answered >= end or self._failed is not None

        if not poll(enough, timeout):
            raise AssertionError(
                f"{number} more answers did not come within {timeout:g} s: "
                f"{self.counts.summary()}"
            )
        self._check()

    def stop(self) -> Counts:
        """Let each client finish its request, and return the counts."""
        self._stopping.set()
        self._thread.join()
        self._check()
        return self.counts

    def _check(self) -> None:
        if self._failed is not None:
            raise self._failed

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 - raised in the test
            self._failed = error

    async def _main(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(self._clients):
                group.create_task(self._client())

    async def _client(self) -> None:
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout(TIMEOUT):
                    streams = await asyncio.open_connection(*self._address)
            except ConnectionRefusedError:
                self.counts.refused += 1
                await asyncio.sleep(0.01)
            except OSError as error:
                # Reset while it connected: the kernel had said yes.
                self.counts.sent += 1
                self.counts.lost.append(f"connecting: {error!r}")
            else:
                await self._connection(*streams)

    async def _connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Use a connection as often as the server allows."""
        close = not self._keep_alive
        head = "Connection: close\r\n" if close else ""
        request = f"GET {self._path} HTTP/1.1\r\nHost: test\r\n{head}\r\n"
        began = time.monotonic()
        number = 0
        try:
            while number == 0 or not (close or self._stopping.is_set()):
                number += 1
                began = time.monotonic()
                self.counts.sent += 1
                writer.write(request.encode())
                async with asyncio.timeout(TIMEOUT):
                    close = await self._response(reader) or close
        except (OSError, EOFError) as error:
            took = time.monotonic() - began
            which = "first" if number == 1 else "later"
            self.counts.lost.append(
                f"{which} request of its connection: {type(error).__name__} "
                f"after {'less' if took < 1 else 'more'} than a second"
            )
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _response(self, reader: asyncio.StreamReader) -> bool:
        """Read a response, and tell whether it is the last one."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = re.search(r"content-length: (\d+)", head)
        status = head.split()[1]
        body = await reader.readexactly(int(length[1]) if length else 0)
        if status >= "500":
            self.counts.lost.append(f"status {status}")
        else:
            self.counts.answered += 1
            self.counts.answers[body.decode("utf-8", "replace")] += 1
        return "connection: close" in head or length is None


__all__ = ["TIMEOUT", "Counts", "Load"]
