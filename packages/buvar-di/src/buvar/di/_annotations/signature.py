"""Read the parameters of an implementation."""

from __future__ import annotations

import functools
import inspect
import typing as t

from .classes import class_of
from .evaluate import FORMAT
from .evaluate import evaluate
from .evaluate import written
from .parse import Asked
from .parse import ask
from .scopes import Scopes
from .scopes import classes_of
from .scopes import function_of


class Param(t.NamedTuple):
    """A parameter, its annotation taken apart."""

    name: str
    annotation: t.Any
    asked: Asked
    default: t.Any
    keyword_only: bool

    def ask(self, annotation: t.Any) -> Asked:
        """Take an annotation apart that is in the place of this one."""
        return _ask(annotation, self.default)


def _ask(annotation: t.Any, default: t.Any) -> Asked:
    """Take an annotation apart; a default ``None`` is a value too."""
    asked = ask(annotation)
    return asked._replace(optional=True) if default is None else asked


def signature(implementation: t.Any) -> list[inspect.Parameter]:
    """Return the parameters that can be filled."""
    function, skip = implementation, 0
    if not isinstance(implementation, functools.partial) and class_of(
        implementation
    ):
        function, skip = function_of(implementation), 1
        if function is object.__init__:
            return []
    found = inspect.signature(function, **FORMAT)
    return [
        parameter
        for parameter in list(found.parameters.values())[skip:]
        if parameter.kind
        not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]


def params_of(
    implementation: t.Any, find: t.Callable[[], Scopes]
) -> tuple[Param, ...]:
    """Read the parameters that can be filled, their types evaluated."""
    found: list[Param] = []
    sources = (function_of(implementation), *classes_of(implementation))
    for param in signature(implementation):
        tp = param.annotation
        if not isinstance(tp, type):
            text = functools.partial(written, sources, param.name, tp)
            tp = evaluate(tp, find, text)
        asked, by_name = (
            _ask(tp, param.default),
            param.kind is param.KEYWORD_ONLY,
        )
        found.append(Param(param.name, tp, asked, param.default, by_name))
    return tuple(found)
