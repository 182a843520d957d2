"""Why the handler of a request was cancelled."""

from __future__ import annotations

import asyncio

import aiohttp.web

from ._errors import ClientLeftError
from ._errors import RequestTimeoutError
from ._key import TIMEOUT


def why(
    request: aiohttp.web.BaseRequest, error: BaseException
) -> BaseException:
    """
    Return what a layer ends with.

    Args:
        request: The request, as it was received.
        error: What the handler has raised.

    Returns:
        The reason for its cancellation, if that is known, else the error.
    """
    if not isinstance(error, asyncio.CancelledError):
        return error
    bound = request.get(TIMEOUT)
    if bound is not None:
        timeout, seconds = bound
        when = timeout.when()
        if when is not None and when <= asyncio.get_running_loop().time():
            return RequestTimeoutError(seconds)
    if request.transport is None:
        return ClientLeftError()
    return error
