"""One registered implementation: what it returns and what it needs."""

from __future__ import annotations

import collections.abc
import functools
import inspect
import types
import typing as t

from ._errors import AnnotationError
from ._errors import RegisterError
from ._kind import Kind
from ._kind import Scope
from ._kind import check
from ._kind import kind_of
from ._kind import plain
from ._signature import EMPTY
from ._signature import Param
from ._signature import Scopes
from ._signature import evaluate
from ._signature import function_of
from ._signature import params_of
from ._signature import raw
from ._signature import scopes_of
from ._types import Bindings
from ._types import ask
from ._types import inherited
from ._types import parameters
from ._types import show
from ._types import substitute
from ._types import unalias


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
    """

    def __init__(
        self,
        implementation: t.Any,
        scope: Scope,
        provides: t.Any,
        frame: types.FrameType | None,
    ) -> None:
        implementation = plain(implementation)
        check(implementation, scope)
        self.implementation = implementation
        self.scope: Scope = scope
        self.number = 0
        self.kind = kind_of(implementation)
        self._provides = provides
        self._params: tuple[Param, ...] | None = None
        self._returns: t.Any = None
        #: The class a generic classmethod is bound to, its type variable.
        self.owner: type | None = None
        self.variable: t.Any = None
        self._tickets: dict[t.Any, tuple[object, object]] = {}
        self._frame = frame
        self._scopes: Scopes | None = None
        try:
            self.read()
        except AnnotationError:
            # May be a forward reference: kept for later, without the frame.
            self.scopes()
        self._frame = None

    def read(self) -> None:
        """
        Evaluate all annotations.

        Raises:
            AnnotationError: A name is not defined (yet).
        """
        if self._returns is None:
            self._returns = self._read_returns()
        if self._params is None:
            self._params = self._read_params()
            self._scopes = None

    def scopes(self) -> Scopes:
        """Return the names that annotations may mean."""
        if self._scopes is None:
            self._scopes = scopes_of(self.implementation, self._frame)
        return self._scopes

    @property
    def returns(self) -> t.Any:
        """The type of what it builds."""
        if self._returns is None:
            self._returns = self._read_returns()
        return self._returns

    @property
    def params(self) -> tuple[Param, ...]:
        """The parameters that can be filled."""
        if self._params is None:
            self._params = self._read_params()
        return self._params

    def _read_params(self) -> tuple[Param, ...]:
        cls = self.implementation
        found = params_of(cls, self.scopes)
        if not isinstance(cls, type) or not hasattr(cls, "__orig_bases__"):
            return found
        bindings = inherited(cls)
        types = [substitute(one.annotation, bindings) for one in found]
        return tuple(
            one._replace(annotation=tp, asked=ask(tp))
            for one, tp in zip(found, types, strict=True)
        )

    def _read_returns(self) -> t.Any:
        implementation = self.implementation
        if self._provides is not None:
            return self._provides
        if isinstance(implementation, type):
            free = parameters(implementation)
            return implementation[free] if free else implementation  # type: ignore[index]
        function = function_of(implementation)
        hint = raw(getattr(function, "__func__", function)).get(
            "return", EMPTY
        )
        if isinstance(implementation, functools.partial) and isinstance(
            implementation.func, type
        ):
            return implementation.func
        if hint is EMPTY or hint is None or hint == "None":
            raise RegisterError(
                self.implementation,
                "it does not say what it returns",
                "annotate its return type, or register it with provides=...",
            )
        hint = unalias(evaluate(hint, self.scopes))
        hint = self._result(hint)
        owner = getattr(self.implementation, "__self__", None)
        if isinstance(owner, type) and (
            hint is t.Self or isinstance(hint, t.TypeVar)
        ):
            self.owner, self.variable = owner, hint
            return owner
        return hint

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
        return ask(self.returns).keys

    def tickets(self, bindings: Bindings) -> tuple[object, object]:
        """
        Return two keys for the items of a layer, quick to hash.

        Under one stands what was built, under the other who builds it.
        """
        key = tuple(bindings.values())
        if key not in self._tickets:
            self._tickets[key] = (Ticket(self, "of"), Ticket(self, "building"))
        return self._tickets[key]

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
        target = self.implementation
        if isinstance(target, functools.partial):
            target = target.func
        function = inspect.unwrap(getattr(target, "__func__", target))
        code = getattr(function, "__code__", None)
        if code is None:
            try:
                line = inspect.getsourcelines(target)[1]
                return f"{inspect.getsourcefile(target)}:{line}"
            except (OSError, TypeError):
                return "source unknown"
        return f"{code.co_filename}:{code.co_firstlineno}"

    @property
    def name(self) -> str:
        """The name to show."""
        found = getattr(self.implementation, "__qualname__", None)
        if found is None:
            found = repr(self.implementation)
        return str(found).rpartition("<locals>.")[2]

    def __repr__(self) -> str:
        """Show the implementation, its lifetime and what it returns."""
        try:
            returns = show(self.returns)
        except (AnnotationError, RegisterError):
            returns = "?"
        return f"<Adapter {self.name} -> {returns}, scope={self.scope!r}>"
