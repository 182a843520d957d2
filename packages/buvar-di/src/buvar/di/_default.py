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
from ._register import registered


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
) -> F: ...
@t.overload
def register(
    *implementations: t.Callable[..., t.Any],
    replace: bool = False,
    scope: Scope = "call",
    provides: t.Any = None,
    collect: bool = True,
) -> t.Any: ...
def register(
    *implementations: t.Any,
    replace: bool = False,
    scope: Scope = "call",
    provides: t.Any = None,
    collect: bool = True,
) -> t.Any:
    """Register with the current registry, see ``Adapters.register``."""
    options = Options(
        replace=replace, scope=scope, provides=provides, collect=collect
    )
    frame = sys._getframe(1)  # noqa: SLF001 - local names
    return registered(buvar_adapters.get, implementations, options, frame)


def override(
    fakes: t.Mapping[t.Any, t.Any],
) -> contextlib.AbstractContextManager[None]:
    """Override in the current registry, see ``Adapters.override``."""
    return buvar_adapters.get().override(fakes)
