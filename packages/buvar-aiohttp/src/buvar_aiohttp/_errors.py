"""Errors of the server."""

from __future__ import annotations

import inspect
import typing as t


if t.TYPE_CHECKING:
    import aiohttp.web


class AioHttpError(Exception):
    """
    Base of all errors of this package.

    Attributes:
        exit_code: What a process that failed of it should exit with.
    """

    exit_code: t.ClassVar[int] = 2


class AddressError(AioHttpError, OSError):
    """
    The address cannot be bound.

    Attributes:
        address: The address, as in the configuration.
        reason: Why not.
        shared: The URIs of the shared sockets there are.
    """

    def __init__(
        self, address: str, reason: str, shared: t.Iterable[str] = ()
    ) -> None:
        super().__init__(address, reason)
        self.address = address
        self.reason = reason
        self.shared = tuple(shared)

    def __str__(self) -> str:
        """Say what cannot be bound, why, and the cure."""
        lines = [f"The server cannot listen on {self.address}: {self.reason}"]
        lines += [f"  - there is the shared socket {u}" for u in self.shared]
        lines.append(
            "Set host and port (or path) in the section 'aiohttp' to an "
            "address that is free, or to that of a shared socket; with one "
            "shared socket they can be left out."
        )
        return "\n".join(lines)


class CertificateError(AioHttpError, OSError):
    """
    The files of TLS cannot be used.

    Attributes:
        path: The file that was being loaded.
        key: The file of the private key, if it has its own.
        reason: What is wrong.
        section: The section of the configuration that names them.
    """

    def __init__(
        self,
        path: str,
        key: str | None,
        reason: str,
        section: str = "aiohttp",
    ) -> None:
        super().__init__(path, key, reason, section)
        self.path = path
        self.key = key
        self.reason = reason
        self.section = section

    def __str__(self) -> str:
        """Say which files, what is wrong with them, and the cure."""
        key = "" if self.key is None else f" (with the key {self.key})"
        return (
            f"{self.path}{key} cannot be used for TLS: {self.reason}.\n"
            "Correct the file, or the fields that begin with tls_ in the "
            f"section {self.section!r}."
        )


class ExtraError(AioHttpError, ImportError):
    """
    A plugin needs what is not installed.

    Attributes:
        plugin: The plugin.
        extra: The extra of this package that brings it.
        distribution: What is not installed.
    """

    def __init__(self, plugin: str, extra: str, distribution: str) -> None:
        super().__init__(plugin, extra, distribution)
        self.plugin = plugin
        self.extra = extra
        self.distribution = distribution

    def __str__(self) -> str:
        """Say what is missing and the cure."""
        return (
            f"{self.plugin} needs {self.distribution}, which is not "
            "installed.\n"
            f"Install the extra: pip install 'buvar-aiohttp[{self.extra}]'."
        )


class MetricsFolderError(AioHttpError, OSError):
    """
    Workers cannot share a folder for their metrics.

    Attributes:
        path: The folder.
        reason: Why not.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        """Say which folder, why not, and the cure."""
        return (
            f"Workers cannot share their metrics in {self.path}: "
            f"{self.reason}.\n"
            "Remove it, or name another folder in PROMETHEUS_MULTIPROC_DIR."
        )


class ResponseStatusError(AioHttpError):
    """
    A handler returned a response of status 400 or more.

    It is thrown into what lives as long as the layer, so that a database
    session rolls back; it is not raised, and the client gets the response.

    Attributes:
        response: The response.
        status: Its status.
    """

    def __init__(self, response: aiohttp.web.StreamResponse) -> None:
        super().__init__(response)
        self.response = response
        self.status = response.status

    def __str__(self) -> str:
        """Say what was returned and the cure."""
        return (
            f"The request is answered with status {self.status}, so what was "
            "built for it is ended as after a failure.\n"
            "If the work is to be kept, answer with a status below 400, or "
            "finish it in the handler."
        )


class ParameterError(AioHttpError, TypeError):
    """
    A parameter of a handler cannot be filled from a request.

    Attributes:
        function: The handler.
        place: The file and line of the handler.
        parameter: The name of the parameter.
        reason: Why not.
        cure: What to do instead.
    """

    exit_code = 1

    def __init__(
        self,
        function: t.Any,
        parameter: str,
        reason: str,
        cure: str,
    ) -> None:
        super().__init__(function, parameter, reason, cure)
        self.function = function
        self.place = _place_of(function)
        self.parameter = parameter
        self.reason = reason
        self.cure = cure

    def __str__(self) -> str:
        """Say which parameter of which handler, why, and the cure."""
        name = getattr(self.function, "__qualname__", repr(self.function))
        name = name.rpartition("<locals>.")[2]
        return (
            f"{name} ({self.place}) needs {self.parameter}: {self.reason}.\n"
            f"Hint: {self.cure}"
        )


def _place_of(function: t.Any) -> str:
    """Return the file and line of a function."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return "unknown place"
    return f"{code.co_filename}:{code.co_firstlineno}"


class ClientLeftError(AioHttpError, ConnectionError):
    """
    The client of a request has left, so its handler was cancelled.

    It is thrown into what lives as long as the layer, with the setting
    ``handler_cancellation``.
    """

    def __str__(self) -> str:
        """Say what happened and the cure."""
        return (
            "The client has left, so the handler of its request was "
            "cancelled.\n"
            "If the work is to be completed anyway, shield it, or leave "
            "handler_cancellation off."
        )


class RequestTimeoutError(AioHttpError, TimeoutError):
    """
    A request took too long, so its handler was cancelled.

    It is thrown into what lives as long as the layer; the client gets 503.

    Attributes:
        seconds: How long it was allowed to take.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def __str__(self) -> str:
        """Say what happened and the cure."""
        return (
            f"The handler was cancelled after {self.seconds:g} s.\n"
            "Have it do less, or give it more time: request_timeout in the "
            "section 'aiohttp', or deadline_middleware of its application."
        )
