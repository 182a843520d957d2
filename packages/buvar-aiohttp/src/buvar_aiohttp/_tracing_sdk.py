"""Set up OpenTelemetry's SDK as its variables say, in each worker."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import typing as t

from opentelemetry import trace

from buvar import plugin

from ._errors import ExtraError


#: Any of these says that traces are wanted somewhere.
_VARIABLES: t.Final = (
    "OTEL_TRACES_EXPORTER",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
)
#: What exporters are called for each protocol of OTLP.
_PROTOCOLS: t.Final = {
    "http/protobuf": "otlp_proto_http",
    "grpc": "otlp_proto_grpc",
}
_GROUP: t.Final = "opentelemetry_traces_exporter"
_PLUGIN: t.Final = "buvar_aiohttp.tracing"


def set_up_sdk(teardown: plugin.Teardown) -> bool:
    """
    Set the SDK up, if its variables ask for it and nobody else has.

    Args:
        teardown: Where its end is added: what is left is sent.

    Returns:
        Whether it was set up.

    Raises:
        ExtraError: The SDK, or an exporter, is not installed.
    """
    names = _exporters()
    if plugin.checking() or not names:
        return False
    if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return False
    try:
        from opentelemetry.sdk import trace as sdk  # noqa: PLC0415
        from opentelemetry.sdk.trace import export  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ExtraError(_PLUGIN, "otlp", "opentelemetry-sdk") from error
    # Both read their own variables: sampler, resource, limits, batches.
    provider = sdk.TracerProvider(shutdown_on_exit=False)
    for name in names:
        provider.add_span_processor(export.BatchSpanProcessor(_make(name)))
    trace.set_tracer_provider(provider)

    async def shut_down() -> None:
        # What is left is sent, which may wait for the network.
        await asyncio.to_thread(provider.shutdown)

    teardown.add(shut_down)
    return True


def _exporters() -> list[str]:
    """Return the exporters that are asked for."""
    get = os.environ.get
    if get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or not any(
        map(get, _VARIABLES)
    ):
        return []
    names = (get("OTEL_TRACES_EXPORTER") or "otlp").split(",")
    return [
        name
        for name in dict.fromkeys(name.strip() for name in names)
        if name not in {"", "none"}
    ]


def _make(name: str) -> t.Any:
    """
    Make an exporter, which reads its own variables.

    Raises:
        ExtraError: It is not installed.
    """
    if name == "otlp":
        protocol = (
            os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
            or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
            or "http/protobuf"
        )
        name = _PROTOCOLS.get(protocol.strip(), protocol)
    for entry in importlib.metadata.entry_points(group=_GROUP, name=name):
        return entry.load()()
    raise ExtraError(_PLUGIN, "otlp", f"an exporter called {name}")
