"""A layer of the context for each request, ended by how the request ended."""

from __future__ import annotations

import functools
import typing as t
import weakref

import aiohttp.hdrs
import aiohttp.web

from buvar import fork
from buvar.components import Components
from buvar.components import spi
from buvar.context import buvar_context

from ._connection import Connection
from ._host import check_host
from ._host import known_hosts
from ._key import SEEN
from ._last_answer import announce_close
from ._outcome import error_of
from ._outcome import mark_sent
from ._outcome import report_cut
from ._outcome import send
from ._outcome import streams
from ._problem import describe
from ._why import why


Handler: t.TypeAlias = t.Callable[
    [t.Any], t.Awaitable[aiohttp.web.StreamResponse]
]

_HOST = aiohttp.hdrs.HOST
_HTTPException = aiohttp.web.HTTPException
_Request = aiohttp.web.Request
_Response = aiohttp.web.Response
_StreamResponse = aiohttp.web.StreamResponse
# Put into new layers directly: injection has to know that there are some.
spi.announce(_Request)

_get = buvar_context.get
_set = buvar_context.set
_open = spi.open_layer


class _Streaming:
    """Names, in the layer of a request, the one whose body is not sent yet."""


class RequestGate:
    """
    What requests pass on their way in and out.

    Attributes:
        closing: Set when the server stops: the answer is the last one of its
            connection.
        problems: Whether HTTP errors are data for clients that accept JSON.
        on_refused: Called for each request that is one too many.
    """

    __slots__ = ("closing", "on_refused", "problems")

    def __init__(self) -> None:
        self.closing = False
        self.problems = False
        self.on_refused: t.Callable[[], object] | None = None


def in_layers(
    gate: RequestGate,
    below: Components,
    handler: Handler,
    *,
    tracked: bool = False,
) -> Handler:
    """
    Make the handler of requests run each on a layer of its own.

    The layer holds the request, and ends before the response is sent, so that
    a failure to end it can still be answered with an error. With a body that
    is made while it is sent it ends after the last byte.

    Args:
        gate: What the requests pass.
        below: What the layers are put on.
        handler: What answers: the application, or a handler.
        tracked: Whether the connections of the requests note them.
    """
    # Each request passes here: what most of them do not need is not called.

    async def handle(
        request: aiohttp.web.BaseRequest,
    ) -> aiohttp.web.StreamResponse:
        connection: Connection | None = None
        if tracked and isinstance(protocol := request.protocol, Connection):
            # The head is complete; aiohttp keeps the request as long, too.
            connection = protocol
            connection.request = request
            connection.busy = True
            connection.started = connection.begun or connection.heard
            connection.begun = 0.0
        layer = _open(below, {_Request: request})
        _set(layer)
        try:
            try:
                if (
                    gate.closing
                    or request.headers.get(_HOST) not in known_hosts
                ):
                    _look_at(gate, request)
                response = await handler(request)
            except _HTTPException as answer:
                await _raised(gate, layer, request, answer)
                raise
            except BaseException as error:
                await end(layer, why(request, error))
                raise
            if type(response) is not _Response or (
                type(response.body) is not bytes
            ):
                await _answered(gate, layer, request, response)
            elif not layer.end_at_once():
                outcome = error_of(response)
                _check(await layer.close(outcome), outcome)
        finally:
            # The response is sent, and logged, without the layer.
            _set(below)
            if connection is not None:
                connection.busy = False
                # What arrived meanwhile was the body.
                connection.begun = 0.0
                if not connection.open:
                    connection.forget()
        return response

    return handle


def _look_at(gate: RequestGate, request: aiohttp.web.BaseRequest) -> None:
    """
    Do what most requests need not.

    Raises:
        aiohttp.web.HTTPBadRequest: Its host makes no sense.
    """
    if gate.closing:
        announce_close(request)
    check_host(request)


def counted(worker: fork.Worker, handler: Handler) -> Handler:
    """Have a worker count its requests, to be replaced after so many."""

    async def handle(
        request: aiohttp.web.BaseRequest,
    ) -> aiohttp.web.StreamResponse:
        worker.count()
        return await handler(request)

    return handle


async def _raised(
    gate: RequestGate,
    layer: spi.Lifetime,
    request: aiohttp.web.BaseRequest,
    answer: aiohttp.web.HTTPException,
) -> None:
    """End the layer of a request whose answer was raised."""
    if gate.problems:
        describe(request, answer)
    await _answered(gate, layer, request, answer)


async def _answered(
    gate: RequestGate,
    layer: spi.Lifetime,
    request: aiohttp.web.BaseRequest,
    response: aiohttp.web.StreamResponse,
) -> None:
    """End the layer of a request that has an answer."""
    if gate.closing and isinstance(response, _StreamResponse):
        # Its head may have been sent before.
        response.force_close()
    if not streams(response):
        await end(layer, error_of(response))
        return
    streaming: t.Callable[[], Components | None] | None
    streaming = layer.get(t.cast("t.Hashable", _Streaming), default=None)
    _set((streaming and streaming()) or layer)
    try:
        failure = await send(request, response)
    except BaseException as error:
        await end(layer, error)
        raise
    mark_sent(response, cut=failure is not None)
    try:
        await end(layer, failure or error_of(response))
    except Exception:  # noqa: BLE001 - logged: the answer is sent
        report_cut(request)
        mark_sent(response, cut=True)


def handler_layer(handler: Handler) -> Handler:
    """
    Have a handler below middlewares run on a layer of its own.

    It lies on the layer of the request, which the middlewares see, and ends
    with the handler's own outcome before they see it.
    """

    async def handle(
        request: aiohttp.web.BaseRequest,
    ) -> aiohttp.web.StreamResponse:
        outer = _get()
        layer = _open(outer, {_Request: request})
        received = spi.peek_own(outer, _Request)
        if received is not request:
            received = _note(outer, request)
        _set(layer)
        try:
            try:
                response = await handler(request)
            except _HTTPException as answer:
                await _handled(layer, outer, answer)
                raise
            except BaseException as error:
                await end(layer, why(received, error))
                raise
            await _handled(layer, outer, response)
        finally:
            _set(outer)
        return response

    return t.cast("Handler", functools.update_wrapper(handle, handler))


def _note(
    outer: Components, request: aiohttp.web.BaseRequest
) -> aiohttp.web.BaseRequest:
    """
    Note that a middleware has made another one of a request.

    Args:
        outer: The layer of the middlewares, or one that they have opened.
        request: What the handler gets.

    Returns:
        The request as it was received.
    """
    received: aiohttp.web.BaseRequest = outer.get(_Request, default=request)
    if received is not request:
        # For the access log.
        received[SEEN] = request
    return received


async def _handled(
    layer: spi.Lifetime, outer: Components, response: object
) -> None:
    """End the layer of a handler, or leave it to that of the request."""
    error = error_of(response)
    if not streams(response):
        await end(layer, error)
        return

    async def close(outcome: BaseException | None) -> None:
        await end(layer, outcome or error)

    lifetime = spi.lifetime_of(outer)
    lifetime.defer(close)
    lifetime.add(weakref.ref(layer), _Streaming)


async def end(layer: spi.Lifetime, error: BaseException | None) -> None:
    """
    End a layer with the exception that ended it, or ``None``.

    Raises:
        BaseException: What failed to end. One failure is raised as it is, so
            that a middleware can tell what it is, several as a group.
    """
    _check(await layer.close(error), error)


def _check(failures: list[BaseException], error: BaseException | None) -> None:
    """Raise what failed when a layer ended, see ``end``."""
    if not failures:
        return
    failure = None
    try:
        spi.raise_failures(spi.CLOSING_FAILED, failures, error)
    except BaseExceptionGroup as group:
        # A group is what the layer makes of its failures, also of one.
        each: tuple[BaseException, ...] = group.exceptions
        failure = each[0] if len(each) == 1 else group
    if failure is not None:
        raise failure
