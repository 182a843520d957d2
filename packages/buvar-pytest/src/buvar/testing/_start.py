"""Start services: on a free port, ready, and ended with the test."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import types
import typing as t

from pathlib import Path

from ._notices import Notices
from ._program import TASK
from ._program import PluginRef
from ._program import Task
from ._timeout import check_timeout
from .services import TIMEOUT
from .services import Service
from .services import environment


#: The variable by which the processes of a service are found again.
MARK: t.Final = "BUVAR_TESTING_SERVICE"

#: Dicts and strings ``key=value``.
Values: t.TypeAlias = t.Sequence[t.Mapping[str, t.Any] | str]


class Services:
    """
    Starts services, and ends them after the test.

    Args:
        folder: Where their output is kept.
        values: The configuration that the test has for all of them.
        resolve: Makes a relative name of a plugin an absolute one.
    """

    def __init__(
        self,
        folder: Path,
        values: Values = (),
        resolve: t.Callable[[str], str] = str,
    ) -> None:
        #: All of them, in the order in which they were started.
        self.started: list[Service] = []
        self._folder = folder
        self._values = values
        self._resolve = resolve

    def __call__(
        self,
        *plugins: t.Any,
        forks: int = 1,
        config: t.Mapping[str, t.Any] | str | Values = (),
        env: t.Mapping[str, str] | None = None,
        env_prefix: str | None = None,
        closed: t.Sequence[int] = (),
        timeout: float = TIMEOUT,
        **options: t.Any,
    ) -> Service:
        """
        Run plugins in ``fork.stage``, and return when they are ready.

        They share a socket on a free port of this machine, unless
        ``sockets=()`` says that they listen on nothing.

        Args:
            plugins: Names, modules, or functions of modules; not functions
                within functions, which another process cannot find.
            forks: How many workers; 1 does not fork.
            config: A nested dict, a string ``key=value``, or several of them.
            env: More variables of the environment.
            env_prefix: What the variables of the configuration begin with.
            closed: The standard streams that are closed when it starts: 0,
                1, 2.
            timeout: Seconds it may take to be ready.
            options: More options of ``fork.stage``.

        Raises:
            ServiceError: It ended, or is not ready in time.
            MissingForkError: buvar-fork is not installed.
            UnreachablePluginError: Another process cannot find a plugin.
        """
        check_timeout(timeout)
        require_fork()
        values: list[t.Mapping[str, t.Any] | str] = [*self._values]
        values += (
            [config] if isinstance(config, str | t.Mapping) else [*config]
        )
        refs = [reference(p, self._resolve) for p in plugins]
        with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
            task = Task(
                parent=_parent(),
                closed=[*closed],
                block_file="",
                path=sys.path,
                argv=[],
                plugins=refs,
                config=[dict(v) for v in values if not isinstance(v, str)],
                overrides=[v for v in values if isinstance(v, str)],
                env_prefix=env_prefix,
                options={
                    "forks": forks,
                    "sockets": [f"fd://{listener.fileno()}"],
                    **options,
                },
            )
            names = ", ".join(ref["name"] or ref["module"] for ref in refs)
            service = self._start(
                names,
                task,
                port=listener.getsockname()[1],
                fds=(listener.fileno(),),
                env=env,
            )
        service.until_ready(timeout=timeout)
        return service

    def program(
        self,
        path: str | os.PathLike[str],
        *args: str,
        ready: str | t.Callable[[Service], object] | None = None,
        env: t.Mapping[str, str] | None = None,
        closed: t.Sequence[int] = (),
        timeout: float = TIMEOUT,
    ) -> Service:
        """
        Run a Python program, and return when it is ready.

        Args:
            path: The file of the program.
            args: Its arguments; ``{port}`` in them is a free port, which the
                variable ``PORT`` has, too.
            ready: A text it prints, or a condition, for a program that does
                not say ``READY=1`` by ``sd_notify``, as ``fork.stage`` does.
            env: More variables of the environment.
            closed: The standard streams that are closed when it starts.
            timeout: Seconds it may take to be ready.

        Raises:
            ServiceError: It ended, or is not ready in time.
            FileNotFoundError: There is no such file.
        """
        check_timeout(timeout)
        file = Path(path).resolve(strict=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        given = {"PORT": str(port), **(env or {})}
        task = Task(
            parent=_parent(),
            closed=[*closed],
            block_file="",
            path=[],
            argv=[str(file), *(a.replace("{port}", str(port)) for a in args)],
            plugins=[],
            config=[],
            overrides=[],
            env_prefix=None,
            options={},
        )
        service = self._start(file.name, task, port=port, fds=(), env=given)
        if ready is None:
            service.until_ready(timeout=timeout)
        elif isinstance(ready, str):
            service.until(ready, timeout=timeout)
        else:
            service.until(lambda: ready(service), timeout=timeout)
        return service

    def close(self) -> None:
        """
        End all of them, the last one first.

        Raises:
            ExceptionGroup: Something was wrong with some.
        """
        errors: list[Exception] = []
        for service in reversed(self.started):
            try:
                service.close()
            except Exception as error:  # noqa: BLE001 - raised below
                errors.append(error)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise ExceptionGroup("Services of this test failed.", errors)

    def _start(
        self,
        name: str,
        task: Task,
        *,
        port: int,
        fds: tuple[int, ...],
        env: t.Mapping[str, str] | None,
    ) -> Service:
        mark = secrets.token_hex(16)
        log = self._folder / f"service-{len(self.started) + 1}-{mark[:8]}.log"
        task["block_file"] = str(log.with_suffix(".block"))
        variables = {**(env or {}), TASK: _as_json(task)}
        with contextlib.ExitStack() as stack:
            notices = stack.enter_context(contextlib.closing(Notices()))
            file = stack.enter_context(log.open("wb"))
            process = subprocess.Popen(
                [sys.executable, "-m", "buvar.testing._program"],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=environment(variables, (MARK, mark), notices),
                pass_fds=fds,
                start_new_session=True,
            )
            file.close()
            # From here on the service closes it.
            stack.pop_all()
        service = Service(
            name,
            process,
            port=port,
            log=log,
            notices=notices,
            mark=mark,
        )
        self.started.append(service)
        return service


class UnreachablePluginError(Exception):
    """
    Another process cannot find a plugin.

    Attributes:
        plugin: The plugin.
        reason: Why not.
    """

    def __init__(self, plugin: object, reason: str) -> None:
        super().__init__(plugin, reason)
        self.plugin = plugin
        self.reason = reason

    def __str__(self) -> str:
        """Say which plugin, why not, and the cure."""
        return (
            f"The plugin {self.plugin!r} cannot run in a process of its own: "
            f"{self.reason}.\nDefine it at the top of a module, as "
            "'async def prepare(...)', and give the function or its name."
        )


def reference(plugin: t.Any, resolve: t.Callable[[str], str]) -> PluginRef:
    """
    Say how a plugin is found in another process.

    Raises:
        UnreachablePluginError: It cannot be.
    """
    if isinstance(plugin, str):
        return PluginRef(module=resolve(plugin), file=None, name=None)
    if isinstance(plugin, types.ModuleType):
        file = plugin.__file__
        return PluginRef(module=plugin.__name__, file=file, name=None)
    name = getattr(plugin, "__qualname__", None)
    if not isinstance(name, str) or not inspect.isroutine(plugin):
        raise UnreachablePluginError(plugin, "it is not a function")
    if "<" in name:
        raise UnreachablePluginError(plugin, "it is local to a function")
    file = inspect.getsourcefile(plugin)
    return PluginRef(module=plugin.__module__, file=file, name=name)


def require_fork() -> None:
    """
    Say what is missing where services cannot run.

    Raises:
        MissingForkError: buvar-fork is not installed.
    """
    if importlib.util.find_spec("buvar.fork") is None:
        raise MissingForkError


class MissingForkError(Exception):
    """Services need a package that is not installed."""

    def __str__(self) -> str:
        """Say which one, and the cure."""
        return (
            "buvar_service runs plugins in fork.stage, and buvar-fork is not "
            "installed.\nInstall the extra: pip install 'buvar-pytest[fork]'."
        )


def _parent() -> int:
    """
    Return the process that a service must not outlive.

    The kernel watches the thread that starts it: only the main one is sure
    to be there as long as the process.
    """
    main = threading.current_thread() is threading.main_thread()
    return os.getpid() if main else 0


def _as_json(task: Task) -> str:
    """
    Write down what another process is to run.

    Raises:
        TypeError: The configuration or an option is not plain data.
    """
    try:
        return json.dumps(task)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"The configuration and the options of a service must be what "
            f"JSON can say, as another process reads them: {error}.\nWrite "
            "such a value as text, such as '1h30m' or a path."
        ) from None
