"""Verify all that is registered before anything is served."""

from __future__ import annotations

import typing as t

from buvar.context import current_context
from buvar.di._annotations.generics import is_open
from buvar.di._annotations.parse import Asked
from buvar.di._annotations.parse import show
from buvar.di._current import buvar_adapters
from buvar.di._errors import AnnotationError
from buvar.di._errors import CheckError
from buvar.di._errors import CycleError
from buvar.di._errors import RegisterError
from buvar.di._errors import ResolveError
from buvar.di._plan.failures import Failure
from buvar.di._plan.nodes import Node
from buvar.di._plan.planner import Planner
from buvar.di._registry.candidate import Candidate
from buvar.di._registry.candidate import said
from buvar.di._registry.candidate import unbound
from buvar.di._registry.injected import injected_function

from .explain import explain
from .explain import needs
from .explain import unhashable
from .keywords import unused


def check(
    *targets: t.Any, given: t.Collection[t.Any] = (), **dependencies: t.Any
) -> None:
    """
    Find out what cannot be resolved, without building anything.

    Args:
        targets: What to check; without any all that is registered, and what
            injected functions need, see ``add_entry_point``.
        given: Types that will be in the context by then, such as a request.
        dependencies: Keywords as ``nject`` will get them.

    Raises:
        CheckError: With an error for each type that cannot be resolved.
    """
    adapters = buvar_adapters.get()
    planner = Planner(
        adapters,
        current_context(),
        dependencies,
        given,
        frozenset(adapters.expected),
    )
    try:
        targets = tuple(dict.fromkeys(targets))
    except TypeError as error:
        raise unhashable(targets, error) from None
    errors: list[ResolveError] = []
    if not targets:
        errors += _pending(planner)
        errors += _decorators(planner)
        errors += _conditions(planner)
        keys = (
            key
            for adapter in adapters.adapters
            if planner.left_out(adapter) is None
            for key in adapter.keys
        )
        targets = tuple(
            key
            for key in dict.fromkeys((*keys, *_wrapped(planner)))
            if not is_open(key)
        )
        errors += _entry_points(planner)
    nodes: list[Node] = []
    for target in targets:
        node = planner.target(target)
        if isinstance(node, Failure):
            errors.append(explain(planner, target, node))
        else:
            nodes.append(node)
    wrong = unused(planner, targets, nodes)
    if wrong is not None:
        errors.append(wrong)
    if errors:
        raise CheckError(list(_once(errors)))


def _once(errors: list[ResolveError]) -> t.Iterator[ResolveError]:
    """Leave out a circle that was told already, as one of its other types."""
    told: set[frozenset[t.Any]] = set()
    for error in errors:
        if isinstance(error, CycleError):
            circle = frozenset(map(repr, error.path))
            if circle in told:
                continue
            told.add(circle)
        yield error


def _entry_points(planner: Planner) -> t.Iterator[ResolveError]:
    """Yield an error for each parameter that cannot be filled."""
    for function, positional, keywords in planner.adapters.entry_points:
        injected = injected_function(function)
        if injected is None:  # pragma: no cover - it ends at this very moment
            continue
        try:
            params = injected.left_out(positional, keywords)
        except AnnotationError as error:
            line = f"{injected.title} cannot be called: {error}"
            hint = "define the name, or correct it, before it is called"
            yield ResolveError(error.annotation, (line,), (), (hint,))
            continue
        for param in params:
            node = planner.param(param)
            if isinstance(node, Failure):
                head = f"{injected.title}{needs(param)}"
                yield explain(planner, param.annotation, node, head)


def _decorators(planner: Planner) -> t.Iterator[ResolveError]:
    """Yield an error for each decorator that has nothing to wrap."""
    for decorator in planner.adapters.decorators:
        adapter = decorator.adapter
        title = f"{adapter.name} ({adapter.where})"
        try:
            key = decorator.key
        except AnnotationError as error:
            line = f"{title} cannot be used: {error}"
            hint = "define the name, or correct it, before it is asked for"
            yield ResolveError(error.annotation, (line,), (), (hint,))
            continue
        except RegisterError as error:
            line = f"{title}: {error.reason}."
            yield ResolveError(
                adapter.implementation, (line,), (), (error.cure,)
            )
            continue
        if any(decorator.wraps(other) for other in planner.adapters.adapters):
            continue
        line = f"{title} decorates {show(key)}, which no adapter builds."
        hint = (
            f"register something that returns {show(key)}: what is only added "
            "to the context is not decorated"
        )
        yield ResolveError(key, (line,), (key,), (hint,))


def _wrapped(planner: Planner) -> t.Iterator[t.Any]:
    """Yield the types that decorators stand for."""
    if not planner.decorated.any_there:
        return
    for adapter in planner.adapters.adapters:
        if planner.left_out(adapter) is not None:
            continue
        candidate = Candidate(adapter, unbound(adapter))
        for key in said(candidate):
            for wrap in planner.decorated.chain(candidate, key):
                yield said(wrap)[0]


def _conditions(planner: Planner) -> t.Iterator[ResolveError]:
    """Yield an error for each condition that cannot be decided."""
    registry = planner.adapters
    decorators = [decorator.adapter for decorator in registry.decorators]
    for adapter in (*registry.adapters, *decorators):
        left_out = planner.left_out(adapter)
        if left_out is None or not left_out.undecided:
            continue
        failure = Failure(Asked(adapter.keys), (left_out,))
        head = f"The condition of {adapter.name} ({adapter.where})"
        yield explain(planner, adapter.keys[0], failure, head)


def _pending(planner: Planner) -> t.Iterator[ResolveError]:
    """Yield an error for each return type that is not defined."""
    for adapter in planner.adapters.pending:
        try:
            _ = adapter.returns
        except AnnotationError as error:
            line = f"{adapter.name} ({adapter.where}) cannot be used: {error}"
            hint = "define the name, or correct it, before it is asked for"
            yield ResolveError(error.annotation, (line,), (), (hint,))
        except RegisterError as error:
            yield ResolveError(
                adapter.implementation,
                (f"{adapter.name} ({adapter.where}): {error.reason}.",),
                (),
                (error.cure,),
            )
