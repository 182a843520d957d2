"""Sockets are bound as asked, or not at all."""

from __future__ import annotations

import contextlib
import os
import signal
import socket

from pathlib import Path

import pytest

from buvar import context
from buvar import fork
from buvar.components import ComponentLookupError


def test_a_port_is_chosen(listen) -> None:
    """Port 0 is bound to a free one, which the socket tells."""
    (item,) = listen("tcp://127.0.0.1:0").for_slot(1)

    assert item.uri == "tcp://127.0.0.1:0"
    assert item.address[0] == "127.0.0.1"
    assert item.address[1] > 0
    assert item.sock.gettimeout() == 0.0
    assert not item.sock.get_inheritable()
    socket.create_connection(item.address).close()


def test_dual_stack(listen) -> None:
    """[::] serves IPv4, too."""
    (item,) = listen("tcp://[::]:0").for_slot(1)

    assert item.sock.family == socket.AF_INET6
    socket.create_connection(("127.0.0.1", item.address[1])).close()
    socket.create_connection(("::1", item.address[1])).close()


def test_the_queue_is_never_shortened(listen) -> None:
    """A server that listens again keeps at least what was asked for."""
    (item,) = listen("tcp://127.0.0.1:0?backlog=3").for_slot(1)

    item.sock.listen(1)

    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(socket.create_connection(item.address, 5))


@pytest.mark.parametrize(
    ("uri", "missing"),
    [("unix://@x", "AF_UNIX"), ("tcp://:0?reuse_port=1", "SO_REUSEPORT")],
)
def test_not_on_this_platform(listen, monkeypatch, uri, missing) -> None:
    """What a platform lacks is refused with what to do instead."""
    monkeypatch.delattr(socket, missing)

    with pytest.raises(fork.BindError, match="use tcp:// without reuse_port"):
        listen(uri)


def test_name_with_both(listen, monkeypatch) -> None:
    """A name with an IPv6 and an IPv4 address means the latter."""
    found = [
        *socket.getaddrinfo("::1", 0, type=socket.SOCK_STREAM),
        *socket.getaddrinfo("127.0.0.1", 0, type=socket.SOCK_STREAM),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    (item,) = listen("tcp://both:0").for_slot(1)

    assert item.address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("tcp://192.0.2.1:0", "no such address"),
        ("tcp://no-such-host.invalid:80", "the host is unknown"),
        ("unix:///no/such/directory/sock", "create it"),
        ("unix://sock?user=nobody-of-that-name", "create it"),
        ("fd://999", "not open"),
    ],
)
def test_refused(listen, tmp_path, monkeypatch, uri, reason) -> None:
    """What cannot be bound is named with the cure, and leaves nothing."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(fork.ForkError, match=reason) as caught:
        listen(uri)

    assert str(caught.value).startswith(f"{uri}: ")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left(listen, tmp_path: Path) -> None:
    """When one socket cannot be bound the others are closed and unlinked."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        used = other.getsockname()[1]

        with pytest.raises(fork.BindError, match="in use") as caught:
            listen(f"unix://{tmp_path}/sock", f"tcp://127.0.0.1:{used}")

    assert caught.value.uri == f"tcp://127.0.0.1:{used}"
    assert list(tmp_path.iterdir()) == []


def test_inherited(listen) -> None:
    """A listening socket that was passed in is taken over, not owned."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        (item,) = listen(f"fd://{other.fileno()}").for_slot(1)

        assert item.address == other.getsockname()
        item.stop_accepting()
        assert not item.owned
        socket.create_connection(item.address, 5).close()


def test_inherited_no_listener(listen, tmp_path: Path) -> None:
    """A file, and a socket that does not listen, are refused."""
    with socket.socket() as other, tmp_path.joinpath("file").open("w") as file:
        with pytest.raises(fork.BindError, match="does not listen"):
            listen(f"fd://{other.fileno()}")
        with pytest.raises(fork.BindError, match="is not a socket"):
            listen(f"fd://{file.fileno()}")


def test_own_sockets(listen) -> None:
    """With SO_REUSEPORT each slot keeps a socket of its own, at one port."""
    listeners = listen("tcp://127.0.0.1:0", reuse_port=True)
    (one,) = listeners.for_slot(1)
    (two,) = listeners.for_slot(2)

    assert one.address == two.address
    assert one.sock.fileno() != two.sock.fileno()
    assert listeners.for_slot(1) == [one]
    listeners.drop_slot(2)
    assert two.sock.fileno() == -1


def test_one_socket_shared_though(listen) -> None:
    """A URI may say otherwise than the option."""
    listeners = listen("tcp://127.0.0.1:0?reuse_port=0", reuse_port=True)

    assert listeners.for_slot(1) == listeners.for_slot(2)


def test_twice(listen, tmp_path, monkeypatch) -> None:
    """The same address twice is one socket, under both spellings."""
    monkeypatch.chdir(tmp_path)
    listeners = listen(
        "unix://sock", f"unix:{tmp_path}/./sock", "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:0", "unix://sock",
    )  # fmt: skip

    unix, tcp = listeners.for_slot(1)

    assert (unix.uri, unix.aliases) == (
        "unix://sock",
        (f"unix:{tmp_path}/./sock",),
    )
    assert (tcp.uri, tcp.aliases) == ("tcp://127.0.0.1:0", ())


def test_twice_with_other_options(listen, tmp_path) -> None:
    """The same address with other options contradicts itself."""
    with pytest.raises(fork.SocketURIError, match="with other options"):
        listen(f"unix://{tmp_path}/sock", f"unix://{tmp_path}/sock?mode=600")

    assert list(tmp_path.iterdir()) == []


def test_found_by_any_spelling(tmp_path) -> None:
    """A socket is found as it was asked for, and however one writes it."""
    given = f"unix://{tmp_path}/sock?mode=600"
    second = f"unix:{tmp_path}//sock?mode=600"

    async def prepare():
        return check()

    async def check():
        item = fork.Socket.at(f"unix:{tmp_path}/x/../sock")
        assert context.get(fork.Socket, name=given) is item
        assert context.get(fork.Socket, name=second) is item
        context.add(fork.Socket("by hand", item.sock), name="by hand")
        with pytest.raises(ComponentLookupError, match="tcp://:1"):
            fork.Socket.at("tcp://:1")
        return item.uri

    assert fork.stage(prepare, forks=1, sockets=[given, second]) == [given]


def test_programs_do_not_inherit(serve, tmp_path) -> None:
    """What a worker starts in the background does not keep the port."""
    program = serve(
        "forks=2, sockets=['tcp://127.0.0.1:0']",
        more="""
os.mkfifo("gate")
old = prepare
async def prepare():
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGUSR1,
        lambda: os.system("exec 9<>gate; (read line <&9) & echo started"))
    async for each in old(): yield each
""",
    )
    host, port = program.address()
    program.signal(signal.SIGUSR1)
    program.until("started", 2)

    assert program.stop() == 0

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, port), 5)
    with socket.create_server((host, port)):
        pass
    gate = os.open(tmp_path / "gate", os.O_RDWR)
    os.write(gate, b"end\nend\n")
    os.close(gate)


def test_an_incomplete_address(listen) -> None:
    """A link-local address without its interface is told the cure."""
    with pytest.raises(fork.BindError, match="needs its interface"):
        listen("tcp://[fe80::1]:0")


async def test_drain(listen) -> None:
    """Who waits in the queue is accepted, who comes later is not let in."""
    (item,) = listen("tcp://127.0.0.1:0").for_slot(1)
    client = socket.create_connection(item.address)
    assert item.pending()
    connection, _ = item.sock.accept()
    with contextlib.closing(client), contextlib.closing(connection):
        await item.drain()

        late = socket.socket()
        with contextlib.closing(late):
            late.settimeout(0.1)
            with pytest.raises(TimeoutError):
                late.connect(item.address)
    assert not item.pending()
    with pytest.raises(BlockingIOError):
        item.sock.accept()


async def test_drain_is_bounded(listen, monkeypatch) -> None:
    """A queue that nobody empties is not waited for without end."""
    monkeypatch.setattr("buvar.fork._sockets.QUEUE", 0.02)
    (item,) = listen("tcp://127.0.0.1:0").for_slot(1)
    with socket.create_connection(item.address):
        await item.drain()

        assert item.pending()


async def test_any_socket(tmp_path: Path) -> None:
    """A component made of some other socket can be drained, too."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        await fork.Socket("tcp://x", sock).drain()
