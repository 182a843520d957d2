"""One registered implementation: what it returns and what it needs."""

from __future__ import annotations

import collections.abc
import contextlib
import copy
import functools
import inspect
import types
import typing as t

from buvar.di._annotations.classes import class_of
from buvar.di._annotations.evaluate import EMPTY
from buvar.di._annotations.evaluate import evaluate
from buvar.di._annotations.evaluate import raw
from buvar.di._annotations.evaluate import written
from buvar.di._annotations.generics import Bindings
from buvar.di._annotations.generics import opened
from buvar.di._annotations.generics import parameters
from buvar.di._annotations.generics import replaced
from buvar.di._annotations.generics import substitute
from buvar.di._annotations.parse import ask
from buvar.di._annotations.parse import inherited
from buvar.di._annotations.parse import provided
from buvar.di._annotations.parse import show
from buvar.di._annotations.scopes import Scopes
from buvar.di._annotations.scopes import function_of
from buvar.di._annotations.scopes import scopes_of
from buvar.di._annotations.signature import Param
from buvar.di._annotations.signature import params_of
from buvar.di._annotations.spelling import unalias
from buvar.di._errors import AnnotationError
from buvar.di._errors import RegisterError

from .provider_kind import Kind
from .provider_kind import Scope
from .provider_kind import check
from .provider_kind import kind_of
from .provider_kind import plain


_RESULTS = {
    Kind.AWAIT: (collections.abc.Awaitable, collections.abc.Coroutine),
    Kind.YIELD: (
        collections.abc.Iterator,
        collections.abc.Iterable,
        collections.abc.Generator,
    ),
    Kind.ASYNC_YIELD: (
        collections.abc.AsyncIterator,
        collections.abc.AsyncIterable,
        collections.abc.AsyncGenerator,
    ),
}


class Ticket:
    """A key of what an adapter built."""

    def __init__(self, adapter: Adapter, text: str) -> None:
        self.adapter = adapter
        self.text = text

    def __repr__(self) -> str:
        """Show whose it is."""
        return f"<{self.text} {self.adapter.name}>"


class Adapter:
    """
    A registered implementation.

    Attributes:
        implementation: What was registered.
        scope: How long what it builds is kept.
        kind: How it gives its object.
        number: Its place in the order of registration.
        collect: Whether collections hold what it builds.
        when: The condition under which it is used.
        wraps: The parameter for what it wraps, if it is a decorator around
            another adapter.
        base: That adapter, and what its type variables stand for.
    """

    def __init__(
        self,
        implementation: t.Any,
        scope: Scope,
        provides: t.Any,
        frame: types.FrameType,
    ) -> None:
        implementation = plain(implementation)
        check(implementation, scope)
        self.implementation = implementation
        #: The same for what counts as the same implementation.
        self.identity: t.Hashable = implementation
        if getattr(implementation, "__hash__", None) is None:
            self.identity = id(implementation)
        self.scope: Scope = scope
        self.number = 0
        self.collect = True
        self.when: t.Any = None
        self.wraps: Param | None = None
        self.base: tuple[Adapter, Bindings] | None = None
        #: What wraps what this one builds, by decorator and type variables.
        self.wrappers: dict[t.Any, Adapter] = {}
        self.kind = kind_of(implementation)
        self._provides = provides
        self._params: tuple[Param, ...] | None = None
        self._returns: t.Any = None
        #: The class a generic classmethod is bound to.
        self.owner: type | None = None
        #: What stands for the class that is asked for.
        self.variable: t.Any = None
        self._tickets: dict[t.Any, tuple[object, object]] = {}
        self._frame: types.FrameType | None = frame
        self._scopes: Scopes | None = None
        try:
            _ = self.returns, self.params
        except AnnotationError:
            # May be a forward reference: kept for later, without the frame.
            self.scopes()
        self._frame = None

    def around(
        self, inner: Adapter, bindings: Bindings, param: Param
    ) -> Adapter:
        """Return a twin that wraps what another one builds, kept as that."""
        twin = copy.copy(self)
        twin._tickets, twin.wrappers = {}, {}  # noqa: SLF001 - our own
        twin.scope, twin.number = inner.scope, inner.number
        twin.collect = inner.collect
        twin.wraps, twin.base = param, inner.base or (inner, bindings)
        return twin

    def scopes(self) -> Scopes:
        """Return the names that annotations may mean."""
        if self._scopes is None:
            frame = t.cast("types.FrameType", self._frame)
            self._scopes = scopes_of(self.implementation, frame)
        return self._scopes

    @property
    def returns(self) -> t.Any:
        """The type of what it builds."""
        if self._returns is None:
            self._returns = self._read_returns()
            self._forget()
        return self._returns

    @property
    def params(self) -> tuple[Param, ...]:
        """The parameters that can be filled."""
        if self._params is None:
            self._params = self._read_params()
            self._forget()
        return self._params

    def _forget(self) -> None:
        """Let go of names once all annotations are evaluated."""
        if self._returns is not None and self._params is not None:
            self._scopes = None

    def _read_params(self) -> tuple[Param, ...]:
        implementation = self.implementation
        found = params_of(implementation, self.scopes)
        cls = class_of(implementation)
        origin = cls if isinstance(cls, type) else t.get_origin(cls)
        if not hasattr(origin, "__orig_bases__"):
            return found
        bindings = inherited(cls)
        types = [substitute(param.annotation, bindings) for param in found]
        return tuple(
            param._replace(annotation=tp, asked=param.ask(tp))
            for param, tp in zip(found, types, strict=True)
        )

    def _read_returns(self) -> t.Any:
        if isinstance(self._provides, str):
            return unalias(evaluate(self._provides, self.scopes))
        cls = class_of(self.implementation)
        if self._provides is not None:
            return self._narrowed(cls)
        if cls is not None:
            return opened(cls)
        function = function_of(self.implementation)
        function = getattr(function, "__func__", function)
        hint = raw(function).get("return", EMPTY)
        text = functools.partial(written, (function,), "return", hint)
        hint = self._result(unalias(evaluate(hint, self.scopes, text)))
        hint = self._bound(hint, function)
        if hint is object or not _keys(hint):
            raise RegisterError(
                self.implementation,
                "it does not say what it returns",
                "annotate its return type, or register it with provides=...",
            )
        return hint

    def _narrowed(self, cls: t.Any) -> t.Any:
        """Take a bare generic type for the one that a class inherits from."""
        bare = self._provides
        if cls is None or not isinstance(bare, type) or not parameters(bare):
            return bare
        return next(
            (tp for tp in provided(opened(cls)) if t.get_origin(tp) is bare),
            bare,
        )

    def _bound(self, hint: t.Any, function: t.Any) -> t.Any:
        """Find out what ``Self`` and the type variables stand for."""
        method = self.implementation
        is_partial = isinstance(method, functools.partial)
        method = method.func if is_partial else method
        own: t.Any = getattr(method, "__self__", None)
        of_class = own if isinstance(own, type) else None
        variable = None
        if isinstance(method, types.MethodType):
            variable = self._first(function)
        is_variable = isinstance(hint, t.TypeVar)
        if is_variable and hint is not variable:
            if self._takes(hint):
                # A factory: it builds the class that it is given.
                self.variable = hint
                return hint
            if of_class is None:
                raise RegisterError(
                    self.implementation,
                    f"no parameter says what {hint} stands for",
                    f"give it one: type[{hint.__name__}]",
                )
            variable = hint
        is_owner = hint is t.Self or hint is variable
        if is_owner and of_class is not None and not is_partial:
            self.owner, self.variable = of_class, hint
            return of_class
        for owner in (t.Self, variable):
            if own is not None and owner is not None:
                hint = replaced(hint, owner, of_class or type(own))
        return hint

    def _first(self, function: t.Any) -> t.Any:
        """Return the type variable of ``cls: type[T]`` or ``self: T``."""
        code = getattr(function, "__code__", None)
        name = next(iter(getattr(code, "co_varnames", ())), "")
        hint = raw(function).get(name, EMPTY)
        # Nobody fills it, so what it says need not be there.
        with contextlib.suppress(AnnotationError):
            hint = evaluate(hint, self.scopes)
        if t.get_origin(hint) is type:
            hint = t.get_args(hint)[0]
        return hint if isinstance(hint, t.TypeVar) else None

    def _takes(self, variable: t.Any) -> bool:
        return any(
            variable is param.annotation
            or variable in parameters(param.annotation)
            for param in self.params
        )

    def _result(self, hint: t.Any) -> t.Any:
        """Look into what wraps the result: an iterator, an awaitable."""
        origin, args = t.get_origin(hint), t.get_args(hint)
        if self.kind is Kind.CALL and origin in _RESULTS[Kind.AWAIT] and args:
            self.kind = Kind.AWAIT
            return args[-1]
        yields = self.kind in (Kind.YIELD, Kind.ASYNC_YIELD)
        if yields and args and origin in _RESULTS[self.kind]:
            return args[0]
        return hint

    @property
    def keys(self) -> tuple[t.Any, ...]:
        """The types it builds, each member if it is a union."""
        return _keys(self.returns)

    def can_build(self, key: t.Any) -> bool:
        """
        Tell whether a factory can be given what is asked for.

        ``type[T]`` is a class, or a ``NewType`` which is called like one: the
        type of literal values is neither.
        """
        if self.variable is None or t.get_origin(key) is not t.Literal:
            return True
        return all(
            t.get_origin(param.annotation) is not type
            or self.variable not in t.get_args(param.annotation)
            for param in self.params
        )

    def tickets(self, bindings: Bindings) -> tuple[object, object]:
        """
        Return two keys for the items of a layer, quick to hash.

        Under one stands what was built, under the other who builds it.
        """
        key = tuple(bindings.values())
        found = self._tickets.get(key)
        if found is None:
            new = Ticket(self, "of"), Ticket(self, "building")
            # Threads that plan at the same time have to agree on one pair.
            found = self._tickets.setdefault(key, new)
        return found

    def callable(self, bindings: Bindings) -> t.Any:
        """Return what is to be called."""
        if self.owner is not None and self.variable in bindings:
            return types.MethodType(
                self.implementation.__func__, bindings[self.variable]
            )
        return self.implementation

    @property
    def where(self) -> str:
        """The file and line it was written in."""
        return place_of(self.implementation)

    @property
    def name(self) -> str:
        """The name to show."""
        own = name_of(self.implementation)
        return (
            own if self.base is None else f"{own} around {self.base[0].name}"
        )

    def __repr__(self) -> str:
        """Show the implementation, its lifetime and what it returns."""
        try:
            returns = show(self.returns)
        except (AnnotationError, RegisterError):
            returns = "?"
        return f"<Adapter {self.name} -> {returns}, scope={self.scope!r}>"


def place_of(implementation: t.Any) -> str:
    """Return the file and line that an implementation was written in."""
    target = class_of(implementation)
    target = t.get_origin(target) or target
    if target is None:
        target = function_of(implementation)
        target = getattr(target, "__func__", target)
    code = getattr(target, "__code__", None)
    if code is not None:
        return f"{code.co_filename}:{code.co_firstlineno}"
    try:
        line = inspect.getsourcelines(target)[1]
        return f"{inspect.getsourcefile(target)}:{line}"
    except (OSError, TypeError):
        return "source unknown"


def name_of(implementation: t.Any) -> str:
    """Name an implementation as its user knows it."""
    if isinstance(implementation, functools.partial):
        return f"partial({name_of(implementation.func)})"
    if t.get_origin(implementation) is not None:
        return show(implementation)
    found = getattr(implementation, "__qualname__", None)
    if isinstance(implementation, types.MethodType):
        # Not the class that it was inherited from.
        own = implementation.__self__
        cls = own if isinstance(own, type) else type(own)
        found = f"{cls.__qualname__}.{implementation.__name__}"
    if not isinstance(found, str):
        found = f"{type(implementation).__qualname__}.__call__"
    return found.rpartition("<locals>.")[2]


def _keys(returns: t.Any) -> tuple[t.Any, ...]:
    if isinstance(returns, t.TypeVar):
        return (returns,)
    return ask(returns).keys
