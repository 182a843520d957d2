"""The registry that the running code uses, kept in a context variable."""

from __future__ import annotations

import contextlib
import contextvars
import sys
import typing as t

from ._registry.options import F
from ._registry.options import Options
from ._registry.options import registered
from ._registry.provider_kind import Scope
from ._registry.registry import Adapters


_ROOT: t.Final = Adapters()

buvar_adapters: t.Final[contextvars.ContextVar[Adapters]] = (
    contextvars.ContextVar("buvar_adapters", default=_ROOT)
)


@t.overload
def register(
    *,
    replace: bool = False,
    scope: Scope = "call",
    provides: t.Any = None,
    collect: bool = True,
    when: t.Callable[..., object] | None = None,
) -> t.Callable[[F], F]: ...
@t.overload
def register(
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
    *implementations: t.Callable[..., t.Any],
    replace: bool = False,
    scope: Scope = "call",
    provides: t.Any = None,
    collect: bool = True,
    when: t.Callable[..., object] | None = None,
) -> t.Any: ...
def register(
    *implementations: t.Any,
    replace: bool = False,
    scope: Scope = "call",
    provides: t.Any = None,
    collect: bool = True,
    when: t.Callable[..., object] | None = None,
) -> t.Any:
    """Register with the current registry, see ``Adapters.register``."""
    options = Options(replace, scope, provides, collect, when)
    frame = sys._getframe(1)  # noqa: SLF001 - local names
    return registered(
        lambda: buvar_adapters.get().insert, implementations, options, frame
    )


@t.overload
def decorate(
    *,
    provides: t.Any = None,
    when: t.Callable[..., object] | None = None,
) -> t.Callable[[F], F]: ...
@t.overload
def decorate(
    wrap: F,
    /,
    *,
    provides: t.Any = None,
    when: t.Callable[..., object] | None = None,
) -> F: ...
def decorate(
    *wraps: t.Any,
    provides: t.Any = None,
    when: t.Callable[..., object] | None = None,
) -> t.Any:
    """
    Wrap what adapters of the current registry build.

    The type that is wrapped is that of the first parameter whose type the
    decorator returns. It wraps what any adapter builds of that type, for all
    who ask for the type or a base of it, is kept as long as that, and needs
    what it likes besides. What is in the context, given as a keyword or
    overridden is left alone.

    Args:
        wraps: A class or a function, a generator too, sync or async; without
            it a decorator is returned. Of several decorators of one type the
            one that was registered last is outermost.
        provides: The type that it wraps and returns, if its annotations do
            not say that.
        when: Decides whether it is used, as for ``register``.

    Raises:
        RegisterError: It has no parameter of a type that it returns.

    Example:
        >>> import asyncio
        >>> @register
        ... def greeting() -> str:
        ...     return "hello"
        >>> @decorate
        ... def louder(inner: str) -> str:
        ...     return inner.upper()
        >>> from buvar import di
        >>> asyncio.run(di.nject(str))
        'HELLO'
    """
    options = Options(provides=provides, when=when)
    frame = sys._getframe(1)  # noqa: SLF001 - local names
    return registered(lambda: buvar_adapters.get().wrap, wraps, options, frame)


def replan() -> None:
    """
    Decide the conditions of ``when=`` anew in the current registry.

    Call it when something changed that a condition reads, and that is still
    the same component. A ``ConfigSource`` does so when it is read again.
    """
    buvar_adapters.get().replan()


def override(
    fakes: t.Mapping[t.Any, t.Any],
) -> contextlib.AbstractContextManager[None]:
    """Override in the current registry, see ``Adapters.override``."""
    return buvar_adapters.get().override(fakes)
