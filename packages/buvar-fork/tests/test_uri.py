"""URIs of sockets are read exactly, or refused with the cure."""

from __future__ import annotations

import pytest

from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from buvar import fork
from buvar.fork._uri import Fd
from buvar.fork._uri import Systemd
from buvar.fork._uri import Tcp
from buvar.fork._uri import Unix
from buvar.fork._uri import parse
from buvar.fork._uri import place


@pytest.mark.parametrize(
    ("uri", "host", "port"),
    [
        ("tcp://:5678", "0.0.0.0", 5678),
        ("tcp://127.0.0.1:0", "127.0.0.1", 0),
        ("tcp://[::]:80", "::", 80),
        ("tcp://[fe80::1%25eth0]:80", "fe80::1%eth0", 80),
        ("tcp://[fe80::1%eth0]:80", "fe80::1%eth0", 80),
        ("tcp://[fe80::1%ab0]:80", "fe80::1%ab0", 80),
        ("TCP://[fe80::1%Wlan0]:80", "fe80::1%Wlan0", 80),
        ("tcp://localhost:8080/", "localhost", 8080),
    ],
)
def test_tcp(uri: str, host: str, port: int) -> None:
    """A host and a port; no host means all IPv4 addresses."""
    assert parse(uri) == Tcp(uri, host, port)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.ip_addresses(),
    st.integers(0, 65535),
    st.none() | st.integers(0, 9999),
    st.none() | st.booleans(),
)
def test_any_address(host, port, backlog, reuse_port) -> None:
    """Whatever address and options are written are read."""
    name = f"[{host}]" if host.version == 6 else host
    uri = f"tcp://{name}:{port}?"
    if backlog is not None:
        uri += f"&backlog={backlog}"
    if reuse_port is not None:
        uri += f"&reuse_port={reuse_port}"

    assert parse(uri) == Tcp(uri, str(host), port, backlog, reuse_port)


@pytest.mark.parametrize(
    ("uri", "path", "mode"),
    [
        ("unix:///run/app.sock", "/run/app.sock", None),
        ("unix:/run/app.sock", "/run/app.sock", None),
        ("unix://app.sock?mode=660", "app.sock", 0o660),
        ("unix://@name", "@name", None),
        ("unix:///a%20b", "/a b", None),
    ],
)
def test_unix(uri: str, path: str, mode: int | None) -> None:
    """A path, absolute, relative or abstract, and its mode in octal."""
    assert parse(uri) == Unix(uri, path, mode=mode)


def test_owner() -> None:
    """The file of a socket may be given to a user and a group."""
    address = parse("unix:///x?user=www&group=5&backlog=7")

    assert address == Unix(
        "unix:///x?user=www&group=5&backlog=7",
        "/x",
        backlog=7,
        user="www",
        group="5",
    )


def test_inherited() -> None:
    """File descriptors by number, systemd's by name or all of them."""
    assert parse("fd://3") == Fd("fd://3", 3)
    assert parse("systemd://web") == Systemd("systemd://web", "web")
    assert parse("systemd:") == Systemd("systemd:", "")


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("http://:80", "the scheme is not one of"),
        (":5678", "the scheme is not one of"),
        ("tcp", "the scheme is not one of"),
        ("tcp://localhost", "the port is missing"),
        ("tcp://localhost:http", "write tcp://host:port"),
        ("tcp://localhost:70000", "write tcp://host:port"),
        ("tcp://[::1:80", "IPv6 as tcp://"),
        ("tcp://localhost:80/path", "only a host and a port"),
        ("tcp://me@localhost:80", "only a host and a port"),
        ("tcp://:80?backlog=many", "write e.g. backlog=1024"),
        ("tcp://:80?backlog=-1", "write e.g. backlog=1024"),
        ("tcp://:80?reuse_port=maybe", "write reuse_port=true"),
        ("tcp://:80?mode=660", "there is no option 'mode'"),
        ("unix://", "the path is missing"),
        ("unix:///x?mode=rw", "an octal number up to 777; write e.g."),
        ("unix:///x?mode=4755", "up to 777"),
        ("unix:///" + "x" * 107, "choose a shorter one"),
        ("unix://@name?mode=600", "an abstract name has no file"),
        ("unix://@name?group=www", "an abstract name has no file"),
        ("fd://three", "write e.g. fd://3"),
    ],
)
def test_refused(uri: str, reason: str) -> None:
    """What is not a socket is refused, naming the URI and the cure."""
    with pytest.raises(fork.SocketURIError) as caught:
        parse(uri)

    assert str(caught.value).startswith(f"{uri}: ")
    assert reason in str(caught.value)
    assert caught.value.uri == uri
    assert caught.value.code == 2


@pytest.mark.parametrize(
    "uris",
    [
        ["tcp://:80", "tcp://0.0.0.0:80", "tcp://0.0.0.0:080/?backlog=3"],
        ["tcp://[::1]:80", "tcp://[0:0::0:1]:80"],
        ["tcp://LOCALHOST:80", "tcp://localhost.:80"],
        ["tcp://[FE80::1%eth0]:80", "tcp://[fe80::1%25eth0]:80"],
        ["unix:///run/x", "unix:/run/./y/../x?mode=660", "UNIX:///run/%78"],
        ["fd://3", "fd://03"],
        ["systemd://a%20b", "systemd://a b"],
        ["unix://@a"],
    ],
)
def test_equivalent_spellings(uris: list[str]) -> None:
    """URIs that mean the same socket have the same place."""
    assert len({place(parse(uri)) for uri in uris}) == 1


def test_other_places() -> None:
    """URIs that mean other sockets have other places."""
    uris = [
        *("tcp://:80", "tcp://127.0.0.1:80", "tcp://:81", "tcp://[::]:80"),
        *("tcp://[fe80::1%eth0]:80", "tcp://[fe80::1%eth1]:80"),
        *("unix:///a", "unix://@a", "unix:///b", "fd://3", "systemd://3"),
    ]

    assert len({place(parse(uri)) for uri in uris}) == len(uris)
