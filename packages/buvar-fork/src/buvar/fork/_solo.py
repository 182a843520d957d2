"""One worker is no worker: the stage runs in this very process."""

from __future__ import annotations

import typing as t

from buvar import plugin

from ._announce import announce
from ._child import own_components
from ._listeners import Listeners
from ._notify import Notifier
from ._options import Options
from ._worker import Worker


def run_solo(options: Options, listeners: Listeners) -> list[t.Any]:
    """Run the stage here, and return its results."""
    notifier = Notifier()
    worker = Worker(max_requests=options.max_requests)
    sockets = listeners.for_slot(1)

    def on_ready() -> None:
        notifier.ready("1 worker")
        announce(1, sockets)

    try:
        return plugin.stage(
            *options.plugins,
            components=own_components(options.components, worker, sockets),
            on_ready=on_ready,
            **options.stage_options(),
        )
    finally:
        notifier.stopping()
