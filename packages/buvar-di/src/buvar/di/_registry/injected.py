"""Injected functions: their parameters, and which of them a caller leaves."""

from __future__ import annotations

import contextlib
import inspect
import typing as t
import weakref

from buvar.di._annotations.evaluate import FORMAT
from buvar.di._annotations.scopes import Scopes
from buvar.di._annotations.signature import Param
from buvar.di._annotations.signature import params_of
from buvar.di._errors import AnnotationError

from .adapter import name_of
from .adapter import place_of


#: The kinds of parameters that can be passed by position.
BY_POSITION: t.Final = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)


class InjectedFunction:
    """
    A function whose parameters are filled.

    Args:
        function: The function itself.
        names: What its annotations may mean.

    Attributes:
        signature: Its signature.
    """

    def __init__(self, function: t.Any, names: Scopes) -> None:
        self.function = function
        self.signature = inspect.signature(function, **FORMAT)
        self._names = names
        self._params: tuple[Param, ...] | None = None
        # A forward reference is read again when it is called.
        with contextlib.suppress(AnnotationError):
            _ = self.params

    @property
    def params(self) -> tuple[Param, ...]:
        """
        The parameters, once all their annotations are defined.

        Raises:
            AnnotationError: One cannot be evaluated.
        """
        if self._params is None:
            self._params = params_of(self.function, lambda: self._names)
        return self._params

    @property
    def title(self) -> str:
        """The name of the function, and where it was written."""
        return f"{name_of(self.function)} ({place_of(self.function)})"

    def left_out(
        self, positional: int, keywords: t.Collection[str]
    ) -> list[Param]:
        """
        Return the parameters that a caller leaves to injection.

        Args:
            positional: How many arguments it passes by position.
            keywords: The names of those it passes by name.

        Raises:
            AnnotationError: An annotation cannot be evaluated.
        """
        kinds = self.signature.parameters
        given = {
            name
            for name, kind in list(kinds.items())[:positional]
            if kind.kind in BY_POSITION
        }
        return [
            param
            for param in self.params
            if param.name not in given and param.name not in keywords
        ]


#: By what ``di.inject`` has returned for each.
_KNOWN: t.Final[weakref.WeakKeyDictionary[t.Any, InjectedFunction]] = (
    weakref.WeakKeyDictionary()
)


def remember(injected: t.Any, function: InjectedFunction) -> None:
    """Note which function stands behind what its callers have."""
    _KNOWN[injected] = function


def injected_function(function: t.Any) -> InjectedFunction | None:
    """Return what is known of a function, if it is injected."""
    try:
        return _KNOWN.get(function)
    except TypeError:
        # It cannot be hashed, or not be held weakly.
        return None
