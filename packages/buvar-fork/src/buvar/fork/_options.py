"""The options of a supervisor and its workers."""

from __future__ import annotations

import dataclasses
import math
import typing as t

from buvar.components import Components
from buvar.components import Namespaces

from ._errors import OptionError
from ._identity import Identity


class _Kind(t.NamedTuple):
    """What a number is: ``text`` says it, and the rest is how it is told."""

    text: str
    whole: bool = False
    zero: bool = False
    finite: bool = False

    def takes(self, value: t.Any) -> bool:
        """Tell whether a value is such a number; nan is of no kind."""
        types = int if self.whole else int | float
        if isinstance(value, bool) or not isinstance(value, types):
            return False
        if self.finite and value == math.inf:
            return False
        return bool(value >= 0 if self.zero else value > 0)


#: A bound may be infinite; the time in which something ends, or that is
#: waited for, may not.
_BOUND: t.Final = _Kind("a number of seconds more than 0, or inf")
_WAIT: t.Final = _Kind("a finite number of seconds more than 0", finite=True)
_TIME: t.Final = _Kind(
    "a finite number of seconds, 0 or more", zero=True, finite=True
)
_NATURAL: t.Final = _Kind("a whole number, 0 or more", whole=True, zero=True)
_POSITIVE: t.Final = _Kind("a whole number more than 0", whole=True)
_KINDS: t.Final = {
    "forks": _NATURAL,
    "worker_timeout": _BOUND,
    "boot_timeout": _BOUND,
    "graceful_timeout": _TIME,
    "backoff": _WAIT,
    "backoff_limit": _TIME,
    "stable_after": _TIME,
    "max_failures": _NATURAL,
    "max_memory": _POSITIVE,
    "max_requests": _POSITIVE,
    "max_requests_jitter": _NATURAL,
}
#: Those that may be left out by None.
_OPTIONAL: t.Final = frozenset(
    {"boot_timeout", "max_memory", "max_requests", "max_requests_jitter"}
)
#: Seconds that a stage which ends by itself has at least.
_LEAST: t.Final = 3.0
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
        for name, kind in _KINDS.items():
            value: t.Any = getattr(self, name)
            if value is None and name in _OPTIONAL:
                continue
            if not kind.takes(value):
                none = ", or None" if name in _OPTIONAL else ""
                raise OptionError(
                    where + name, value, f"it is {kind.text}{none}."
                )
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

    @property
    def finish_timeout(self) -> float:
        """How many seconds a stage that ends by itself has for that."""
        # Nobody has asked it to hurry, however little time it has if so.
        return max(_LEAST, self.graceful_timeout)

    def delay(self, streak: int) -> float:
        """How long to wait after so many failures in a row."""
        doublings = min(streak - 1, _DOUBLINGS)
        return min(self.backoff_limit, self.backoff * 2.0**doublings)
