"""What a worker sends is taken as data, within bounds, or ends that worker."""

from __future__ import annotations

import json
import os
import re
import signal
import struct

import pytest

from buvar import fork
from buvar.fork._failure import Failure
from buvar.fork._ipc import LIMITS
from buvar.fork._ipc import Kind
from buvar.fork._ipc import MessageError
from buvar.fork._ipc import Receiver
from buvar.fork._ipc import Sender
from buvar.fork._ipc import parse_delay
from buvar.fork._ipc import parse_heartbeat
from buvar.fork._ipc import parse_reason


HEAD = struct.Struct("!BQ")


@pytest.fixture
def pipe():
    """Return both ends of a pipe of messages."""
    read, write = os.pipe()
    yield Sender(write), Receiver(read)
    os.close(read)
    os.close(write)


def test_messages(pipe) -> None:
    """Messages come out in order, each once it is complete."""
    sender, receiver = pipe
    sender.hint(Kind.READY)
    sender.send(Kind.RECYCLE, b"why")
    os.write(sender.fd, HEAD.pack(Kind.HEARTBEAT, 2) + b"1")

    assert list(receiver.receive()) == [
        (Kind.READY, b""),
        (Kind.RECYCLE, b"why"),
    ]
    assert list(receiver.receive()) == []
    os.write(sender.fd, b"2")
    assert list(receiver.receive()) == [(Kind.HEARTBEAT, b"12")]


def test_a_turn_is_bounded() -> None:
    """One that never stops talking does not keep its parent busy."""
    read, write = os.pipe()
    zero = os.open("/dev/zero", os.O_RDONLY)
    try:
        # A descriptor that never runs dry.
        receiver = Receiver(zero)
        with pytest.raises(MessageError, match="kind 0"):
            list(receiver.receive())
        assert len(receiver._data) <= 1 << 16
    finally:
        for fd in (read, write, zero):
            os.close(fd)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (HEAD.pack(0, 0), "no kind 0"),
        (HEAD.pack(99, 0), "no kind 99"),
        (HEAD.pack(Kind.READY, 1), "1 bytes of READY"),
        (
            HEAD.pack(Kind.HEARTBEAT, 300_000_000),
            "300000000 bytes of HEARTBEAT",
        ),
        (
            HEAD.pack(Kind.RESULTS, LIMITS[Kind.RESULTS] + 1),
            "bytes of RESULTS, the limit is",
        ),
    ],
)
def test_no_messages(pipe, head: bytes, reason: str) -> None:
    """An unknown kind and a size beyond its limit are errors at once."""
    sender, receiver = pipe
    os.write(sender.fd, head)

    with pytest.raises(MessageError, match=reason):
        list(receiver.receive())


def test_what_came_before_nonsense(pipe) -> None:
    """Messages count, although nonsense follows them at once."""
    sender, receiver = pipe
    sender.send(Kind.READY)
    sender.send(Kind.FAILED, b"why")
    os.write(sender.fd, HEAD.pack(99, 0))

    messages = receiver.receive()
    assert next(messages) == (Kind.READY, b"")
    assert next(messages) == (Kind.FAILED, b"why")
    with pytest.raises(MessageError, match="no kind 99"):
        next(messages)
    with pytest.raises(MessageError, match="no kind 99"):
        next(receiver.receive())


@pytest.mark.parametrize("payload", [b"", b"-1", b"inf", b"nan", b"soon"])
def test_delays_without_sense(payload: bytes) -> None:
    """A delay is a number of seconds, and has an end."""
    assert parse_delay(b"2.5") == 2.5
    with pytest.raises(MessageError, match="a number of seconds"):
        parse_delay(payload)


def delays(receiver: Receiver) -> list[tuple[Kind, float]]:
    """Return which delays were asked for."""
    return [(kind, parse_delay(data)) for kind, data in receiver.receive()]


def test_delays_of_workers(pipe) -> None:
    """A worker is busy until all that may be so is idle, told once."""
    sender, receiver = pipe
    worker = fork.Worker(sender=sender)
    worker.delay_stop(1e300)
    server = worker.delay_stop_while_busy(2)
    queue = worker.delay_stop_while_busy(0.5)
    assert delays(receiver) == [
        (Kind.DELAY, 1e300),
        (Kind.BUSY, 2.0),
        (Kind.BUSY, 2.0),
    ]

    server()
    server()
    assert delays(receiver) == [(Kind.BUSY, 0.5)]
    queue()
    assert delays(receiver) == [(Kind.BUSY, 0.0)]
    # Without a supervisor nobody waits.
    fork.Worker().delay_stop_while_busy(1.0)()


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_delays_that_workers_cannot_ask_for(pipe, seconds: float) -> None:
    """It is their error, where they ask, rather than that of a message."""
    sender, receiver = pipe
    worker = fork.Worker(sender=sender)
    with pytest.raises(ValueError, match="from 0 on, not"):
        worker.delay_stop(seconds)
    with pytest.raises(ValueError, match="from 0 on, not"):
        worker.delay_stop_while_busy(seconds)
    assert delays(receiver) == []


def test_signs_of_life() -> None:
    """A sign of life may tell the memory in use, and nothing else."""
    assert parse_heartbeat(b"") == 0
    assert parse_heartbeat(b"123") == 123
    for nonsense in (b"-1", b"1e3", b"\xb2", b"x"):
        with pytest.raises(MessageError):
            parse_heartbeat(nonsense)


def test_reasons() -> None:
    """A reason is a line, whatever a worker writes into it."""
    assert parse_reason(b"a\n\x1b[2Jb\xff") == "a\\n\\x1b[2Jb\ufffd"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"1",
        b'{"code": 1}',
        b'{"code": "1", "text": "x"}',
        b'{"code": 1, "text": 2}',
        b'{"code": 256, "text": "x"}',
        b'{"code": 1, "text": "x", "exceptions": {}}',
        b'{"code": 1, "text": "x", "more": 1}',
        b"[" * 100_000,
    ],
)
def test_failures_that_make_no_sense(data: bytes) -> None:
    """What is no failure is an error."""
    with pytest.raises(MessageError):
        Failure.unpack(data)


def test_long_failures() -> None:
    """A failure with an endless text still fits into a message."""
    limit = LIMITS[Kind.FAILED]
    error = ExceptionGroup("g", [ValueError("ü" * limit)] * 50)

    data = Failure.of(error, ready=True).pack()

    assert len(data) <= limit
    assert Failure.unpack(data).text.startswith("  | ExceptionGroup")


HOSTILE = """
import asyncio, os, signal, sys, logging
from buvar import context, fork, plugin
logging.basicConfig(level="INFO", format="%(message)s")

class Run:
    def __reduce__(self):
        return os.system, ("touch stolen; touch stolen-by-$PPID",)

async def serve():
    worker = context.get(fork.Worker)
    if worker.slot == 1 and not os.path.exists("done"):
        open("done", "w").close()
        fd = worker._sender.fd
        os.set_blocking(fd, True)
        ATTACK
    await context.get(plugin.Cancel).wait()

async def prepare():
    yield serve()

fork.stage(prepare, forks=2, backoff=0.01)
"""


@pytest.mark.parametrize(
    "attack",
    [
        "import pickle; worker._sender.send(4, pickle.dumps([Run()]))",
        "worker._sender.send(77, b'')",
        "worker._sender.send(2, b'many')",
        "worker._sender.send(4, b'x' * 300_000_000)",
        "worker._sender.send(5, b'[]')",
    ],
    ids=["pickle", "kind", "type", "size", "failure"],
)
def test_a_hostile_worker(start, eventually, attack: str) -> None:
    """Nonsense ends the worker that sends it: no code runs, others go on."""
    program = start(HOSTILE.replace("ATTACK", attack))

    program.until(
        r"Worker 1 \(process \d+\) sent an invalid message: .* It is killed."
    )
    program.until(r"Worker 1 started", 2)
    eventually(lambda: len(program.workers()) == 2)

    started = program.until(r"Worker 2 started, process (\d+)")
    assert int(started[0][1]) in program.workers()
    assert len(program.until(r"sent an invalid message")) == 1
    assert program.stop() == 0
    assert not list(program.log.parent.glob("stolen*"))


def test_a_service_of_hostile_workers(start) -> None:
    """Nonsense counts as a crash: with back-off, and not for ever."""
    program = start(
        """
import asyncio, time
from buvar import context, fork
async def serve():
    print("start", time.monotonic(), flush=True)
    context.get(fork.Worker)._sender.send(77, b'')
    await asyncio.sleep(60)
async def prepare(): yield serve()
fork.stage(
    prepare, forks=2, backoff=0.2, max_failures=3, stable_after=20
)
"""
    )

    assert program.wait() == 1
    starts = re.findall(r"start ([\d.]+)", program.output)
    assert 3 <= len(starts) <= 6
    assert float(starts[-1]) - float(starts[0]) >= 0.2 + 0.4
    assert "sent invalid messages; the first error stands" in program.output


def test_a_worker_that_never_stops_talking(start) -> None:
    """A flood of messages does not keep the parent from its signals."""
    program = start(
        HOSTILE.replace(
            "ATTACK",
            "data = bytes(9).replace(b'\\0', b'\\2', 1) * 1000\n"
            "        await asyncio.to_thread(\n"
            "            lambda: [os.write(fd, data) for _ in iter(int, 1)])",
        )
    )
    program.until(r"Worker 2 started")
    program.until(r"2 workers are ready")
    program.signal(signal.SIGTTIN)

    program.until(r"Worker 3 started")
    program.signal(signal.SIGQUIT)
    program.wait()


def test_a_failure_is_structure(start) -> None:
    """What a plugin raised in a worker is logged as this process's own."""
    program = start(
        """
import json, logging, sys
from buvar import fork

class Json(logging.Handler):
    def emit(self, record):
        fields = {"message": record.getMessage(), "text": record.exc_text}
        fields["exception"] = getattr(record, "exception", None)
        print(json.dumps(fields), flush=True)

logging.getLogger().addHandler(Json())

def inner():
    raise LookupError("no such table")

async def prepare():
    try:
        inner()
    except LookupError as error:
        raise ValueError("cannot be") from error

fork.stage(prepare, forks=2)
"""
    )

    assert program.wait() == 3
    records = [
        json.loads(line)
        for line in program.output.splitlines()
        if line.startswith("{")
    ]
    (failed,) = [each for each in records if each["exception"]]
    assert failed["message"].endswith("failed.")
    assert "ValueError: cannot be" in failed["text"]
    chain = failed["exception"]
    while chain[0].get("is_group"):
        (chain,) = chain[0]["exceptions"]
    error, cause = chain
    assert (error["exc_type"], error["exc_value"]) == (
        "ValueError",
        "cannot be",
    )
    assert cause["exc_type"] == "LookupError"
    assert cause["is_cause"] is True
    assert cause["frames"][-1]["name"] == "inner"


def test_an_address_in_use_is_a_line(start) -> None:
    """A port that is taken in a worker is one line, not a traceback."""
    program = start(
        """
import asyncio, socket
from buvar import fork
taken = socket.create_server(("127.0.0.1", 0))
async def prepare():
    await asyncio.start_server(print, *taken.getsockname())
fork.stage(prepare, forks=2)
"""
    )

    assert program.wait() == 3
    assert "address already in use" in program.output
    assert "Traceback" not in program.output
