"""Resolve targets: find the compiled code, or plan and compile it."""

from __future__ import annotations

import traceback
import typing as t

from buvar.components import Components
from buvar.components import _known
from buvar.components._impl import MISSING
from buvar.context import buvar_context

from ._compile import Resolver
from ._compile import compile_plan
from ._default import buvar_adapters
from ._explain import explain
from ._explain import unhashable
from ._nodes import Failure
from ._nodes import Node
from ._plan import Planner
from ._register import Adapters
from ._types import show


T = t.TypeVar("T")
T2 = t.TypeVar("T2")
T3 = t.TypeVar("T3")

_adapters = buvar_adapters.get
_context = buvar_context.get
_unnamed = _known.unnamed
_named = _known.named_


@t.overload
async def nject(target: type[T], /, **dependencies: t.Any) -> T: ...
@t.overload
async def nject(
    target: type[T], second: type[T2], /, **dependencies: t.Any
) -> list[T | T2]: ...
@t.overload
async def nject(
    target: type[T],
    second: type[T2],
    third: type[T3],
    /,
    **dependencies: t.Any,
) -> list[T | T2 | T3]: ...
@t.overload
async def nject(
    target: t.Any,
    second: t.Any,
    /,
    *targets: t.Any,
    **dependencies: t.Any,
) -> list[t.Any]: ...
@t.overload
async def nject(*targets: t.Any, **dependencies: t.Any) -> t.Any: ...
async def nject(*targets: t.Any, **dependencies: t.Any) -> t.Any:
    """
    Build what is asked for, and all it needs.

    Args:
        targets: Types: classes, generic aliases, ``NewType``, ...
        dependencies: Values that parameters get, by name or else by type.

    Returns:
        One value for one target, a list for several.

    Raises:
        ResolveError: Something is missing; nothing was built then.
    """
    adapters = _adapters()
    if adapters.known != len(_unnamed) + len(_named):
        adapters.fresh()
    context = _context()
    key = (
        (targets, *dependencies, *map(type, dependencies.values()))
        if dependencies
        else targets
    )
    try:
        resolver = adapters.resolvers[key][0]
        value = resolver[0](context, dependencies)
        if resolver[1]:
            value = await value
        if value is not MISSING:
            return value
    except KeyError as error:
        if error.__traceback__.tb_next is not None:  # type: ignore[union-attr]
            _note(adapters, key, error)
            raise
    except TypeError as error:
        if error.__traceback__.tb_next is None:  # type: ignore[union-attr]
            raise unhashable(targets, error) from None
        _note(adapters, key, error)
        raise
    except Exception as error:
        _note(adapters, key, error)
        raise
    return await _slow(adapters, context, key, targets, dependencies)


async def _slow(
    adapters: Adapters,
    context: Components,
    key: t.Any,
    targets: tuple[t.Any, ...],
    dependencies: dict[str, t.Any],
) -> t.Any:
    """Try what was compiled for other answers of the context, or compile."""
    version = adapters.version
    for resolver in tuple(adapters.resolvers.get(key, ())):
        value = await call(resolver, context, dependencies)
        if value is not MISSING:
            adapters.keep(key, resolver, version)
            return value
    value = MISSING
    while value is MISSING:
        # Another thread may change what was planned with before it is used.
        version = adapters.version
        resolver, keep = plan(adapters, context, targets, dependencies)
        if keep:
            adapters.keep(key, resolver, version)
        value = await call(resolver, context, dependencies)
    return value


def plan(
    adapters: Adapters,
    context: Components,
    targets: tuple[t.Any, ...],
    dependencies: dict[str, t.Any],
) -> tuple[Resolver, bool]:
    """Plan and compile a call; tell whether that may be kept."""
    planner = Planner(adapters, context, dependencies)
    nodes = [found(planner, one, planner.target(one)) for one in targets]
    single = len(targets) == 1
    return compile_plan(planner, nodes, single=single), not planner.by_value


def found(
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


async def call(
    resolver: Resolver,
    context: Components,
    dependencies: dict[str, t.Any],
) -> t.Any:
    try:
        value = resolver.call(context, dependencies)
        return await value if resolver.is_async else value
    except Exception as error:
        _add_note(resolver, error)
        raise


def _note(adapters: Adapters, key: t.Any, error: Exception) -> None:
    for resolver in adapters.resolvers.get(key, ()):
        _add_note(resolver, error)


def _add_note(resolver: Resolver, error: Exception) -> None:
    """Say what was being built when an adapter raised."""
    file = resolver.call.__code__.co_filename
    for frame, line in traceback.walk_tb(error.__traceback__):
        node = resolver.lines.get(line)
        if frame.f_code.co_filename != file or node is None:
            continue
        way = [f"{node.adapter.name} ({node.adapter.where})"]
        while node is not None:
            way.insert(0, show(node.type))
            node = node.parent
        error.add_note(f"while injecting {' <- '.join(reversed(way))}")
        return
