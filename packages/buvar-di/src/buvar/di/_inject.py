"""Fill the parameters that a call leaves out."""

from __future__ import annotations

import collections.abc
import contextlib
import functools
import inspect
import sys
import typing as t

from buvar.components import _known
from buvar.components._impl import MISSING
from buvar.context import buvar_context

from ._adapter import name_of
from ._compile import compile_plan
from ._default import buvar_adapters
from ._errors import AnnotationError
from ._errors import RegisterError
from ._explain import needs
from ._kind import Kind
from ._kind import kind_of
from ._nject import call
from ._nject import found
from ._plan import Planner
from ._signature import EMPTY
from ._signature import Param
from ._signature import evaluate
from ._signature import params_of
from ._signature import raw
from ._signature import scopes_of


T_co = t.TypeVar("T_co", covariant=True)
P = t.ParamSpec("P")
R = t.TypeVar("R")

_AWAITABLE = (collections.abc.Awaitable, collections.abc.Coroutine)


class Injected(t.Protocol[P, T_co]):
    """A function, all of whose arguments may be left out."""

    @t.overload
    def __call__(
        self, *args: P.args, **kwargs: P.kwargs
    ) -> t.Coroutine[t.Any, t.Any, T_co]: ...
    @t.overload
    def __call__(
        self, *args: t.Any, **kwargs: t.Any
    ) -> t.Coroutine[t.Any, t.Any, T_co]: ...


def inject(function: t.Callable[P, t.Awaitable[R]]) -> Injected[P, R]:
    """
    Fill the parameters that a call of an async function leaves out.

    Args:
        function: The function; parameters are resolved by their annotations,
            in the order that ``nject`` keeps to.

    Raises:
        RegisterError: The function is not async.

    Example:
        >>> import asyncio
        >>> from buvar import context
        >>> @inject
        ... async def double(number: int) -> int:
        ...     return number * 2
        >>> with context.child() as layer:
        ...     _ = layer.add(21)
        ...     asyncio.run(double())
        42
    """
    signature = inspect.signature(function)
    names = scopes_of(function, sys._getframe(1))  # noqa: SLF001 - local names
    _refuse(function, names)
    params: tuple[Param, ...] | None = None

    def read() -> tuple[Param, ...]:
        nonlocal params
        if params is None:
            params = params_of(function, lambda: names)
        return params

    # A forward reference is read again when it is called.
    with contextlib.suppress(AnnotationError):
        read()

    @functools.wraps(function)
    async def injected(*args: t.Any, **kwargs: t.Any) -> R:
        bound = signature.bind_partial(*args, **kwargs)
        missing = [one for one in read() if one.name not in bound.arguments]
        if missing:
            values = await fill(missing, function)
            bound.arguments.update(values)
            bound.arguments = {
                name: bound.arguments[name]
                for name in signature.parameters
                if name in bound.arguments
            }
        return await function(*bound.args, **bound.kwargs)

    return injected


def _refuse(function: t.Any, names: t.Any) -> None:
    """Refuse what cannot be awaited."""
    kind = kind_of(function)
    if kind is Kind.AWAIT:
        return
    if kind is Kind.CALL:
        hint = raw(inspect.unwrap(function)).get("return", EMPTY)
        try:
            hint = evaluate(hint, lambda: names)
        except AnnotationError:
            return
        if (t.get_origin(hint) or hint) in (*_AWAITABLE, EMPTY, t.Any):
            return
    raise RegisterError(
        function,
        "di.inject fills the parameters of async functions",
        "make it one: async def",
    )


async def fill(params: t.Sequence[Param], function: t.Any) -> dict[str, t.Any]:
    """Resolve parameters of a function, one call for all of them."""
    adapters, context = buvar_adapters.get(), buvar_context.get()
    if adapters.known != _known.generation():
        adapters.fresh()
    # A default that is used is a part of what was compiled, so it lives and
    # no other has its id; one that is not used does not matter.
    key = (
        "parameters",
        *((one.name, one.asked, id(one.default)) for one in params),
    )
    version = adapters.version
    value = MISSING
    for resolver in tuple(adapters.resolvers.get(key, ())):
        value = await call(resolver, context, {})
        if value is not MISSING:
            break
    while value is MISSING:
        # Another thread may change what was planned with before it is used.
        version = adapters.version
        planner = Planner(adapters, context, {})
        name = name_of(function)
        nodes = [
            found(
                planner,
                one.annotation,
                planner.param(one),
                f"{name}{needs(one)}",
            )
            for one in params
        ]
        resolver = compile_plan(planner, nodes, single=False)
        adapters.keep(key, resolver, version)
        value = await call(resolver, context, {})
    return dict(zip((one.name for one in params), value, strict=True))
