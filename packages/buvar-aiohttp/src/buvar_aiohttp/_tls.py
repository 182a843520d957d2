"""
TLS from files, which may be replaced while the server runs.

New certificates are loaded into a context of their own, so that files which
do not fit together change nothing. Those who listen begin handshakes with it
from then on: no connection is closed, and none is refused. The context that
was used before cannot take over the new certificates, as it knows the sessions
of its clients: one whose CA is no longer trusted could go on with its session,
without showing a certificate.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import ssl
import typing as t

from ._config import AioHttpConfig
from ._errors import CertificateError


_log = logging.getLogger("buvar_aiohttp")

#: Seconds between two looks at the files.
INTERVAL: t.Final = 5.0

_VERSIONS: t.Final = {
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}

#: Of each file: what changes when it is written or replaced.
Stamp: t.TypeAlias = tuple[tuple[int, int, int] | None, ...]


class Certificates:
    """
    The certificates of a server, loaded anew when their files change.

    Args:
        config: Which files.

    Attributes:
        context: What handshakes begin with.

    Raises:
        CertificateError: They cannot be used.
    """

    def __init__(self, config: AioHttpConfig) -> None:
        self._config = config
        self._stamp = self._look()
        self.context = self._load()
        self._wake = asyncio.Event()
        self._watched = False
        self._on_change: list[t.Callable[[ssl.SSLContext], object]] = []

    def listen(self, change: t.Callable[[ssl.SSLContext], object]) -> None:
        """
        Be told of the context of new certificates.

        Args:
            change: Called in the event loop of ``watch``.
        """
        self._on_change.append(change)

    def _load(self) -> ssl.SSLContext:
        """
        Load the files.

        Raises:
            CertificateError: They are missing, or do not fit together.
        """
        config = self._config
        # create_default_context() turns off what is no longer safe.
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = _VERSIONS[config.tls_min_version]
        context.set_alpn_protocols(["http/1.1"])
        path = t.cast("str", config.tls_cert)
        secret = config.tls_key_password
        try:
            context.load_cert_chain(
                path,
                config.tls_key,
                # Without one OpenSSL would ask for it at the terminal.
                password="" if secret is None else secret.reveal(),
            )
            if config.tls_client_ca is not None:
                path = config.tls_client_ca
                context.load_verify_locations(cafile=path)
                context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ValueError) as error:
            raise CertificateError(
                path, config.tls_key, _reason(error)
            ) from error
        return context

    def reload(self, *, on_hup: bool = False) -> bool:
        """
        Load the files anew, and tell whether that could be done.

        If they cannot be used, the old certificates stay, and one error is
        logged.

        Args:
            on_hup: Whether to say that ``HUP`` has asked for it.
        """
        these = "HUP: the" if on_hup else "The"
        self._stamp = self._look()
        try:
            self.context = self._load()
        except CertificateError as error:
            _log.error(
                "%s certificates stay as they are. %s",
                these,
                error,
                extra={"path": error.path, "reason": error.reason},
            )
            return False
        _log.info(
            "%s certificates were loaded anew from %s.",
            these,
            self._config.tls_cert,
            extra={"path": self._config.tls_cert},
        )
        return True

    async def watch(self, interval: float = INTERVAL) -> None:
        """
        Load the files when they change, or on ``HUP``.

        Several servers may have the same ones, of which the first watches.

        Args:
            interval: Seconds between two looks.
        """
        if self._watched:
            return
        self._watched = True
        with self._on_hup():
            while True:
                asked = True
                try:
                    async with asyncio.timeout(interval):
                        await self._wake.wait()
                except TimeoutError:
                    asked = False
                self._wake.clear()
                if await asyncio.to_thread(self._follow, asked=asked):
                    for change in self._on_change:
                        change(self.context)

    def _follow(self, *, asked: bool) -> bool:
        changed = asked or self._look() != self._stamp
        return changed and self.reload(on_hup=asked)

    def _look(self) -> Stamp:
        """Tell the files as they are now from what they were."""
        config = self._config
        return tuple(
            _stamp(path)
            for path in (config.tls_cert, config.tls_key, config.tls_client_ca)
        )

    @contextlib.contextmanager
    def _on_hup(self) -> t.Generator[None]:
        """
        Be told of ``HUP``, and so is whoever was told of it before.

        In one process ``buvar.fork`` says that nothing is done then, unless
        it is called by another handler, such as this one.
        """
        number = getattr(signal, "SIGHUP", None)
        if number is None:  # pragma: no cover - Windows
            yield
            return
        loop = asyncio.get_running_loop()
        before = signal.getsignal(number)

        def handle(*args: t.Any) -> None:
            with contextlib.suppress(RuntimeError):
                # The loop is closed: nothing is served any more.
                loop.call_soon_threadsafe(self._wake.set)
            if callable(before):
                before(*args)

        try:
            signal.signal(number, handle)
        except ValueError:
            # Only the main thread can; files are looked at all the same.
            yield
            return
        try:
            yield
        finally:
            if signal.getsignal(number) is handle:
                signal.signal(
                    number, signal.SIG_DFL if before is None else before
                )


def load_certificates(config: AioHttpConfig) -> Certificates | None:
    """
    Load the certificates that the settings name, if they do.

    Raises:
        CertificateError: They cannot be used.
    """
    return None if config.tls_cert is None else Certificates(config)


def _stamp(path: str | None) -> tuple[int, int, int] | None:
    try:
        status = None if path is None else os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    if status is None:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _reason(error: Exception) -> str:
    """Say what is wrong in words of ours, where OpenSSL has none."""
    reason = getattr(error, "reason", None)
    if reason == "KEY_VALUES_MISMATCH":
        return "the certificate does not match the key"
    if isinstance(error, FileNotFoundError):
        return "a file does not exist"
    if isinstance(error, PermissionError):
        return "a file may not be read"
    if isinstance(error, ssl.SSLError):
        return (
            "it is not PEM, or the password of the key is wrong (OpenSSL: "
            f"{reason or error.args[-1]})"
        )
    return str(error) or "a file cannot be read"
