"""Decorators: what wraps what adapters build, and in which order."""

from __future__ import annotations

import typing as t

from buvar.di._annotations.generics import Bindings
from buvar.di._annotations.generics import is_open
from buvar.di._annotations.parse import Key
from buvar.di._annotations.parse import provided
from buvar.di._annotations.parse import show
from buvar.di._annotations.signature import Param
from buvar.di._annotations.spelling import normal
from buvar.di._annotations.unify import unify
from buvar.di._errors import RegisterError

from .adapter import Adapter
from .candidate import Candidate
from .candidate import own_types
from .candidate import said
from .candidate import unbound


class Decorator:
    """
    A registered decorator.

    Attributes:
        adapter: What is called, and what it needs.
    """

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self._param: Param | None = None

    @property
    def param(self) -> Param:
        """
        The parameter that takes what is wrapped.

        It is the first of a type that the decorator returns.

        Raises:
            AnnotationError: An annotation cannot be read yet.
            RegisterError: It has none.
        """
        if self._param is None:
            self._param = _wrapped(self.adapter)
        return self._param

    @property
    def key(self) -> Key:
        """The type that it wraps."""
        return self.param.asked.keys[0]

    def around(self, inner: Candidate) -> Adapter:
        """
        Return the adapter that wraps what another one builds.

        It is one for each, as each has its lifetime, and is kept under keys
        of its own.
        """
        adapter, bindings = inner
        key = self, tuple(bindings.values())
        made = adapter.wrappers.get(key)
        if made is None:
            new = self.adapter.around(adapter, bindings, self.param)
            # Threads that plan at the same time have to agree on one.
            made = adapter.wrappers.setdefault(key, new)
        return made

    def wraps(self, adapter: Adapter) -> bool:
        """Tell whether it wraps what an adapter builds, for anybody."""
        candidate = Candidate(adapter, unbound(adapter))
        return any(chain((self,), candidate, key) for key in said(candidate))

    def match(self, own: t.Any, key: Key) -> Bindings | None:
        """
        Tell whether, and as what, it wraps an object for those who ask.

        Args:
            own: The type of the object.
            key: The type that is asked for: the wrapped object has to be one.
        """
        pattern = self.key
        for tp in (*provided(own), key):
            if tp != key and key not in provided(tp):
                continue
            bindings: Bindings = {}
            if tp == pattern:
                return bindings
            if is_open(pattern) and unify(pattern, tp, bindings):
                return bindings
        return None


def _wrapped(adapter: Adapter) -> Param:
    """Find the parameter of a decorator that takes what it wraps."""
    returned = {tp for key in adapter.keys for tp in provided(normal(key))}
    for param in adapter.params:
        keys = param.asked.keys
        if isinstance(param.annotation, t.TypeVar):
            keys = (param.annotation,)
            param = param._replace(  # noqa: PLW2901 - read as itself
                asked=param.asked._replace(keys=keys)
            )
        if len(keys) == 1 and keys[0] in returned:
            return param
    returns = show(adapter.returns)
    raise RegisterError(
        adapter.implementation,
        f"it decorates nothing: no parameter is of the type {returns} that "
        "it returns, or of a base of that",
        f"give it one, such as (inner: {returns}), or say with provides= "
        "which type it wraps and returns",
    )


def chain(
    decorators: t.Iterable[Decorator], candidate: Candidate, key: Key
) -> tuple[Candidate, ...]:
    """
    Return what wraps an object, innermost first, for those who ask for a type.

    Args:
        decorators: All there are, in the order of registration.
        candidate: What builds the object.
        key: What is asked for.
    """
    owns = own_types(candidate)
    own = next((tp for tp in owns if key in provided(tp)), owns[0])
    found: list[Candidate] = []
    for decorator in decorators:
        bindings = decorator.match(own, key)
        if bindings is None:
            continue
        inner = found[-1] if found else candidate
        found.append(Candidate(decorator.around(inner), bindings))
        owns = own_types(found[-1])
        own = next((tp for tp in owns if key in provided(tp)), owns[0])
    return tuple(found)


class Decorated:
    """
    What wraps what, for one plan.

    Args:
        decorators: All there are.
        left_out: Tells whether something is left out by its condition.
    """

    def __init__(
        self,
        decorators: t.Sequence[Decorator],
        left_out: t.Callable[[Adapter], bool],
    ) -> None:
        #: Whether there are decorators at all.
        self.any_there = bool(decorators)
        self._all = decorators
        self._left_out = left_out
        self._chains: dict[t.Any, tuple[Candidate, ...]] = {}

    def chain(self, candidate: Candidate, key: Key) -> tuple[Candidate, ...]:
        """Return what wraps an object for those who ask for a type."""
        if not self._all:
            return ()
        adapter, bindings = candidate
        asked = adapter, tuple(bindings.values()), key
        found = self._chains.get(asked)
        if found is None:
            used = (
                decorator
                for decorator in self._all
                if not self._left_out(decorator.adapter)
            )
            found = self._chains[asked] = chain(used, candidate, key)
        return found

    def any(self, candidate: Candidate) -> bool:
        """Tell whether anything wraps what an adapter builds."""
        return self.any_there and any(
            self.chain(candidate, key) for key in said(candidate)
        )

    def keys(self, candidate: Candidate, *more: Key) -> tuple[Key, ...]:
        """
        List the types under which what an adapter builds is found again.

        Where it is wrapped that is found, by the outermost decorator.

        Args:
            candidate: The adapter.
            more: What it was asked for as well, first.
        """
        keys = tuple(dict.fromkeys((*more, *said(candidate))))
        if not self._all:
            return keys
        base = Candidate(*(candidate.adapter.base or candidate))
        return tuple(
            key
            for key in keys
            if (base, *self.chain(base, key))[-1].adapter is candidate.adapter
        )
