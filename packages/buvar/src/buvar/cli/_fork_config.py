"""The section ``fork``: how the workers are run."""

from __future__ import annotations

import functools
import importlib.util
import math
import re
import sys
import typing as t

import attrs

from buvar import config

from ._role_config import RoleConfig
from ._validators import finite
from ._validators import finite_more_than_0
from ._validators import more_than_0
from ._validators import natural
from ._validators import octal


Loop: t.TypeAlias = t.Literal["asyncio", "uvloop", "winloop", "rloop", "auto"]

#: What auto means: uvloop, and on Windows what that is there.
_AUTO: t.Final = "winloop" if sys.platform == "win32" else "uvloop"
#: Loops that are a part of nothing else.
_BUILT_IN: t.Final = frozenset({"asyncio", "auto"})
#: What a role may be called, as ``fork.Role`` has it.
_NAME: t.Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def _less_than_all(
    settings: ForkConfig, _field: attrs.Attribute[t.Any], value: int | None
) -> None:
    most = settings.max_requests
    if value is not None and (most is None or not 0 <= value < most):
        msg = f"expected less than max_requests, which is {most}"
        raise ValueError(msg)


def _installed(_: object, _field: attrs.Attribute[t.Any], value: Loop) -> None:
    if value not in _BUILT_IN and not _is_installed(value):
        msg = f"{value} is not installed: pip install {value}"
        raise ValueError(msg)


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _named(
    _: object, _field: attrs.Attribute[t.Any], value: t.Mapping[str, t.Any]
) -> None:
    for name in value:
        if not _NAME.fullmatch(name):
            msg = f"expected names of letters, digits, - and _, not {name!r}"
            raise ValueError(msg)


def _loop_factory(name: Loop) -> t.Callable[[], t.Any] | None:
    """Return what makes an event loop, ``None`` for asyncio's own."""
    module = _AUTO if name == "auto" else name
    if name == "asyncio" or not _is_installed(module):
        return None
    return functools.partial(_make_loop, module)


def _make_loop(name: str) -> t.Any:
    """Make an event loop; it is imported where it runs."""
    module: t.Any = importlib.import_module(name)
    return module.new_event_loop()


@attrs.frozen(kw_only=True)
class ForkConfig:
    """How the workers are run: every option of ``fork.stage``."""

    forks: int = config.var(
        1,
        validator=natural,
        help="How many workers; 0 is one for each CPU, 1 does not fork.",
    )
    sockets: list[str] = config.list_var(
        [],
        help="What the workers listen on, such as tcp://:8080.",
    )
    backlog: int = config.var(
        2048,
        validator=more_than_0,
        help="How many connections may wait to be accepted.",
    )
    unserved: t.Literal["error", "warn"] = config.var(
        "error", help="What a socket is that no plugin serves."
    )
    reuse_port: bool = config.bool_var(
        default=False, help="Give each worker a socket of its own."
    )
    loop: Loop = config.var(
        "asyncio",
        validator=_installed,
        help="The event loop; auto is uvloop, or winloop on Windows, where "
        "it is installed.",
    )
    preload: bool = config.bool_var(
        default=True, help="Import the modules once, for all workers."
    )
    user: str | None = config.var(
        None, help="The user that the workers become, once all is bound."
    )
    group: str | None = config.var(
        None, help="Their group, by default that of the user."
    )
    umask: str | None = config.var(
        None, validator=octal, help='Their umask, such as "027".'
    )
    directory: str | None = config.var(None, help="Their working directory.")
    worker_timeout: float = config.var(
        60.0,
        validator=more_than_0,
        help="Seconds after which a blocked worker is killed, or inf.",
    )
    boot_timeout: float = config.var(
        60.0,
        validator=more_than_0,
        help="Seconds that a worker gets to prepare its plugins, or inf.",
    )
    graceful_timeout: float = config.var(
        60.0, validator=finite, help="Seconds that a worker gets to end."
    )
    max_requests: int | None = config.var(
        None,
        validator=more_than_0,
        help="Replace a worker after so many requests.",
    )
    max_requests_jitter: int | None = config.var(
        None,
        validator=_less_than_all,
        help="By how many less, at most; by default a tenth of them.",
    )
    max_memory: config.ByteSize | None = config.var(
        None,
        validator=more_than_0,
        help='Replace a worker that has more memory, such as "512 MiB".',
    )
    max_failures: int = config.var(
        7,
        validator=natural,
        help="Give up after so many failures in a row; 0 never does.",
    )
    backoff: float = config.var(
        0.05,
        validator=finite_more_than_0,
        help="Seconds before a crashed worker is started again, doubled.",
    )
    backoff_limit: float = config.var(
        30.0, validator=finite, help="The longest such wait, in seconds."
    )
    stable_after: float = config.var(
        2.0,
        validator=finite,
        help="Seconds after which a worker counts as healthy.",
    )
    pid_path: str | None = config.var(
        None, help="A file to keep the process id in."
    )
    title: str = config.var(
        "buvar", help="What the processes are called, with setproctitle."
    )
    reload: bool = config.bool_var(
        default=False, help="Restart when a source file changes."
    )
    reload_paths: list[str] = config.list_var(
        [], help="What to watch instead of the sources below this folder."
    )

    roles: dict[str, RoleConfig] = config.var(
        factory=dict[str, RoleConfig],
        validator=_named,
        help="Groups of workers with plugins of their own, by name.",
    )

    def stage_options(self) -> dict[str, t.Any]:
        """Return what ``fork.stage`` takes."""
        options = attrs.asdict(self, recurse=False)
        loop, paths = options.pop("loop"), options.pop("reload_paths")
        del options["roles"]
        factory = _loop_factory(loop)
        if factory is not None:
            options["loop_factory"] = factory
        if self.reload and paths:
            options["reload"] = paths
        if self.umask is not None:
            options["umask"] = int(self.umask, 8)
        if self.boot_timeout == math.inf:
            options["boot_timeout"] = None
        return options
