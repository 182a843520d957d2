"""The options of a supervisor and its workers."""

from __future__ import annotations

import dataclasses
import typing as t

from buvar.components import Components
from buvar.components import Namespaces

from ._errors import OptionError
from ._identity import Identity


#: The options that are more than 0, and those that may be 0.
_POSITIVE: t.Final = (
    *("worker_timeout", "boot_timeout", "backoff"),
    *("max_memory", "max_requests"),
)
_NATURAL: t.Final = (
    *("forks", "graceful_timeout", "backoff_limit", "stable_after"),
    *("max_failures", "max_requests_jitter"),
)
#: Those that may be left out by None.
_OPTIONAL: t.Final = frozenset(
    {"boot_timeout", "max_memory", "max_requests", "max_requests_jitter"}
)
#: More doublings lead nowhere but out of the range of numbers.
_DOUBLINGS: t.Final = 64


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of ``stage``, as it documents them; times in seconds."""

    plugins: tuple[t.Any, ...] = ()
    #: The name of the role that they are those of, if there are roles.
    role: str = ""
    #: Whether there is never more than one worker.
    exclusive: bool = False
    #: What a role listens on; None is what the stage says.
    sockets: tuple[str, ...] | None = None
    #: The options of each role, if there are roles.
    roles: tuple[Options, ...] = ()
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
    max_requests_jitter: int | None = None
    title: str = "buvar"
    preload: bool = True
    unserved: str = "warn"
    #: Whether garbage is collected, as it was for the caller.
    collects: bool = True
    #: What a worker becomes before it runs plugins.
    identity: Identity = dataclasses.field(default_factory=Identity)

    def each_role(self) -> tuple[Options, ...]:
        """Return the options of each role, or these if there are none."""
        return self.roles or (self,)

    def label(self, slot: int) -> str:
        """Return what a worker is called in lines for people."""
        return f"{self.role} {slot}" if self.role else str(slot)

    def check(self) -> None:
        """
        Refuse what cannot work, before anything is done.

        Raises:
            OptionError: An option makes no sense.
        """
        for role in self.each_role():
            role._check()  # noqa: SLF001 - of the same class

    def _check(self) -> None:
        where = f"roles.{self.role}." if self.role else ""
        for name in (*_NATURAL, *_POSITIVE):
            value: t.Any = getattr(self, name)
            if value is None and name in _OPTIONAL:
                continue
            least = "0 or more" if name in _NATURAL else "more than 0"
            if name in _OPTIONAL:
                least += ", or None"
            if (
                not isinstance(value, int | float)
                # Nor is anything that is not a number.
                or not (value >= 0 if name in _NATURAL else value > 0)
            ):
                raise OptionError(where + name, value, f"it is {least}.")
        self._check_jitter(where)
        if self.unserved not in {"warn", "error"}:
            raise OptionError(
                where + "unserved",
                self.unserved,
                "it is 'warn' or 'error'.",
            )

    def _check_jitter(self, where: str) -> None:
        jitter, most = self.max_requests_jitter, self.max_requests
        if jitter is not None and (most is None or jitter >= most):
            raise OptionError(
                where + "max_requests_jitter",
                jitter,
                f"it is less than max_requests, which is {most}.",
            )

    @property
    def strict(self) -> bool:
        """Whether sockets that nobody serves are an error."""
        return self.unserved == "error"

    def stage_options(self) -> dict[str, t.Any]:
        """Return the options of ``plugin.stage``: it is to be faster."""
        return {
            # The last tenth is for the teardown.
            "cancel_timeout": self.graceful_timeout * 0.8,
            "abandon_timeout": self.graceful_timeout * 0.1,
            **self.stage,
        }

    @property
    def heartbeat_interval(self) -> float:
        """After how many seconds a worker says again that it lives."""
        return min(5.0, self.worker_timeout / 4)

    def delay(self, streak: int) -> float:
        """How long to wait after so many failures in a row."""
        doublings = min(streak - 1, _DOUBLINGS)
        return min(self.backoff_limit, self.backoff * 2.0**doublings)
