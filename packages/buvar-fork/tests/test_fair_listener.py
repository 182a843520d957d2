"""Workers that accept from one socket let a share of the queue in each."""

from __future__ import annotations

import contextlib
import socket
import sys
import typing as t

import pytest

from buvar.fork._fair_listener import FairListener


@pytest.fixture
def connected() -> t.Iterator[t.Callable[..., FairListener]]:
    """Listen, with connections in the queue."""
    with contextlib.ExitStack() as stack:

        def connected(
            clients: int, *, workers: int, family: int = socket.AF_INET
        ) -> FairListener:
            door = stack.enter_context(FairListener(family))
            door.bind(("127.0.0.1", 0) if family == socket.AF_INET else "")
            door.listen()
            door.setblocking(False)
            door.workers = workers
            for _ in range(clients):
                client = stack.enter_context(socket.socket(family))
                client.connect(door.getsockname())
            return door

        yield connected


def turn(door: FairListener) -> int:
    """Accept as an event loop does, and return how many came in."""
    number = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            door.accept()[0].close()
            number += 1
    return number


def test_one_worker_takes_all(connected) -> None:
    """Where nobody else accepts, all who wait come in at once."""
    door = connected(5, workers=1)

    assert [turn(door), turn(door)] == [5, 0]


@pytest.mark.skipif(sys.platform != "linux", reason="others do not tell")
@pytest.mark.parametrize(
    ("clients", "workers", "expected"),
    [
        (8, 2, [4, 2, 1, 1, 0]),
        (8, 4, [2, 2, 1, 1, 1, 1, 0]),
        (1, 2, [1, 0]),
        (3, 2, [2, 1, 0]),
    ],
)
def test_a_share_at_a_time(connected, clients, workers, expected) -> None:
    """Each turn lets in a worker's share of those who wait then."""
    door = connected(clients, workers=workers)

    assert [turn(door) for _ in expected] == expected


@pytest.mark.skipif(sys.platform != "linux", reason="binds to no name")
def test_one_at_a_time(connected) -> None:
    """Where the system tells no length, each turn lets one in."""
    door = connected(3, workers=2, family=socket.AF_UNIX)

    assert [turn(door) for _ in range(4)] == [1, 1, 1, 0]


def test_a_turn_ends_with_the_queue(connected) -> None:
    """Whom another worker took is not waited for: the turn is over."""
    door = connected(4, workers=2)
    door.accept()[0].close()
    with door.dup() as other:
        for _ in range(3):
            other.accept()[0].close()

    assert turn(door) == 0
    assert turn(door) == 0


def test_shut(connected) -> None:
    """A door that is shut lets nobody in, those in the queue stay there."""
    door = connected(2, workers=1)
    door.shut = True

    assert turn(door) == 0
    door.shut = False
    assert turn(door) == 2
