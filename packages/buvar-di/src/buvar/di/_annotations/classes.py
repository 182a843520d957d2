"""Which class an implementation stands for."""

from __future__ import annotations

import functools
import typing as t


def class_of(implementation: t.Any) -> t.Any:
    """Return the class, or ``Repo[User]``, that is built, if one is."""
    if isinstance(implementation, type):
        return implementation
    if isinstance(implementation, functools.partial):
        func = t.cast("t.Any", implementation).func
        return func if isinstance(func, type) else None
    built = t.get_origin(implementation)
    return implementation if isinstance(built, type) else None
