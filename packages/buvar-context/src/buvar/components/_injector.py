"""The function that fills parameters, if a package provides one."""

from __future__ import annotations

import typing as t


Injector: t.TypeAlias = t.Callable[[t.Callable[..., t.Any]], t.Any]


class _Slot:
    """Holds what was set last."""

    injector: Injector | None = None


def set_injector(injector: Injector) -> None:
    """
    Say what fills the parameters of functions that plugins hand over.

    A package for injection calls this once, when it is imported.

    Args:
        injector: Gets an async function, returns one whose arguments may all
            be left out.
    """
    _Slot.injector = injector


def injected(function: t.Callable[..., t.Any]) -> t.Any | None:
    """
    Return a function whose arguments may all be left out.

    Args:
        function: An async function with parameters.

    Returns:
        The function, or None if no package injects.
    """
    return None if _Slot.injector is None else _Slot.injector(function)
