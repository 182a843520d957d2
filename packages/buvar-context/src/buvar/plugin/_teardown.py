"""What is to be done when the stage ends."""

from __future__ import annotations

import contextlib
import functools
import inspect
import typing as t

from buvar.components import Closer
from buvar.components import Components

from ._tasks import discard


T = t.TypeVar("T")
P = t.ParamSpec("P")

ContextManager: t.TypeAlias = (
    "contextlib.AbstractAsyncContextManager[T] "
    "| contextlib.AbstractContextManager[T]"
)


class Teardown:
    """
    Collects what is done when the stage ends: latest first, each once.

    It shares one list with all else that ends with the plugins' layer, as
    what dependency injection built for the length of the stage: the order is
    that of all of them.
    """

    def __init__(self, layer: Components) -> None:
        self._layer = layer

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
            TypeError: It is no context manager.
        """
        kind = type(manager)
        if hasattr(kind, "__aenter__") and hasattr(kind, "__aexit__"):
            value = await manager.__aenter__()
        elif hasattr(kind, "__enter__") and hasattr(kind, "__exit__"):
            value = manager.__enter__()
        else:
            msg = (
                f"{manager!r} is no context manager. "
                "Use teardown.add() for functions."
            )
            raise TypeError(msg)
        self._add(_Exit(manager))
        return value

    def _add(self, closer: Closer) -> None:
        if self._layer.closers is None:
            self._layer.closers = []
        try:
            self._layer.closers.append(closer)
        except BaseException:
            _drop(closer)
            raise


class _Await:
    """Awaits something at the end."""

    def __init__(self, awaitable: t.Awaitable[t.Any]) -> None:
        self.awaitable = awaitable

    def __call__(self, _error: BaseException | None) -> t.Awaitable[t.Any]:
        return self.awaitable


class _Call:
    """Calls something at the end."""

    def __init__(self, func: t.Callable[[], t.Any]) -> None:
        self.func = func

    def __call__(
        self, _error: BaseException | None
    ) -> t.Awaitable[t.Any] | None:
        result = self.func()
        return result if inspect.isawaitable(result) else None


class _Exit:
    """Leaves a context manager at the end."""

    def __init__(self, manager: t.Any) -> None:
        self.manager = manager

    def __call__(
        self, error: BaseException | None
    ) -> t.Awaitable[t.Any] | None:
        info = (
            (None, None, None)
            if error is None
            else (type(error), error, error.__traceback__)
        )
        if hasattr(type(self.manager), "__aexit__"):
            return t.cast(
                "t.Awaitable[t.Any]", self.manager.__aexit__(*info)
            )
        self.manager.__exit__(*info)
        return None


def _drop(closer: Closer) -> None:
    if isinstance(closer, _Await):
        discard(closer.awaitable)
