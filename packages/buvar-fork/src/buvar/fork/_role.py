"""Roles: groups of workers under one supervisor, each with its own plugins."""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import sys
import typing as t

from buvar.plugin.spi import absolute_name

from ._cpus import available_cpus
from ._errors import OptionError
from ._identity import identity
from ._options import Options


class RoleOptions(t.TypedDict, total=False):
    """The options of ``stage`` that a role may have of its own."""

    worker_timeout: float
    boot_timeout: float | None
    graceful_timeout: float
    backoff: float
    backoff_limit: float
    stable_after: float
    max_failures: int
    max_memory: int | None
    max_requests: int | None
    max_requests_jitter: int | None
    unserved: t.Literal["warn", "error"]
    user: str | int | None
    group: str | int | None
    umask: int | None
    directory: str | os.PathLike[str] | None


_KNOWN: t.Final = frozenset(RoleOptions.__annotations__)
_IDENTITY: t.Final = frozenset({"user", "group", "umask", "directory"})
#: A name is shown by `ps`, in logs, and is a key of a TOML file.
_NAME: t.Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class Role:
    """
    A group of workers of a service that do the same.

    ``stage`` takes roles in place of plugins. What a role does not say is as
    ``stage`` has it.

    Args:
        name: Its name, which titles, logs and ``Worker.role`` show.
        plugins: Names, modules or functions, as ``stage`` takes them.
        forks: How many workers; 0 is one per available CPU. By default as
            many as ``stage`` says, and one for an exclusive role.
        exclusive: Whether there must never be two of it, as for a clock or
            whatever else writes alone. Its worker is replaced only once the
            one before is gone: it is not there for that time.
        sockets: URIs to listen on; by default those of ``stage``, and none
            for an exclusive role.
        options: Options of ``stage`` that differ for this role.

    Attributes:
        name: Its name.
        exclusive: Whether there is never more than one worker of it.

    Example:
        >>> web = Role("web", "shop.web", forks=0)
        >>> clock = Role("clock", "shop.clock", exclusive=True)
    """

    def __init__(
        self,
        name: str,
        *plugins: t.Any,
        forks: int | None = None,
        exclusive: bool = False,
        sockets: t.Iterable[str] | None = None,
        **options: t.Unpack[RoleOptions],
    ) -> None:
        self.name = name
        self.plugins = absolute(plugins, sys._getframe(1).f_globals)  # noqa: SLF001
        self.forks = forks
        self.exclusive = exclusive
        self.sockets = sockets
        self.options: dict[str, t.Any] = {**options}

    def __repr__(self) -> str:
        """Show which role it is."""
        return f"<{type(self).__name__} {self.name!r}>"

    def check(self) -> None:
        """
        Refuse what cannot be right; what it inherits is checked elsewhere.

        Raises:
            OptionError: An option makes no sense.
        """
        option = f"roles.{self.name}"
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise OptionError(
                "role",
                self.name,
                "give it a name of letters, digits, - and _.",
            )
        if not self.plugins:
            raise OptionError(
                f"{option}.plugins", [], "name the plugins that it runs."
            )
        if self.exclusive and self.forks not in (None, 1):
            raise OptionError(
                f"{option}.forks",
                self.forks,
                "an exclusive role has one worker: leave it out.",
            )
        for name, value in self.options.items():
            if name not in _KNOWN:
                near = difflib.get_close_matches(name, _KNOWN, 1)
                raise OptionError(
                    f"{option}.{name}",
                    value,
                    "a role has no such option: "
                    + (f"did you mean {near[0]!r}?" if near else "drop it."),
                )


def absolute(
    plugins: tuple[t.Any, ...], caller: dict[str, t.Any]
) -> tuple[t.Any, ...]:
    """Resolve the names that are relative to the caller's package."""
    return tuple(
        absolute_name(plugin, caller) if isinstance(plugin, str) else plugin
        for plugin in plugins
    )


def with_roles(
    options: Options,
    roles: t.Sequence[Role],
    *,
    forks: int,
    who: t.Mapping[str, t.Any],
) -> Options:
    """
    Add roles to the options of a stage, which they inherit.

    Args:
        options: Those of the stage.
        roles: The roles.
        forks: How many workers a role has that does not say.
        who: The user, group, umask and directory of the stage.

    Raises:
        OptionError: They make no sense together, or one does not.
    """
    names: set[str] = set()
    for role in roles:
        role.check()
        if role.name in names:
            raise OptionError(
                "role",
                role.name,
                "two roles have that name: rename one, or join them.",
            )
        names.add(role.name)
    return dataclasses.replace(
        options,
        roles=tuple(_options(each, options, forks, who) for each in roles),
    )


def _options(
    role: Role, stage: Options, forks: int, who: t.Mapping[str, t.Any]
) -> Options:
    given = dict(role.options)
    own = {name: given.pop(name) for name in _IDENTITY & given.keys()}
    if own:
        given["identity"] = identity(**{**who, **own})
    if "max_requests" in given:
        # A part of the other number says nothing about this one.
        given.setdefault("max_requests_jitter", None)
    number = role.forks
    if number is None:
        number = 1 if role.exclusive else forks
    if isinstance(role.sockets, str):
        uris: tuple[str, ...] | None = (role.sockets,)
    elif role.sockets is not None:
        uris = tuple(role.sockets)
    else:
        uris = () if role.exclusive else None
    return dataclasses.replace(
        stage,
        role=role.name,
        exclusive=role.exclusive,
        plugins=role.plugins,
        forks=available_cpus() if number == 0 else number,
        sockets=uris,
        **given,
    )
