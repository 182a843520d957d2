"""
aiohttp as plugins: a server, a client session, a layer per request.

``await load("buvar_aiohttp")`` prepares all of it: get the
``aiohttp.web.Application`` by injection and add routes. The server listens on
the socket of ``buvar.fork`` that has the address of ``AioHttpConfig``, or
binds one itself. Each request has a layer of its own in the context, which
holds it; handlers have their parameters injected with ``@di.inject``.

When the stage stops, the server accepts what the kernel has accepted already,
answers all of it, closes connections after an answer, and then ends.
"""

from __future__ import annotations

from ._app import prepare_app
from ._cleanup import cleanup_context
from ._client import prepare_client_session
from ._client_config import ClientConfig
from ._config import AioHttpConfig
from ._deadlines import deadline
from ._deadlines import deadline_middleware
from ._errors import AddressError
from ._errors import AioHttpError
from ._errors import CertificateError
from ._errors import ClientLeftError
from ._errors import ExtraError
from ._errors import MetricsFolderError
from ._errors import ParameterError
from ._errors import RequestTimeoutError
from ._errors import ResponseStatusError
from ._prepare import prepare
from ._server import Server
from ._server import prepare_server
from ._validation import Mistake
from ._validation import ValidationError


__all__ = [
    "AddressError",
    "AioHttpConfig",
    "AioHttpError",
    "CertificateError",
    "ClientConfig",
    "ClientLeftError",
    "ExtraError",
    "MetricsFolderError",
    "Mistake",
    "ParameterError",
    "RequestTimeoutError",
    "ResponseStatusError",
    "Server",
    "ValidationError",
    "cleanup_context",
    "deadline",
    "deadline_middleware",
    "prepare",
    "prepare_app",
    "prepare_client_session",
    "prepare_server",
]
