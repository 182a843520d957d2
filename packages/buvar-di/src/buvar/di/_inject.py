"""Fill the parameters that a call leaves out."""

from __future__ import annotations

import collections.abc
import functools
import inspect
import sys
import typing as t
import weakref

from buvar.components.spi import MISSING

from ._annotations.evaluate import EMPTY
from ._annotations.evaluate import evaluate
from ._annotations.evaluate import raw
from ._annotations.scopes import Scopes
from ._annotations.scopes import scopes_of
from ._annotations.signature import Param
from ._current import buvar_adapters
from ._errors import AnnotationError
from ._errors import RegisterError
from ._nject import Question
from ._nject import require
from ._nject import resolve_slow
from ._plan.nodes import Node
from ._plan.planner import Planner
from ._registry.adapter import name_of
from ._registry.injected import BY_POSITION
from ._registry.injected import InjectedFunction
from ._registry.injected import remember
from ._registry.provider_kind import Kind
from ._registry.provider_kind import kind_of
from ._report.explain import needs


T_co = t.TypeVar("T_co", covariant=True)
P = t.ParamSpec("P")
R = t.TypeVar("R")

#: More forms of arguments than this are not remembered.
_MOST: t.Final = 32

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
    names = scopes_of(function, sys._getframe(1))  # noqa: SLF001 - local names
    _refuse(function, names)
    filler = Filler(function, names)
    injected: t.Any = filler.wrap()
    remember(injected, filler.injected)
    return t.cast("Injected[P, R]", injected)


class Key:
    """Stands for parameters that look alike, quick to hash."""

    __slots__ = ("__weakref__",)


#: Functions that look alike share their compiled code, by one key.
_KEYS: t.Final[weakref.WeakValueDictionary[t.Any, Key]] = (
    weakref.WeakValueDictionary()
)


class Shape(t.NamedTuple):
    """
    What a call leaves out, the same for all calls with such arguments.

    Attributes:
        question: How the missing parameters are resolved.
        names: Their names.
        places: Those of them that cannot be given by name.
        follow: They all follow what is given by position.
    """

    question: Question
    names: tuple[str, ...]
    places: tuple[str, ...]
    follow: bool


class Filler:
    """Finds out what calls leave out."""

    def __init__(self, function: t.Any, names: Scopes) -> None:
        self.function = function
        self.injected = InjectedFunction(function, names)
        self.shapes: dict[t.Any, Shape] = {}

    def wrap(self) -> t.Any:
        """Return the function, its arguments left out at will."""
        # Each request passes here: nothing is called that need not be.
        function, shapes = self.function, self.shapes
        adapters_of, learn = buvar_adapters.get, self.learn

        @functools.wraps(function)
        async def injected(*args: t.Any, **kwargs: t.Any) -> t.Any:
            form = (len(args), *kwargs) if kwargs else len(args)
            shape = shapes.get(form)
            if shape is None:
                shape = learn(form, args, kwargs)
            question, names, places, follow = shape
            if not names:
                return await function(*args, **kwargs)
            adapters = adapters_of()
            values: t.Any = MISSING
            call = adapters.calls.get(question.key)
            if call is not None:
                # It may be another function's: an error has to name the
                # right one.
                values = await call(None, {})
            if values is MISSING:
                values = await resolve_slow(question, adapters, {})
            if follow:
                if kwargs:
                    return await function(*args, *values, **kwargs)
                return await function(*args, *values)
            named = dict(zip(names, values, strict=True))
            args += tuple([named.pop(name) for name in places])
            kwargs.update(named)
            return await function(*args, **kwargs)

        return injected

    def learn(
        self,
        form: t.Any,
        args: tuple[t.Any, ...],
        kwargs: dict[str, t.Any],
    ) -> Shape:
        """
        Find out what is missing.

        Raises:
            TypeError: An argument is of no parameter.
        """
        try:
            bound = self.injected.signature.bind_partial(*args, **kwargs)
        except TypeError as error:
            # As Python says it, which names the function.
            msg = f"{name_of(self.function)}() {error}"
            raise TypeError(msg) from None
        missing = [
            param
            for param in self.injected.params
            if param.name not in bound.arguments
        ]
        # A default that is used is a part of what was compiled, so it lives
        # and no other has its id; one that is not used does not matter.
        alike = tuple(
            (param.name, param.asked, id(param.default)) for param in missing
        )
        key = _KEYS.setdefault(alike, Key())
        names = tuple(param.name for param in missing)
        shape = Shape(
            Question(key, missing, self._plan, single=False),
            names,
            tuple(param.name for param in missing if self._has_place(param)),
            self._follow(len(args), names),
        )
        if len(self.shapes) < _MOST:
            self.shapes[form] = shape
        return shape

    def _plan(self, planner: Planner, params: t.Sequence[Param]) -> list[Node]:
        name = name_of(self.function)
        return [
            require(
                planner,
                param.annotation,
                planner.param(param),
                f"{name}{needs(param)}",
            )
            for param in params
        ]

    def _follow(self, given: int, names: tuple[str, ...]) -> bool:
        """Tell whether parameters are the next after so many by position."""
        params = [*self.injected.signature.parameters.values()]
        following = params[given : given + len(names)]
        return tuple(param.name for param in following) == names and all(
            param.kind in BY_POSITION for param in following
        )

    def _has_place(self, param: Param) -> bool:
        kind = self.injected.signature.parameters[param.name].kind
        return kind is inspect.Parameter.POSITIONAL_ONLY


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
