"""What a supervisor and its workers are told."""

from __future__ import annotations

import dataclasses
import typing as t

from buvar.components import Components
from buvar.components import Namespaces


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of ``stage``, as it documents them; times in seconds."""

    plugins: tuple[t.Any, ...] = ()
    stage: t.Mapping[str, t.Any] = dataclasses.field(
        default_factory=dict[str, t.Any]
    )
    components: Components | Namespaces | None = None
    forks: int = 1
    worker_timeout: float = 60.0
    boot_timeout: float | None = 60.0
    graceful_timeout: float = 60.0
    backoff: float = 0.05
    backoff_limit: float = 30.0
    stable_after: float = 2.0
    max_failures: int = 7
    max_memory: int | None = None
    max_requests: int | None = None
    title: str = "buvar"
    preload: bool = True

    def stage_options(self) -> dict[str, t.Any]:
        """Return the options of ``plugin.stage``: it is to be faster."""
        return {
            # The last tenth is for the teardown.
            "cancel_timeout": self.graceful_timeout * 0.8,
            "abandon_timeout": self.graceful_timeout * 0.1,
            **self.stage,
        }

    @property
    def beat(self) -> float:
        """How often a worker says that it lives."""
        return min(5.0, self.worker_timeout / 4)

    def delay(self, streak: int) -> float:
        """How long to wait after so many failures in a row."""
        return min(self.backoff_limit, self.backoff * 2.0 ** (streak - 1))
