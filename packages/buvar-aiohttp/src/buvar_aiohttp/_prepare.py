"""All of it."""

from __future__ import annotations

from buvar import config
from buvar import plugin

from ._app import prepare_app
from ._client import prepare_client_session
from ._server import prepare_server


async def prepare(load: plugin.Loader) -> None:
    """Prepare the application, the server and a client session."""
    await load(config, prepare_app, prepare_client_session, prepare_server)
