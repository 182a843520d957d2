"""The registry that the running code uses, kept in a context variable."""

from __future__ import annotations

import contextlib
import contextvars
import sys
import typing as t

from ._kind import Scope
from ._register import Adapters
from ._register import F
from ._register import Options


_ROOT: t.Final = Adapters()

buvar_adapters: t.Final[contextvars.ContextVar[Adapters]] = (
    contextvars.ContextVar("buvar_adapters", default=_ROOT)
)


@t.overload
def register(
    *, replace: bool = False, scope: Scope = "call", provides: t.Any = None
) -> t.Callable[[F], F]: ...
@t.overload
def register(
    implementation: F,
    /,
    *,
    replace: bool = False,
    scope: Scope = "call",
    provides: t.Any = None,
) -> F: ...
@t.overload
def register(
    *implementations: t.Callable[..., t.Any],
    replace: bool = False,
    scope: Scope = "call",
    provides: t.Any = None,
) -> t.Any: ...
def register(
    *implementations: t.Any,
    replace: bool = False,
    scope: Scope = "call",
    provides: t.Any = None,
) -> t.Any:
    """Register with the current registry, see ``Adapters.register``."""
    options = Options(replace=replace, scope=scope, provides=provides)
    if not implementations:

        def decorate(implementation: t.Any) -> t.Any:
            frame = sys._getframe(1)  # noqa: SLF001 - local names
            buvar_adapters.get().insert((implementation,), options, frame)
            return implementation

        return decorate
    frame = sys._getframe(1)  # noqa: SLF001 - local names
    buvar_adapters.get().insert(implementations, options, frame)
    if len(implementations) == 1:
        return implementations[0]
    return implementations


def override(
    fakes: t.Mapping[t.Any, t.Any],
) -> contextlib.AbstractContextManager[None]:
    """Override in the current registry, see ``Adapters.override``."""
    return buvar_adapters.get().override(fakes)
