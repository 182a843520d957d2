"""From plugins and URIs to running workers."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import sys
import typing as t

from buvar.components import Components
from buvar.components import Namespaces

from ._cpus import available_cpus
from ._errors import ForkError
from ._errors import OptionError
from ._errors import UnsupportedError
from ._identity import identity
from ._listeners import Listeners
from ._listeners import Share
from ._options import Options
from ._pidfile import pid_file
from ._preload import preload as preload_plugins
from ._preload import warn_loaded
from ._reload import reload_forever
from ._role import Role
from ._role import absolute
from ._role import with_roles
from ._single import run_single
from ._streams import fill
from ._streams import say
from ._supervise.signals import can_handle
from ._supervise.signals import signal_name


_log = logging.getLogger("buvar.fork")


def stage(
    *plugins: t.Any,
    components: Components | Namespaces | None = None,
    forks: int = 0,
    sockets: t.Iterable[str] = (),
    backlog: int = 2048,
    reuse_port: bool = False,
    worker_timeout: float = 60.0,
    boot_timeout: float | None = 60.0,
    graceful_timeout: float = 60.0,
    backoff: float = 0.05,
    backoff_limit: float = 30.0,
    stable_after: float = 2.0,
    max_failures: int = 7,
    max_memory: int | None = None,
    max_requests: int | None = None,
    max_requests_jitter: int | None = None,
    pid_path: str | os.PathLike[str] | None = None,
    title: str = "buvar",
    preload: bool = True,
    unserved: t.Literal["warn", "error"] = "warn",
    reload: bool | str | t.Iterable[str | os.PathLike[str]] = False,
    user: str | int | None = None,
    group: str | int | None = None,
    umask: int | None = None,
    directory: str | os.PathLike[str] | None = None,
    **options: t.Any,
) -> list[t.Any]:
    """
    Run plugins, or roles, in forked workers that share sockets.

    The sockets are bound first, then the workers forked; this process only
    supervises them. What follows the call is run by this process only: a
    worker flushes its streams, runs what it registered with ``atexit`` and
    ends.

    Args:
        plugins: Names, modules or functions, as ``plugin.stage`` takes them;
            or only objects of ``Role``, which have plugins each.
        components: Components that the plugins find in the context.
        forks: How many workers; 1 runs the stage in this process, without a
            supervisor; 0 means one per available CPU. With roles it is for
            those that do not say, and there is always a supervisor.
        sockets: URIs: ``tcp://host:port``, ``unix:///path?mode=660``,
            ``fd://3``, ``systemd://name``; each becomes a ``Socket`` named
            by it. None takes over what systemd has passed, if it has.
        backlog: How many connections may wait to be accepted.
        reuse_port: Give each worker a socket of its own, between which the
            kernel distributes the connections.
        worker_timeout: A worker whose event loop is blocked that long, in
            seconds, is killed and replaced; ``math.inf`` never does.
        boot_timeout: Seconds a worker gets to prepare its plugins before it
            is killed, which counts as a failure; None waits for ever.
        graceful_timeout: Seconds a worker gets to end before it is killed,
            from when it is told to or its stage begins to end by itself. Its
            tasks get four fifths of them to end by themselves.
        backoff: Seconds before a crashed worker is started again, doubled
            with each crash in a row.
        backoff_limit: The longest such wait, in seconds.
        stable_after: Seconds for which a worker has to serve to count as
            healthy.
        max_failures: Give up when a worker failed that often in a row and
            none is healthy; 0 never does. A worker that was killed by a
            signal does not count.
        max_memory: Replace a worker that has more bytes in RAM.
        max_requests: Replace a worker that has counted that much work, see
            ``Worker.count``.
        max_requests_jitter: By how much less work that may be, drawn at
            random for each worker, so that not all are replaced at once; by
            default a tenth of ``max_requests``.
        pid_path: A file to keep the id of this process in.
        title: What the processes are called, if setproctitle is installed.
        preload: Load all modules of the application once, for all workers
            and their successors: those of plugins given by name before the
            fork, others as soon as a worker has imported them. Otherwise
            each worker imports all of them, and ``HUP`` brings changes.
        unserved: What to do when a worker serves none of its sockets within
            5 seconds: ``"warn"``, or ``"error"``, with which it does not
            boot. One that serves only some of them never boots.
        reload: Run the program again when Python or TOML files below the
            working directory change, or any files below the given paths. For
            development.
        user: The name or number of the user that the workers become once
            the sockets are bound, with that user's groups, ``HOME``,
            ``USER`` and ``LOGNAME``. Only root may become another one.
        group: The workers' group, by default that of the user.
        umask: The workers' file mode creation mask, such as ``0o027``.
        directory: The workers' working directory.
        options: More options of ``plugin.stage``, e.g. ``signals``.

    Returns:
        The results of all workers' tasks, worker by worker.

    Raises:
        ForkError: An option makes no sense, a socket cannot be bound (exit
            code 2), the workers cannot boot (3), or failed (their code). It
            is printed by then.

    Example:
        >>> async def prepare():
        ...     yield task()
        >>> async def task():
        ...     return "done"
        >>> stage(prepare, forks=1)
        ['done']
    """
    roles = [plugin for plugin in plugins if isinstance(plugin, Role)]
    solo = forks == 1 and not roles
    who: dict[str, t.Any] = {
        "user": user,
        "group": group,
        "umask": umask,
        "directory": directory,
    }
    try:
        _refuse_mixed(plugins, roles)
        if not solo:
            _check_place()
        fill()
        if reload is not False:
            reload_forever(None if reload is True else _several(reload))
        told = Options(
            plugins=absolute(plugins, sys._getframe(1).f_globals),  # noqa: SLF001
            stage=options,
            components=components,
            forks=forks or available_cpus(),
            worker_timeout=worker_timeout,
            boot_timeout=boot_timeout,
            graceful_timeout=graceful_timeout,
            backoff=backoff,
            backoff_limit=backoff_limit,
            stable_after=stable_after,
            max_failures=max_failures,
            max_memory=max_memory,
            max_requests=max_requests,
            max_requests_jitter=max_requests_jitter,
            title=title,
            preload=preload,
            unserved=unserved,
            collects=gc.isenabled(),
            identity=identity(**who),
        )
        if roles:
            told = with_roles(told, roles, forks=forks, who=who)
        return _run(
            told,
            _several(sockets),
            backlog=backlog,
            reuse_port=reuse_port,
            pid_path=pid_path,
            solo=solo,
        )
    except ForkError as error:
        # Uncaught, it only ends the program, see there.
        say(str(error))
        raise


def _run(
    options: Options,
    sockets: t.Iterable[str],
    *,
    backlog: int,
    reuse_port: bool,
    pid_path: str | os.PathLike[str] | None,
    solo: bool,
) -> list[t.Any]:
    """Bind, then run the stage here or in workers."""
    options.check()

    def open_all(stack: contextlib.ExitStack) -> Listeners:
        stack.enter_context(pid_file(pid_path))
        listeners = Listeners(
            sockets,
            backlog=backlog,
            reuse_port=reuse_port,
            supervised=not solo,
            shares=[
                Share(role.role, role.sockets, role.forks)
                for role in options.each_role()
            ],
        )
        stack.callback(listeners.close)
        return listeners

    run = run_single if solo else _run_workers
    return run(options, open_all)


def _run_workers(
    options: Options,
    open_all: t.Callable[[contextlib.ExitStack], Listeners],
) -> list[t.Any]:
    """Run the stage in workers; signals are handled from the beginning."""
    # Forking is looked for only where it is needed.
    from ._supervise.inbox import Inbox  # noqa: PLC0415
    from ._supervise.inbox import InterruptedStartError  # noqa: PLC0415
    from ._supervise.supervisor import Supervisor  # noqa: PLC0415

    with Inbox() as inbox, contextlib.ExitStack() as stack:
        try:
            with inbox.interrupting(stack.close):
                listeners = open_all(stack)
                plugins = [
                    plugin
                    for role in options.each_role()
                    for plugin in role.plugins
                ]
                if options.preload:
                    preload_plugins(plugins)
                else:
                    warn_loaded(plugins)
        except InterruptedStartError as interrupt:
            _log.info("Stopped by %s.", signal_name(interrupt.number))
            return []
        supervisor = Supervisor(options, listeners, inbox)
        stack.enter_context(_frozen(collects=options.collects))
        return supervisor.run()


def _check_place() -> None:
    """Refuse to fork where that cannot work, before anything is done."""
    if not hasattr(os, "fork"):
        raise UnsupportedError(
            "This platform cannot fork; use forks=1, which runs the plugins "
            "in this process."
        )
    if not can_handle():
        raise UnsupportedError(
            "Only the main thread of the main interpreter can supervise "
            "workers, as it gets the signals; call fork.stage there."
        )
    with contextlib.suppress(RuntimeError):
        asyncio.get_running_loop()
        raise UnsupportedError(
            "Workers would inherit the event loop that runs here; call "
            "fork.stage outside of it."
        )


def _several(items: t.Any) -> t.Any:
    """Take one for a list of one: text is not a list of characters."""
    return [items] if isinstance(items, str | os.PathLike) else items


def _refuse_mixed(plugins: t.Sequence[t.Any], roles: t.Sequence[Role]) -> None:
    """Refuse plugins beside roles: nothing says which role has them."""
    if roles and len(roles) < len(plugins):
        first = next(
            plugin for plugin in plugins if not isinstance(plugin, Role)
        )
        raise OptionError(
            "plugins",
            first,
            "it stands beside roles: give it to those that are to run it.",
        )


@contextlib.contextmanager
def _frozen(*, collects: bool) -> t.Generator[None]:
    """Keep the garbage collector off what the workers share."""
    gc.collect()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if collects:
            gc.enable()
