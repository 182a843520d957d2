"""The adapters there are, found by what they return."""

from __future__ import annotations

import contextlib
import sys
import types
import typing as t
import weakref

from buvar.components import spi
from buvar.components.spi import LOCK
from buvar.di._annotations.generics import is_open
from buvar.di._annotations.parse import Key
from buvar.di._annotations.parse import ask
from buvar.di._annotations.parse import is_virtual
from buvar.di._annotations.parse import provided
from buvar.di._annotations.spelling import normal
from buvar.di._errors import AnnotationError
from buvar.di._errors import RegisterError

from .adapter import Adapter
from .candidate import Candidate
from .candidate import bind
from .candidate import unbound
from .compiled import Compiled
from .condition import condition_of
from .decorators import Decorator
from .options import F
from .options import Options
from .options import registered
from .overrides import block_of
from .provider_kind import Scope


class Adapters:
    """
    A registry of adapters, to be used from any thread.

    Registration order decides: what was registered last is tried first.

    Example:
        >>> adapters = Adapters()
        >>> @adapters.register
        ... def answer() -> int:
        ...     return 42
        >>> adapters
        Adapters(answer)
    """

    def __init__(self) -> None:
        self.compiled = Compiled()
        #: The part of it that each call asks.
        self.calls = self.compiled.calls
        #: Those of all blocks, later ones first.
        self.overrides: dict[Key, t.Any] = {}
        self._blocks: list[dict[Key, t.Any]] = []
        self._all: dict[t.Any, Adapter] = {}
        self._count = 0
        self._index: dict[Key, list[Adapter]] = {}
        self._open: list[Adapter] = []
        self._pending: list[Adapter] = []
        self._found: dict[Key, tuple[Candidate, ...]] = {}
        self._decorators: dict[t.Any, Decorator] = {}
        #: The same, in the order of registration: the last is outermost.
        self.decorators: tuple[Decorator, ...] = ()
        #: Types, and the names asked for, that the context will have later.
        self.expected: set[tuple[Key, t.Hashable]] = set()
        self._entry_points: weakref.WeakKeyDictionary[
            t.Any, dict[tuple[int, frozenset[str]], None]
        ] = weakref.WeakKeyDictionary()

    def changed(self) -> None:
        """Drop, with the lock held, what was found among other adapters."""
        self._found.clear()
        self.compiled.clear()

    def replan(self) -> None:
        """Plan anew, as what conditions read has changed."""
        with LOCK:
            self.changed()

    @t.overload
    def register(
        self,
        *,
        replace: bool = False,
        scope: Scope = "call",
        provides: t.Any = None,
        collect: bool = True,
        when: t.Callable[..., object] | None = None,
    ) -> t.Callable[[F], F]: ...
    @t.overload
    def register(
        self,
        implementation: F,
        /,
        *,
        replace: bool = False,
        scope: Scope = "call",
        provides: t.Any = None,
        collect: bool = True,
        when: t.Callable[..., object] | None = None,
    ) -> F: ...
    @t.overload
    def register(
        self,
        *implementations: t.Callable[..., t.Any],
        replace: bool = False,
        scope: Scope = "call",
        provides: t.Any = None,
        collect: bool = True,
        when: t.Callable[..., object] | None = None,
    ) -> t.Any: ...
    def register(
        self,
        *implementations: t.Any,
        replace: bool = False,
        scope: Scope = "call",
        provides: t.Any = None,
        collect: bool = True,
        when: t.Callable[..., object] | None = None,
    ) -> t.Any:
        """
        Register implementations, found by the types they return.

        Args:
            implementations: Classes, functions, methods, generators, sync or
                async. Without any a decorator is returned.
            replace: Forget those registered before for the same type.
            scope: How long what they build is kept: nowhere, in the layer of
                the request, in the layer of the stage.
            provides: The type they return, instead of the annotation.
            collect: Whether a collection, such as ``list[T]``, holds what
                they build.
            when: Decides whether they are used at all: a plain function, its
                parameters are injected. Asked when a call is planned.

        Returns:
            The implementation, or the tuple of them if there are several.

        Raises:
            RegisterError: One says not what it returns, or is abstract.
        """
        options = Options(replace, scope, provides, collect, when)
        frame = sys._getframe(1)  # noqa: SLF001 - local names
        return registered(lambda: self.insert, implementations, options, frame)

    def insert(
        self,
        implementations: t.Sequence[t.Any],
        options: Options,
        frame: types.FrameType,
    ) -> None:
        """Register with the names of a frame at hand."""
        for implementation in implementations:
            adapter = Adapter(
                implementation, options.scope, options.provides, frame
            )
            adapter.collect = options.collect
            adapter.when = condition_of(options, adapter, frame)
            with LOCK:
                if options.replace:
                    self._forget(adapter)
                self._insert(adapter)
                self.changed()

    @t.overload
    def decorate(
        self,
        *,
        provides: t.Any = None,
        when: t.Callable[..., object] | None = None,
    ) -> t.Callable[[F], F]: ...
    @t.overload
    def decorate(
        self,
        wrap: F,
        /,
        *,
        provides: t.Any = None,
        when: t.Callable[..., object] | None = None,
    ) -> F: ...
    def decorate(
        self,
        *wraps: t.Any,
        provides: t.Any = None,
        when: t.Callable[..., object] | None = None,
    ) -> t.Any:
        """
        Wrap what adapters build, see ``buvar.di.decorate``.

        Raises:
            RegisterError: It has no parameter of a type that it returns.
        """
        options = Options(provides=provides, when=when)
        frame = sys._getframe(1)  # noqa: SLF001 - local names
        return registered(lambda: self.wrap, wraps, options, frame)

    def wrap(
        self,
        wraps: t.Sequence[t.Any],
        options: Options,
        frame: types.FrameType,
    ) -> None:
        """Register decorators with the names of a frame at hand."""
        for each in wraps:
            adapter = Adapter(each, "call", options.provides, frame)
            adapter.when = condition_of(options, adapter, frame)
            decorator = Decorator(adapter)
            # What is not there yet is read again when it is needed.
            with contextlib.suppress(AnnotationError):
                _ = decorator.param
            with LOCK:
                self._decorators.pop(adapter.identity, None)
                self._decorators[adapter.identity] = decorator
                self.decorators = tuple(self._decorators.values())
                self.changed()

    def _insert(self, adapter: Adapter) -> None:
        self._remove(self._all.get(adapter.identity))
        self._count += 1
        adapter.number = self._count
        self._all[adapter.identity] = adapter
        self._pending.append(adapter)

    def _remove(self, adapter: Adapter | None) -> None:
        if adapter is None:
            return
        del self._all[adapter.identity]
        for found in (*self._index.values(), self._open, self._pending):
            if adapter in found:
                found.remove(adapter)

    def _forget(self, adapter: Adapter) -> None:
        for other in tuple(self._all.values()):
            with contextlib.suppress(AnnotationError):
                if other.returns == adapter.returns:
                    self._remove(other)

    # --- what is known of callers -----------------------------------------

    def expect(self, types: t.Iterable[t.Any]) -> None:
        """Remember types of what will be in the context later."""
        for tp in types:
            asked = ask(tp)
            name = None if asked.named is None else asked.named.name
            self.expected |= {
                (base, name) for key in asked.keys for base in provided(key)
            }

    def enter(
        self, function: t.Any, positional: int, keywords: frozenset[str]
    ) -> None:
        """Remember how an injected function will be called."""
        calls = self._entry_points.setdefault(function, {})
        calls[positional, keywords] = None

    @property
    def entry_points(self) -> list[tuple[t.Any, int, frozenset[str]]]:
        """The injected functions to verify, and how they will be called."""
        return [
            (function, *call)
            for function, calls in list(self._entry_points.items())
            for call in calls
        ]

    # --- looking up -------------------------------------------------------

    def find(self, key: Key) -> tuple[Candidate, ...]:
        """Return the adapters that build a type, latest first."""
        found = self._found.get(key)
        if found is None:
            with LOCK:
                if self._pending:
                    self._place()
                found = self._found[key] = tuple(self._search(key))
        return found

    def _place(self) -> None:
        """Sort new adapters in, those with forward references later."""
        pending, self._pending = self._pending, []
        for adapter in pending:
            try:
                keys = adapter.keys
            except (AnnotationError, RegisterError):
                self._pending.append(adapter)
                continue
            if adapter.owner is not None or any(map(is_open, keys)):
                self._open.append(adapter)
            for key in keys:
                for tp in provided(normal(key)):
                    self._index.setdefault(tp, []).append(adapter)
                    if adapter.scope != "call":
                        # It will be added, so nothing rests on its absence.
                        spi.announce(tp)

    def _search(self, key: Key) -> list[Candidate]:
        found = {
            adapter: Candidate(adapter, unbound(adapter))
            for adapter in self._index.get(key, ())
        }
        for adapter in self._open:
            bindings = bind(adapter, key)
            if bindings is not None:
                found[adapter] = Candidate(adapter, bindings)
        if not found and hasattr(key, "__abstractmethods__"):
            found = {
                adapter: Candidate(adapter, {})
                for adapter in self.adapters
                if any(is_virtual(tp, key) for tp in adapter.keys)
            }
        return sorted(found.values(), key=_number, reverse=True)

    @property
    def adapters(self) -> tuple[Adapter, ...]:
        """All that can be used, in the order of registration."""
        with LOCK:
            if self._pending:
                self._place()
            return tuple(
                a for a in self._all.values() if a not in self._pending
            )

    @property
    def pending(self) -> tuple[Adapter, ...]:
        """Those whose return type is not defined yet."""
        self.find(object)
        return tuple(self._pending)

    def duplicates(self) -> dict[Key, tuple[Adapter, ...]]:
        """List the types that several adapters return, latest first."""
        found: dict[Key, list[Adapter]] = {}
        for adapter in reversed(self.adapters):
            for key in adapter.keys:
                found.setdefault(key, []).append(adapter)
        return {
            key: tuple(several)
            for key, several in found.items()
            if len(several) > 1
        }

    def copy(self) -> Adapters:
        """Return a registry of the same adapters that changes on its own."""
        twin = Adapters()
        with LOCK:
            twin._block(list(self._blocks))
            twin._all = dict(self._all)
            twin._count = self._count
            twin._decorators = dict(self._decorators)
            twin.decorators = self.decorators
            twin.expected = set(self.expected)
            for function, calls in self._entry_points.items():
                twin._entry_points[function] = dict(calls)
            twin._pending = list(self._all.values())
        return twin

    @contextlib.contextmanager
    def override(
        self, fakes: t.Mapping[t.Any, t.Any]
    ) -> t.Generator[None, None, None]:
        """
        Put other objects in the place of types while the block runs.

        They win over components and adapters, not over a keyword of the
        parameter's name, and are seen by all tasks that use this registry.
        What a layer keeps already stays as it is.

        Args:
            fakes: The objects to give, by the type asked for; what is asked
                for with a name by ``Annotated[T, Named("x")]``.

        Raises:
            ResolveError: A key is not a type, so nothing asks for it.
        """
        block = block_of(fakes)
        with LOCK:
            self._block([*self._blocks, block])
        try:
            yield
        finally:
            # Blocks of several tasks need not end in reverse order.
            with LOCK:
                self._block([b for b in self._blocks if b is not block])

    def _block(self, blocks: list[dict[Key, t.Any]]) -> None:
        self._blocks = blocks
        self.overrides = {
            key: fake for block in blocks for key, fake in block.items()
        }
        self.changed()

    def __repr__(self) -> str:
        """Show the names of what is registered."""
        return f"Adapters({', '.join(a.name for a in self._all.values())})"


def _number(candidate: Candidate) -> int:
    return candidate.adapter.number
