"""Client sessions that end with the stage, and calls with their request."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import typing as t

import aiohttp

from buvar import config
from buvar import context
from buvar import di
from buvar import plugin

from ._client_config import ClientConfig
from ._config import AioHttpConfig
from ._errors import CertificateError


#: The name in the configuration of the session without one.
_DEFAULT: t.Final = "default"


async def prepare_client_session(
    load: plugin.Loader, teardown: plugin.Teardown
) -> None:
    """
    Add client sessions to the context: one, and those that have a section.

    Raises:
        CertificateError: The files of TLS of one cannot be used.
    """
    await load(config)
    settings = await di.nject(AioHttpConfig)
    for name, options in {_DEFAULT: None, **settings.client}.items():
        session = await teardown.enter(_session(name, options))
        context.add(session, name=None if name == _DEFAULT else name)


def _session(
    name: str, settings: ClientConfig | None
) -> aiohttp.ClientSession:
    """Make a session."""
    options: dict[str, t.Any] = {
        "middlewares": [end_with_block],
        "trace_configs": [*context.find(aiohttp.TraceConfig).values()],
    }
    if settings is not None:
        url = settings.base_url
        options |= {
            # What is relative to a path begins below it.
            "base_url": url if url is None else f"{url.rstrip('/')}/",
            "timeout": aiohttp.ClientTimeout(
                total=settings.total_timeout,
                connect=settings.connect_timeout,
                sock_connect=settings.connect_timeout,
                sock_read=settings.read_timeout,
            ),
            "headers": settings.headers,
            "trust_env": settings.trust_env,
            "connector": aiohttp.TCPConnector(
                limit=settings.limit,
                limit_per_host=settings.limit_per_host,
                keepalive_timeout=settings.keepalive_timeout,
                ssl=_ssl_context(name, settings) or True,
            ),
        }
    return aiohttp.ClientSession(**options)


def _ssl_context(name: str, settings: ClientConfig) -> ssl.SSLContext | None:
    """Return what TLS is made with, ``None`` for the default."""
    path = settings.tls_ca or settings.tls_cert
    if path is None:
        return None
    try:
        found = ssl.create_default_context(cafile=settings.tls_ca)
        if settings.tls_cert is not None:
            path = settings.tls_cert
            found.load_cert_chain(path, settings.tls_key, password="")
    except (OSError, ValueError) as error:
        raise CertificateError(
            path, settings.tls_key, str(error), f"aiohttp.client.{name}"
        ) from error
    return found


async def end_with_block(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """
    Have a call take no longer than the block that it is made for.

    The block, such as a request that is served, has a ``context.Deadline``.
    Its own task is cancelled when its time is over; a call in another task
    that it has started would go on.

    Raises:
        DeadlineError: The time of the block is over.
    """
    deadline = context.get(context.Deadline, default=None)
    if deadline is None:
        return await handler(request)
    left = deadline.remaining()
    # A task that goes on when its time is over is not cancelled again.
    if left and deadline.task is asyncio.current_task():
        return await handler(request)
    scope = asyncio.timeout(left)
    try:
        async with scope:
            response = await handler(request)
    except TimeoutError as error:
        if scope.expired():
            raise _error(deadline) from error
        raise
    _bound_body(response, deadline)
    return response


def _bound_body(
    response: aiohttp.ClientResponse, deadline: context.Deadline
) -> None:
    """Have the body of a response arrive in time, too."""

    def cut() -> None:
        # Not a failure where nobody reads it; the connection is not reused.
        with contextlib.suppress(RuntimeError):
            response.content.set_exception(_error(deadline))
        response.close()

    loop = asyncio.get_running_loop()
    handle = loop.call_later(deadline.remaining(), cut)
    response.content.on_eof(handle.cancel)


def _error(deadline: context.Deadline) -> context.DeadlineError:
    error = context.DeadlineError(deadline)
    # aiohttp takes one with a number to be of the connection.
    error.errno = None
    return error
