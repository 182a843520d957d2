"""Fill the parameters of handlers, from the request and by injection."""

from __future__ import annotations

import functools
import inspect
import sys
import typing as t
import weakref

import aiohttp.hdrs
import aiohttp.web

from buvar import di
from buvar_aiohttp._errors import ParameterError

from ._marks import Path
from ._plan import Plan
from ._signature import names_of
from ._signature import params_of


_METHODS: t.Final = tuple(str(name).lower() for name in aiohttp.hdrs.METH_ALL)

P = t.ParamSpec("P")
R = t.TypeVar("R")
Handler: t.TypeAlias = t.Callable[..., t.Coroutine[t.Any, t.Any, R]]

#: How the parameters of each function are filled.
_fillers: t.Final[weakref.WeakKeyDictionary[t.Any, Filler]] = (
    weakref.WeakKeyDictionary()
)


@t.overload
def inject(function: t.Callable[..., t.Awaitable[R]], /) -> Handler[R]: ...
@t.overload
def inject(
    *, unknown_query: t.Literal["error", "ignore"] = "ignore"
) -> t.Callable[[t.Callable[..., t.Awaitable[R]]], Handler[R]]: ...
def inject(
    function: t.Any = None,
    /,
    *,
    unknown_query: t.Literal["error", "ignore"] = "ignore",
) -> t.Any:
    """
    Fill the parameters of a handler.

    Those that are marked with ``Path()``, ``Query()`` or ``Body()`` come from
    the request, all others are injected as by ``di.inject``. All mistakes of
    a request are one ``ValidationError``, an answer with status 422.

    Args:
        function: A handler, or the method of a view.
        unknown_query: What is done about keys of the query that no parameter
            takes.

    Raises:
        ParameterError: A parameter cannot be filled from a request. Where an
            annotation names what is defined later, that is found out when the
            server starts, and by ``buvar check``.
    """
    frame = sys._getframe(1)  # noqa: SLF001 - local names of annotations

    def decorate(function: t.Any) -> t.Any:
        filler = Filler(function, unknown_query == "error")
        names = names_of(function, frame)
        try:
            filler.read(names)
        except ParameterError:
            # It is told with all others, once the routes are there.
            filler.names = names
        return filler.wrap(di.inject(function))

    if function is not None:
        return decorate(function)
    return decorate


class Filler:
    """
    Fills the parameters of a function.

    Attributes:
        names: What its annotations may name, as long as that matters.
    """

    def __init__(self, function: t.Any, unknown_query: bool) -> None:  # noqa: FBT001
        self.function = function
        self.names: dict[str, t.Any] | None = None
        self._unknown_query = unknown_query
        self._plan: Plan | None = None

    def read(self, names: dict[str, t.Any] | None = None) -> Plan:
        """
        Find out how the parameters are filled.

        Raises:
            ParameterError: One cannot be.
        """
        if self._plan is None:
            params = params_of(self.function, names or self.names or {})
            self._plan = Plan(
                self.function, params, unknown_query=self._unknown_query
            )
            self.names = None
        return self._plan

    def wrap(self, injected: t.Any) -> t.Any:
        """Return the function, its arguments left out at will."""
        read, plan = self.read, self._plan

        @functools.wraps(self.function)
        async def typed(*args: t.Any, **kwargs: t.Any) -> t.Any:
            values = await (plan or read())(_request_of(args))
            values.update(kwargs)
            return await injected(*args, **values)

        # What is injected besides is checked as for di.inject.
        given = dict.fromkeys(_names(self.function, plan))
        this: t.Any = typed
        this.__wrapped__ = functools.partial(injected, **given)
        _fillers[typed] = self
        return typed


def _names(function: t.Any, plan: Plan | None) -> list[str]:
    if plan is not None:
        return [param.name for param in plan.params]
    # They are wrong, which is told: that they cannot be injected is not.
    return [*inspect.signature(function).parameters][1:]


def _request_of(args: tuple[t.Any, ...]) -> aiohttp.web.Request:
    """
    Find the request among the arguments of a call.

    Raises:
        TypeError: There is none.
    """
    for arg in args:
        if isinstance(arg, aiohttp.web.Request):
            return arg
        if isinstance(arg, aiohttp.web.View):
            return arg.request
    msg = "a handler with typed parameters is called with its request first"
    raise TypeError(msg)


def problems(
    routes: t.Iterable[aiohttp.web.AbstractRoute],
) -> t.Iterator[ParameterError]:
    """Yield what is wrong with the typed parameters of routes."""
    told: set[t.Any] = set()
    for route in routes:
        for function in _functions(route.handler):
            filler = _filler_of(function)
            if filler is None:
                if function not in told:
                    told.add(function)
                    yield from _undecorated(function)
                continue
            try:
                plan = filler.read()
            except ParameterError as error:
                if function not in told:
                    told.add(function)
                    yield error
                continue
            yield from _missing(plan, route.resource)


def _functions(handler: t.Any) -> t.Iterator[t.Any]:
    """Yield what a route calls: a function, or the methods of a view."""
    if isinstance(handler, type):
        methods = (getattr(handler, name, None) for name in _METHODS)
        yield from (method for method in methods if method is not None)
    else:
        yield handler


def _filler_of(function: t.Any) -> Filler | None:
    """Find the decorated function behind partials, methods and the like."""
    while True:
        try:
            filler = _fillers.get(function)
        except TypeError:
            return None
        if filler is not None:
            return filler
        if isinstance(function, functools.partial):
            function = t.cast("t.Any", function).func
        elif hasattr(function, "__func__"):
            function = function.__func__
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        else:
            return None


def _undecorated(function: t.Any) -> t.Iterator[ParameterError]:
    """Yield what is marked, and would never be filled."""
    inner = inspect.unwrap(getattr(function, "__func__", function))
    if not inspect.isfunction(inner):
        return
    try:
        params = params_of(inner, dict(inner.__globals__))
    except ParameterError as error:
        yield error
        return
    for param in params:
        yield ParameterError(
            inner,
            param.name,
            "the handler does not fill it from the request",
            "decorate it with buvar_aiohttp.params.inject, which injects "
            "the others as well.",
        )


def _missing(
    plan: Plan, resource: aiohttp.web.AbstractResource | None
) -> t.Iterator[ParameterError]:
    """Yield parameters that the path of a route does not have."""
    if resource is None:
        return
    info = resource.get_info()
    pattern = info.get("pattern")
    if pattern is None and "path" not in info:
        return
    parts: t.Mapping[str, int]
    parts = dict[str, int]() if pattern is None else pattern.groupindex
    for param in plan.params:
        if isinstance(param.mark, Path) and param.key not in parts:
            there = ", ".join(f"{{{name}}}" for name in parts) or "none"
            yield ParameterError(
                plan.function,
                param.name,
                f"the path {resource.canonical} has no part {{{param.key}}}, "
                f"only {there}",
                "correct the path or the name, or say which one: "
                'Path("name").',
            )
