"""
An id for each request, a plugin of its own.

With ``await load("buvar_aiohttp.request_ids")`` each request has an id:

- that of the trace it belongs to, if it has a header ``traceparent``,
- else the header ``X-Request-ID`` of a trusted proxy, see the setting
  ``trusted_proxies``; anybody else's is not read,
- else 32 random hexadecimal digits.

It is the component ``RequestId`` of the request's layer, a field of the access
log, the header ``X-Request-ID`` of the answer, and, with buvar-log or anything
else that reads structlog's context variables, the field ``request_id`` of all
that is logged while the request is handled.
"""

from __future__ import annotations

import typing as t

import aiohttp.web

from buvar import config
from buvar import context
from buvar import di
from buvar import plugin

from ._app import Layers
from ._app import prepare_app
from ._config import AioHttpConfig
from ._proxies import TrustedProxies
from ._request_id import RequestId
from ._request_id import RequestIds


async def prepare(load: plugin.Loader) -> None:
    """Give each request to the application an id."""
    await load(config, prepare_app)
    settings = await di.nject(AioHttpConfig)
    networks = settings.trusted_proxies
    ids = RequestIds(TrustedProxies(networks) if networks else None)
    layers = context.get(Layers)
    layers.add(around=ids.around, within=ids.within)
    app = context.get(aiohttp.web.Application)
    app.on_response_prepare.append(t.cast("t.Any", ids.answer))


__all__ = ["RequestId", "prepare"]
