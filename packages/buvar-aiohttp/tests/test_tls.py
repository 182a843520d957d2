"""TLS from files, which are replaced while the server runs."""

from __future__ import annotations

import asyncio
import logging
import os
import pathlib
import signal
import socket
import ssl
import typing as t

import aiohttp
import attrs
import pytest

import buvar_aiohttp

from buvar import context
from buvar import fork
from buvar import plugin
from buvar.config import Secret
from buvar_aiohttp import _tls
from buvar_aiohttp import management


FIRST = pathlib.Path(__file__).with_name("localhost.pem")
SECOND = pathlib.Path(__file__).with_name("localhost-2.pem")
LIVE = "/health/live"
HEALTH = "buvar_aiohttp.health"

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "SIGHUP"), reason="HUP is of POSIX"
)


def parts(path: pathlib.Path) -> tuple[str, str]:
    """Return the key and the certificate of a file."""
    key, mark, rest = path.read_text().partition("-----BEGIN CERT")
    return key, mark + rest


@attrs.define
class Files:
    """The files of a server."""

    cert: pathlib.Path
    key: pathlib.Path

    def write(self, cert: pathlib.Path, key: pathlib.Path) -> None:
        self.cert.write_text(parts(cert)[1])
        self.key.write_text(parts(key)[0])

    @property
    def settings(self) -> dict[str, t.Any]:
        return {"tls_cert": str(self.cert), "tls_key": str(self.key)}


@pytest.fixture
def files(tmp_path: pathlib.Path) -> Files:
    found = Files(tmp_path / "cert.pem", tmp_path / "key.pem")
    found.write(FIRST, FIRST)
    return found


def _ignore(*_: object) -> None:
    """Stand for what an application does on ``HUP``."""


@pytest.fixture(autouse=True)
def hup() -> t.Iterator[None]:
    """Have ``HUP`` not end the tests."""
    before = signal.signal(signal.SIGHUP, _ignore)
    yield
    assert signal.signal(signal.SIGHUP, before) is _ignore


async def send_hup() -> None:
    """Send ``HUP`` once the server listens to it."""
    async with asyncio.timeout(60):
        while signal.getsignal(signal.SIGHUP) is _ignore:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    os.kill(os.getpid(), signal.SIGHUP)


def der(path: pathlib.Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(parts(path)[1])


def trusting(*, with_certificate: bool = False) -> ssl.SSLContext:
    """Return what a client knows: both certificates."""
    context = ssl.create_default_context(cafile=str(FIRST))
    context.load_verify_locations(cafile=str(SECOND))
    if with_certificate:
        context.load_cert_chain(str(FIRST))
    return context


async def shown(port: int) -> bytes:
    """Make a handshake, and return the certificate that was shown."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=trusting(), server_hostname="localhost"
    )
    try:
        writer.write(b"GET /health/live HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.0 200")
        found: ssl.SSLObject = writer.get_extra_info("ssl_object")
        return t.cast("bytes", found.getpeercert(binary_form=True))
    finally:
        writer.close()


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def until_shown(port: int, cert: pathlib.Path) -> None:
    async with asyncio.timeout(60):
        while await shown(port) != der(cert):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def test_certificates_change_under_load(serve: t.Any, files: Files) -> None:
    """On HUP new handshakes get the new one; none fails, no client is cut."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        port = port_of(url)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=trusting(), server_hostname="localhost"
        )
        done = asyncio.Event()
        seen: list[bytes] = []

        async def load() -> None:
            while not done.is_set():
                seen.append(await shown(port))

        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(load())
            for cert in (SECOND, FIRST, SECOND):
                files.write(cert, cert)
                await send_hup()
                await until_shown(port, cert)
            # A connection from before is still open.
            writer.write(b"GET /health/live HTTP/1.0\r\nHost: a\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.0 200")
            writer.close()
            done.set()
        return set(seen)

    seen = serve(visit, HEALTH, **files.settings)
    assert seen == {der(FIRST), der(SECOND)}


def test_files_are_looked_at(
    serve: t.Any, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a signal a change of the files is noticed as well."""
    watch = _tls.Certificates.watch
    monkeypatch.setattr(
        _tls.Certificates, "watch", lambda self: watch(self, 0.01)
    )

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        assert await shown(port_of(url)) == der(FIRST)
        files.write(SECOND, SECOND)
        await until_shown(port_of(url), SECOND)
        return True

    assert serve(visit, HEALTH, **files.settings)


def test_a_certificate_that_does_not_match(
    serve: t.Any, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    """The old one stays, and one error is logged, which names the file."""

    def errors() -> list[logging.LogRecord]:
        return [r for r in caplog.records if r.levelno >= logging.ERROR]

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        files.write(SECOND, FIRST)
        await send_hup()
        async with asyncio.timeout(60):
            while not errors():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return await shown(port_of(url))

    assert serve(visit, HEALTH, **files.settings) == der(FIRST)
    (record,) = errors()
    assert "does not match the key" in record.getMessage()
    assert record.__dict__["path"] == str(files.cert)


def test_hup_in_one_process(
    files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    """One line says what it does, and none that it is ignored."""

    def lines() -> list[str]:
        texts = [record.getMessage() for record in caplog.records]
        return [text for text in texts if "HUP" in text]

    async def visitor(before: t.Any) -> None:
        async with asyncio.timeout(60):
            while signal.getsignal(signal.SIGHUP) == before:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            os.kill(os.getpid(), signal.SIGHUP)
            while not lines():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        context.get(plugin.Cancel).set()

    async def prepare(load: plugin.Loader) -> t.AsyncIterator[t.Any]:
        settings = buvar_aiohttp.AioHttpConfig(port=0, **files.settings)
        context.add(settings)
        await load("buvar_aiohttp")
        yield visitor(signal.getsignal(signal.SIGHUP))

    caplog.set_level(logging.INFO)
    # As it is where the program has no handler of its own.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with context.child():
            fork.stage(prepare, forks=1)
    finally:
        signal.signal(signal.SIGHUP, _ignore)
    assert lines() == [
        f"HUP: the certificates were loaded anew from {files.cert}."
    ]


def test_clients_need_a_certificate(serve: t.Any, files: Files) -> None:
    """With ``tls_client_ca`` only clients with a certificate are served."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        url = f"https://localhost:{port_of(url)}{LIVE}"
        knows = trusting(with_certificate=True)
        async with session.get(url, ssl=knows) as response:
            assert response.status == 200
        with pytest.raises(aiohttp.ClientError):
            await session.get(url, ssl=trusting())
        return True

    settings = {**files.settings, "tls_client_ca": str(FIRST)}
    assert serve(visit, HEALTH, **settings)


def resume(
    port: int, knows: ssl.SSLContext, session: ssl.SSLSession | None
) -> tuple[str, ssl.SSLSession | None]:
    """Ask once, and tell whether a session went on, or was refused."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        try:
            with knows.wrap_socket(
                sock, server_hostname="localhost", session=session
            ) as secure:
                secure.sendall(b"GET /health/live HTTP/1.0\r\nHost: a\r\n\r\n")
                if not secure.recv(1):
                    return "refused", None
                how = "resumed" if secure.session_reused else "new"
                return how, secure.session
        except OSError:
            return "refused", None


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_sessions_of_clients_no_longer_trusted(
    serve: t.Any, files: Files, tmp_path: pathlib.Path, version: str
) -> None:
    """A session does not outlive the trust in the CA that it began with."""
    trust = tmp_path / "clients.pem"
    trust.write_bytes(FIRST.read_bytes())
    knows = trusting(with_certificate=True)
    knows.maximum_version = ssl.TLSVersion[version]

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        del session
        port = port_of(url)
        _, held = await asyncio.to_thread(resume, port, knows, None)
        how, held = await asyncio.to_thread(resume, port, knows, held)
        assert how == "resumed"
        trust.write_bytes(SECOND.read_bytes())
        await send_hup()
        async with asyncio.timeout(60):
            while how == "resumed":
                how, _ = await asyncio.to_thread(resume, port, knows, held)
        return how

    settings = {**files.settings, "tls_client_ca": str(trust)}
    assert serve(visit, HEALTH, **settings) == "refused"


def test_listeners_share_the_certificates(serve: t.Any, files: Files) -> None:
    """What is called https has them, also the one for management."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        port = context.get(management.Management).address[1]
        url = f"https://localhost:{port}{LIVE}"
        async with session.get(url, ssl=trusting()) as response:
            return response.status

    settings = {**files.settings, "management": "https://127.0.0.1:0"}
    assert serve(visit, HEALTH, **settings) == 200


def test_a_handshake_under_way_at_the_end(serve: t.Any, files: Files) -> None:
    """Whoever was accepted is answered, also with the handshake to come."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        with socket.create_connection(("127.0.0.1", port_of(url))) as sock:
            context.get(plugin.Cancel).set()
            server = context.get(buvar_aiohttp.Server)
            async with asyncio.timeout(60):
                while not server.stopping:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            # Longer than a server waits that knows of no connection.
            await asyncio.sleep(0.2)
            assert not server.stopped.is_set()
            reader, writer = await asyncio.open_connection(
                sock=sock, ssl=trusting(), server_hostname="localhost"
            )
            writer.write(b"GET /health/live HTTP/1.0\r\nHost: a\r\n\r\n")
            answer = await reader.read()
            writer.close()
        return answer[:12]

    assert serve(visit, HEALTH, **files.settings) == b"HTTP/1.0 200"


def test_the_oldest_version(serve: t.Any, files: Files) -> None:
    """A client that speaks only an older version is refused."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        url = f"https://localhost:{port_of(url)}{LIVE}"
        old = trusting()
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(aiohttp.ClientError):
            await session.get(url, ssl=old)
        async with session.get(url, ssl=trusting()) as response:
            return response.status

    settings = {**files.settings, "tls_min_version": "1.3"}
    assert serve(visit, HEALTH, **settings) == 200


@pytest.mark.parametrize(
    ("cert", "key", "reason"),
    [
        (FIRST, SECOND, "does not match the key"),
        (FIRST, None, "does not exist"),
        (None, FIRST, "is not PEM"),
    ],
)
def test_files_that_are_wrong_at_the_start(
    serve: t.Any,
    files: Files,
    cert: pathlib.Path | None,
    key: pathlib.Path | None,
    reason: str,
) -> None:
    """The stage fails with an error that names the files and the cure."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        raise AssertionError

    files.write(cert or FIRST, key or FIRST)
    if cert is None:
        files.cert.write_text("no certificate")
    if key is None:
        files.key.unlink()
    with pytest.raises(ExceptionGroup) as info:
        serve(visit, **files.settings)
    (failure,) = plugin.failures(info.value)
    assert isinstance(failure.error, buvar_aiohttp.CertificateError)
    assert reason in failure.error.reason
    assert str(files.cert) in str(failure.error)
    assert "section 'aiohttp'" in str(failure.error)
    assert failure.error.exit_code == 2


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"tls_key": "k"}, "tls_key needs tls_cert"),
        ({"tls_client_ca": "k"}, "tls_client_ca needs tls_cert"),
        ({"tls_key_password": Secret("k")}, "tls_key_password needs tls_cert"),
        (
            {"tls_cert": "c", "ssl_context": ssl.create_default_context()},
            "both set",
        ),
    ],
)
def test_settings_in_conflict(settings: dict[str, t.Any], text: str) -> None:
    """What belongs to a certificate needs one, and only one of two ways."""
    with pytest.raises(ValueError, match=text):
        buvar_aiohttp.AioHttpConfig(**settings)
