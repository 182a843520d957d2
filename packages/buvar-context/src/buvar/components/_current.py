"""The stack of components that the running code sees."""

from __future__ import annotations

import contextvars
import typing as t

from ._impl import Components


#: The layer that modules add to while they are imported.
_ROOT: t.Final = Components()

buvar_context: t.Final[contextvars.ContextVar[Components]] = (
    contextvars.ContextVar("buvar_context", default=_ROOT)
)
