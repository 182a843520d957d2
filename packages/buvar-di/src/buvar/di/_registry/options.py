"""How something is registered, at once or by a decorator."""

from __future__ import annotations

import sys
import types
import typing as t

from .provider_kind import Scope


F = t.TypeVar("F", bound=t.Callable[..., t.Any])


class Options(t.NamedTuple):
    """How to register."""

    replace: bool = False
    scope: Scope = "call"
    provides: t.Any = None
    collect: bool = True
    when: t.Callable[..., object] | None = None


class Insert(t.Protocol):
    """Registers with the names of a frame at hand."""

    def __call__(
        self,
        implementations: t.Sequence[t.Any],
        options: Options,
        frame: types.FrameType,
        /,
    ) -> None: ...


def registered(
    insert: t.Callable[[], Insert],
    implementations: tuple[t.Any, ...],
    options: Options,
    frame: types.FrameType,
) -> t.Any:
    """
    Register what a call of ``register`` was given, and return that.

    Args:
        insert: Returns what registers with the registry of the moment: a
            decorator may be used later than it was made.
        implementations: What to register; if nothing, a decorator is returned.
        options: How.
        frame: Where ``register`` was called.
    """
    if not implementations:

        def decorate(implementation: t.Any) -> t.Any:
            caller = sys._getframe(1)  # noqa: SLF001 - local names
            insert()((implementation,), options, caller)
            return implementation

        return decorate
    insert()(implementations, options, frame)
    if len(implementations) == 1:
        return implementations[0]
    return implementations
