"""The sections ``fork.roles.<name>``: groups of workers."""

from __future__ import annotations

import math
import typing as t

import attrs

from buvar import config

from ._validators import finite
from ._validators import finite_more_than_0
from ._validators import more_than_0
from ._validators import natural
from ._validators import octal


if t.TYPE_CHECKING:
    from buvar import fork


def _some(_: object, _field: attrs.Attribute[t.Any], value: list[str]) -> None:
    if not value:
        msg = "expected the plugins that it runs"
        raise ValueError(msg)
    if any(name.startswith(".") and "/" not in name for name in value):
        msg = "expected names of modules as Python imports them, not relative"
        raise ValueError(msg)


def _one_if_exclusive(
    settings: RoleConfig, _field: attrs.Attribute[t.Any], value: int | None
) -> None:
    natural(settings, _field, value)
    if settings.exclusive and value not in (None, 1):
        msg = "an exclusive role has one worker, leave it out"
        raise ValueError(msg)


@attrs.frozen(kw_only=True)
class RoleConfig:
    """A group of workers; what it leaves out is as ``fork`` has it."""

    plugins: list[str] = config.list_var(
        validator=_some, help="The plugins that it runs."
    )
    exclusive: bool = config.bool_var(
        default=False, help="Whether there must never be two of it."
    )
    forks: int | None = config.var(
        None,
        validator=_one_if_exclusive,
        help="How many workers; by default as fork.forks says, or 1.",
    )
    sockets: list[str] | None = config.var(
        None,
        help="What it listens on, by default fork.sockets, or nothing if it "
        "is exclusive.",
    )
    unserved: t.Literal["error", "warn"] | None = None
    user: str | None = None
    group: str | None = None
    umask: str | None = config.var(None, validator=octal)
    directory: str | None = None
    worker_timeout: float | None = config.var(None, validator=more_than_0)
    boot_timeout: float | None = config.var(None, validator=more_than_0)
    graceful_timeout: float | None = config.var(None, validator=finite)
    max_requests: int | None = config.var(None, validator=more_than_0)
    max_requests_jitter: int | None = config.var(None, validator=natural)
    max_memory: config.ByteSize | None = config.var(
        None, validator=more_than_0
    )
    max_failures: int | None = config.var(None, validator=natural)
    backoff: float | None = config.var(None, validator=finite_more_than_0)
    backoff_limit: float | None = config.var(None, validator=finite)
    stable_after: float | None = config.var(None, validator=finite)

    def role(
        self,
        name: str,
        before: t.Sequence[t.Any] = (),
        after: t.Sequence[t.Any] = (),
    ) -> fork.Role:
        """
        Return the role.

        Args:
            name: Its name.
            before: Plugins that it runs before its own.
            after: Plugins that it runs after them.
        """
        from buvar import fork  # noqa: PLC0415

        given = attrs.asdict(self, recurse=False)
        del given["plugins"]
        options = {
            key: value for key, value in given.items() if value is not None
        }
        if self.umask is not None:
            options["umask"] = int(self.umask, 8)
        if self.boot_timeout == math.inf:
            options["boot_timeout"] = None
        return fork.Role(name, *before, *self.plugins, *after, **options)
