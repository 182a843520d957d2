"""Resolve targets: find the compiled code, or plan and compile it."""

from __future__ import annotations

import functools
import typing as t

from buvar.components.spi import MISSING
from buvar.components.spi import lifetime_of
from buvar.components.spi import refuse_ended
from buvar.context import current_context

from ._codegen.builder import compile_plan
from ._current import buvar_adapters
from ._plan.failures import Failure
from ._plan.nodes import Node
from ._plan.planner import Planner
from ._registry.registry import Adapters
from ._report.explain import explain
from ._report.explain import unhashable
from ._report.keywords import unused


if t.TYPE_CHECKING:
    # Type checkers know it by themselves: nothing has to be installed.
    from typing_extensions import TypeForm


T = t.TypeVar("T")
T2 = t.TypeVar("T2")
T3 = t.TypeVar("T3")
T4 = t.TypeVar("T4")
T5 = t.TypeVar("T5")

#: The first part of the key of a call with several targets, or keywords.
_MANY: t.Final = object()

_adapters = buvar_adapters.get


class Question(t.NamedTuple):
    """
    What is asked for.

    Attributes:
        key: Tells it from all others.
        targets: What is asked for: types, or parameters.
        plan: Finds out where they come from.
        single: It is one value, no list of several.
    """

    key: t.Any
    targets: t.Sequence[t.Any]
    plan: t.Callable[[Planner, t.Any], list[Node]]
    single: bool

    @property
    def target(self) -> t.Any:
        """The first type that is asked for."""
        first = self.targets[0] if self.targets else None
        return getattr(first, "annotation", first)


@t.overload
def nject(
    target: TypeForm[T], /, **dependencies: t.Any
) -> t.Coroutine[t.Any, t.Any, T]: ...
@t.overload
def nject(
    target: TypeForm[T],
    second: TypeForm[T2],
    /,
    **dependencies: t.Any,
) -> t.Coroutine[t.Any, t.Any, tuple[T, T2]]: ...
@t.overload
def nject(
    target: TypeForm[T],
    second: TypeForm[T2],
    third: TypeForm[T3],
    /,
    **dependencies: t.Any,
) -> t.Coroutine[t.Any, t.Any, tuple[T, T2, T3]]: ...
@t.overload
def nject(
    target: TypeForm[T],
    second: TypeForm[T2],
    third: TypeForm[T3],
    fourth: TypeForm[T4],
    /,
    **dependencies: t.Any,
) -> t.Coroutine[t.Any, t.Any, tuple[T, T2, T3, T4]]: ...
@t.overload
def nject(
    target: TypeForm[T],
    second: TypeForm[T2],
    third: TypeForm[T3],
    fourth: TypeForm[T4],
    fifth: TypeForm[T5],
    /,
    **dependencies: t.Any,
) -> t.Coroutine[t.Any, t.Any, tuple[T, T2, T3, T4, T5]]: ...
@t.overload
def nject(
    target: TypeForm[t.Any],
    second: TypeForm[t.Any],
    third: TypeForm[t.Any],
    fourth: TypeForm[t.Any],
    fifth: TypeForm[t.Any],
    sixth: TypeForm[t.Any],
    /,
    *targets: TypeForm[t.Any],
    **dependencies: t.Any,
) -> t.Coroutine[t.Any, t.Any, list[t.Any]]: ...
def nject(
    target: t.Any = MISSING, /, *targets: t.Any, **dependencies: t.Any
) -> t.Coroutine[t.Any, t.Any, t.Any]:
    """
    Build what is asked for, and all it needs.

    It is awaited as a coroutine function is: it returns the coroutine of the
    compiled code itself, with no other one around it.

    Args:
        target: A type: a class, a generic alias, a ``NewType``, ...
        targets: More of them.
        dependencies: Values that parameters get, by name or else by type.

    Returns:
        One value for one target, a list for several. To type checkers a list
        of two to five values is a tuple, as that of ``asyncio.gather`` is:
        only so each value has the type of its target.

    Raises:
        ResolveError: Something is missing; nothing was built then.
    """
    adapters, key = _adapters(), target
    if targets or dependencies:
        targets = () if target is MISSING else (target, *targets)
        kinds = map(type, dependencies.values())
        key = (_MANY, targets, *dependencies, *kinds)
    try:
        call = adapters.calls[key]
    except (KeyError, TypeError):
        if not targets and target is not MISSING:
            targets = (target,)
        single = len(targets) == 1
        question = Question(key, targets, _plan, single)
        return resolve_slow(question, adapters, dependencies)
    return call(adapters, dependencies)


def _plan(planner: Planner, targets: t.Sequence[t.Any]) -> list[Node]:
    return [
        require(planner, target, planner.target(target)) for target in targets
    ]


async def resolve_slow(
    question: Question,
    adapters: Adapters | None,
    dependencies: dict[str, t.Any],
) -> t.Any:
    """
    Try what was compiled for other answers of the context, or compile.

    Args:
        question: What is asked for.
        adapters: The registry.
        dependencies: The keywords.

    Raises:
        ResolveError: It cannot be resolved.
    """
    compiled = t.cast("Adapters", adapters).compiled
    try:
        resolvers = tuple(compiled.resolvers.get(question.key, ()))
    except TypeError as error:
        raise unhashable(question.targets, error) from None
    version = compiled.version
    for resolver in resolvers:
        value = await resolver.call(None, dependencies)
        if value is not MISSING:
            compiled.prefer(question.key, resolver, version)
            return value
    value, target = MISSING, question.target
    refuse_ended(lifetime_of(current_context()), target)
    while value is MISSING:
        # Another thread may change what was planned with before it is used.
        version = compiled.version
        planner = Planner(
            t.cast("Adapters", adapters), current_context(), dependencies
        )
        nodes = question.plan(planner, question.targets)
        wrong = unused(planner, question.targets, nodes)
        if wrong is not None:
            raise wrong
        plan = planner.finish(nodes)
        resolver = compile_plan(
            plan,
            target,
            functools.partial(resolve_slow, question),
            single=question.single,
        )
        if not plan.once:
            compiled.prefer(question.key, resolver, version)
        value = await resolver.call(None, dependencies)
    return value


def require(
    planner: Planner, target: t.Any, node: Node | Failure, head: str = ""
) -> Node:
    """
    Return what was planned for a target.

    Raises:
        ResolveError: It cannot be resolved.
    """
    if isinstance(node, Failure):
        raise explain(planner, target, node, head)
    return node
