"""The callbacks to run when the stage ends."""

from __future__ import annotations

import contextlib
import functools
import inspect
import typing as t

from buvar.components import Components
from buvar.components._builder import await_in
from buvar.components._builder import builder
from buvar.components._builder import foreign_context
from buvar.components._builder import run_in
from buvar.components.spi import defer

from ._failure import Where
from ._failure import mark
from ._record import preparing
from ._tasks import discard


T = t.TypeVar("T")
P = t.ParamSpec("P")

_Manager: t.TypeAlias = contextlib.AbstractContextManager[t.Any]
_AsyncManager: t.TypeAlias = contextlib.AbstractAsyncContextManager[t.Any]


class Teardown:
    """
    Collects what is done when the stage ends: latest first, each once.

    It shares one list with all else that ends with the plugins' layer, as
    what dependency injection built for the length of the stage: the order is
    that of all of them.
    """

    def __init__(self, layer: Components) -> None:
        #: The layer that all plugins share.
        self.layer = layer
        #: What is awaited at the moment, as it reads in a message.
        self.running = ""

    @t.overload
    def add(self, callback: t.Awaitable[t.Any], /) -> None: ...
    @t.overload
    def add(
        self,
        callback: t.Callable[P, t.Any],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None: ...
    def add(self, callback: t.Any, /, *args: t.Any, **kwargs: t.Any) -> None:
        """
        Await or call something when the stage ends.

        Args:
            callback: An awaitable, or a function, sync or async.
            args: Arguments of the function.
            kwargs: Keyword arguments of the function.

        Raises:
            TypeError: It is neither.
            LayerEndedError: The stage has ended.
        """
        if inspect.isawaitable(callback):
            if args or kwargs:
                discard(callback)
                msg = f"{callback!r} is awaited: it takes no arguments."
                raise TypeError(msg)
            self._add(_Await(callback))
        elif callable(callback):
            self._add(_Call(functools.partial(callback, *args, **kwargs)))
        else:
            msg = (
                f"{callback!r} can be neither awaited nor called. "
                "Add a coroutine or a function."
            )
            raise TypeError(msg)

    @t.overload
    async def enter(
        self, manager: contextlib.AbstractAsyncContextManager[T]
    ) -> T: ...
    @t.overload
    async def enter(
        self, manager: contextlib.AbstractContextManager[T]
    ) -> T: ...
    async def enter(self, manager: t.Any) -> t.Any:
        """
        Enter a context manager that is left when the stage ends.

        It gets the exception that ended the stage, which it cannot suppress.

        Raises:
            TypeError: It is not a context manager.
        """
        if isinstance(manager, contextlib.AbstractAsyncContextManager):
            opened = t.cast("_AsyncManager", manager)
            value = await opened.__aenter__()
            self._add(_Exit(opened.__aexit__))
        elif isinstance(manager, contextlib.AbstractContextManager):
            entered = t.cast("_Manager", manager)
            value = entered.__enter__()
            self._add(_Exit(entered.__exit__))
        else:
            msg = (
                f"{manager!r} is not a context manager. "
                "Use teardown.add() for functions."
            )
            raise TypeError(msg)
        return value

    def _add(self, closer: _Closer) -> None:
        try:
            closer.teardown = self
            defer(self.layer, closer)
        except BaseException:
            closer.drop()
            raise


class _Closer:
    """Does something at the end, and names its plugin if that fails."""

    teardown: Teardown

    def __init__(self) -> None:
        record = preparing.get()
        #: Where it was added: a context manager is left in the context that
        #: it was entered in, as it may set context variables.
        self.task = builder() if record else None
        self.plugin = record.plugin.name if record else None
        facts = {"phase": "teardown"}
        if record is None:
            self.where = Where("In teardown", "the teardown failed", facts)
        else:
            self.where = record.where(
                "In teardown of {}", "the teardown of the {} failed", **facts
            )

    def __call__(
        self, error: BaseException | None
    ) -> t.Awaitable[t.Any] | None:
        self.teardown.running = self.label()
        context = foreign_context(self.task)
        layer = self.teardown.layer
        try:
            if context is None:
                result = self.close(error)
            else:
                result = run_in(context, layer, self.close, error)
        except BaseException as failure:
            self.teardown.running = ""
            self._note(failure, error)
            raise
        if inspect.isawaitable(result):
            waiting = self._wait(result, error)
            if context is None:
                return waiting
            return await_in(context, layer, waiting)
        self.teardown.running = ""
        return None

    def label(self) -> str:
        """Name what is done, and the plugin that asked for it."""
        return "teardown" + (
            f" of plugin {self.plugin!r}" if self.plugin else ""
        )

    async def _wait(
        self, awaitable: t.Awaitable[t.Any], error: BaseException | None
    ) -> None:
        try:
            await awaitable
        except BaseException as failure:
            self._note(failure, error)
            raise
        finally:
            self.teardown.running = ""

    def _note(
        self, failure: BaseException, error: BaseException | None
    ) -> None:
        if failure is not error:
            mark(failure, self.where)

    def close(self, error: BaseException | None) -> t.Any:
        """Do it; what is returned is awaited if it can be."""
        raise NotImplementedError  # pragma: no cover - each kind has one

    def drop(self) -> None:
        """Never do it."""


class _Await(_Closer):
    def __init__(self, awaitable: t.Awaitable[t.Any]) -> None:
        super().__init__()
        self.awaitable = awaitable

    def close(self, error: BaseException | None) -> t.Any:  # noqa: ARG002
        return self.awaitable

    def drop(self) -> None:
        discard(self.awaitable)


class _Call(_Closer):
    def __init__(self, func: t.Callable[[], t.Any]) -> None:
        super().__init__()
        self.func = func

    def close(self, error: BaseException | None) -> t.Any:  # noqa: ARG002
        return self.func()


class _Exit(_Closer):
    def __init__(self, leave: t.Callable[..., t.Any]) -> None:
        super().__init__()
        self.leave = leave

    def close(self, error: BaseException | None) -> t.Any:
        if error is None:
            return self.leave(None, None, None)
        return self.leave(type(error), error, error.__traceback__)
