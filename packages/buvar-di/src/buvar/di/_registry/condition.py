"""Conditions: what decides whether an adapter is used at all."""

from __future__ import annotations

import contextlib
import types
import typing as t

from buvar.di._annotations.evaluate import EMPTY
from buvar.di._annotations.scopes import Scopes
from buvar.di._annotations.scopes import scopes_of
from buvar.di._annotations.signature import Param
from buvar.di._annotations.signature import params_of
from buvar.di._errors import AnnotationError
from buvar.di._errors import RegisterError

from .adapter import Adapter
from .adapter import name_of
from .adapter import place_of
from .options import Options
from .provider_kind import Kind
from .provider_kind import kind_of


def condition_of(
    options: Options, adapter: Adapter, frame: types.FrameType
) -> Condition | None:
    """
    Return the condition of what is registered, if it has one.

    Raises:
        RegisterError: It cannot be one.
    """
    if options.when is None:
        return None
    if options.replace:
        raise RegisterError(
            adapter.implementation,
            "with replace=True the others are gone, whether its condition "
            "holds or not",
            "leave out replace=: what is registered last is tried first",
        )
    return Condition(options.when, frame)


class Condition:
    """
    Decides, when something is planned, whether an adapter is used.

    Args:
        predicate: A plain function; its parameters are injected.
        frame: Where it was given: names of its annotations may be local.

    Raises:
        RegisterError: It cannot be asked while something is planned.
    """

    def __init__(self, predicate: t.Any, frame: types.FrameType) -> None:
        self.predicate = predicate
        self._params: tuple[Param, ...] | None = None
        self._scopes: Scopes | None = None
        if not callable(predicate) or isinstance(predicate, type):
            raise RegisterError(
                predicate,
                "a condition is a function",
                "give one that returns whether it is used: when=lambda: ...",
            )
        if kind_of(predicate) is not Kind.CALL:
            raise RegisterError(
                predicate,
                "a condition is decided while a call is planned, and cannot "
                "wait",
                "make it a plain function: def",
            )
        self._scopes = scopes_of(predicate, frame)
        # What is not there yet is read again when it is asked.
        with contextlib.suppress(AnnotationError):
            _ = self.params

    @property
    def params(self) -> tuple[Param, ...]:
        """The parameters of its predicate."""
        if self._params is None:
            names = t.cast("Scopes", self._scopes)
            found = params_of(self.predicate, lambda: names)
            for param in found:
                if param.annotation is EMPTY and param.default is EMPTY:
                    raise RegisterError(
                        self.predicate,
                        f"its parameter {param.name} has no annotation",
                        "annotate it, for example with a class of the "
                        "configuration",
                    )
            self._params, self._scopes = found, None
        return self._params

    @property
    def name(self) -> str:
        """The name to show, with the file and line it was written in."""
        return f"{name_of(self.predicate)} ({place_of(self.predicate)})"
