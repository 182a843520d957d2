"""How the server makes requests, where its settings change them."""

from __future__ import annotations

import asyncio
import typing as t

import aiohttp.web

from ._proxies import NOTHING
from ._proxies import TrustedProxies
from ._proxies import address_of


MakeRequest: t.TypeAlias = t.Callable[..., t.Any]

#: What a request takes over from its application.
_LIMITS: t.Final = ("client_max_size", "client_max_fields")


def request_factory(
    make: MakeRequest,
    *,
    proxies: TrustedProxies | None,
    client_max_size: int | None,
) -> MakeRequest:
    """
    Return what makes requests, as an application does, by the settings.

    Args:
        make: Makes the application's own; it is as good where nothing is set.
        proxies: Those that tell where a request comes from.
        client_max_size: How many bytes a body may have that is read at once,
            ``None`` for what the application says.
    """
    if proxies is None and client_max_size is None:
        return make
    loop = asyncio.get_running_loop()
    options: dict[str, t.Any] = {}

    def make_by_settings(
        message: t.Any, payload: t.Any, protocol: t.Any, *args: t.Any
    ) -> aiohttp.web.BaseRequest:
        if not options:
            # Its limits are known to the application only: its requests tell.
            first = make(message, payload, protocol, *args)
            for name in _LIMITS:
                if hasattr(first, name):
                    options[name] = getattr(first, name)
            if client_max_size is not None:
                options["client_max_size"] = client_max_size
        remote, scheme, host = NOTHING
        if proxies is not None:
            peer = address_of(protocol.peername)
            remote, scheme, host = proxies.origin(peer, message.headers)
        writer, task = args
        return aiohttp.web.Request(
            message,
            payload,
            protocol,
            writer,
            task,
            loop,
            remote=remote,
            scheme=scheme,
            host=host,
            **options,
        )

    return make_by_settings
