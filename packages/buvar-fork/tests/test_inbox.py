"""What a supervisor takes in, and in which order."""

from __future__ import annotations

import os
import select
import signal

import pytest


pytestmark = pytest.mark.skipif(
    not hasattr(select, "poll"), reason="there is no supervisor"
)


class Poll:
    """Polls, and has something happen right after the first time."""

    def __init__(self, real: select.poll, happens) -> None:
        self.real = real
        self.happens = [happens]

    def poll(self, milliseconds: float | None) -> list[tuple[int, int]]:
        found = self.real.poll(milliseconds)
        while self.happens:
            self.happens.pop()()
        return found


def test_what_was_said_before_a_signal() -> None:
    """It counts before it, although the wait had ended by then."""
    from buvar.fork._supervise.inbox import Inbox

    receiver, sender = os.pipe()

    def happens() -> None:
        os.write(sender, b"Wait for me.")
        os.kill(os.getpid(), signal.SIGTERM)

    with Inbox() as inbox:
        inbox.watch(receiver, "worker")
        inbox._poll = Poll(inbox._poll, happens)
        os.kill(os.getpid(), signal.SIGUSR1)

        assert inbox.wait(10.0) == (
            ["worker"],
            [signal.SIGUSR1, signal.SIGTERM],
        )
    os.close(receiver)
    os.close(sender)
