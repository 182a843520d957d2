"""Count the requests that max_concurrent_requests refuses."""

from __future__ import annotations

from prometheus_client import CollectorRegistry
from prometheus_client import Counter

from buvar import context

from ._app import Layers


def count_refused(registry: CollectorRegistry) -> None:
    """
    Count them from now on.

    They reach no middleware, which measures all others.

    Args:
        registry: What the metrics are kept in.
    """
    counter = Counter(
        "http_server_requests_refused",
        "Requests that max_concurrent_requests has refused.",
        registry=registry,
    )
    context.get(Layers).gate.on_refused = counter.inc
