"""Resolve targets: find the compiled code, or plan and compile it."""

from __future__ import annotations

import functools
import inspect
import sys
import traceback
import typing as t

from buvar.components import Components
from buvar.components import _known
from buvar.components._impl import MISSING
from buvar.context import buvar_context

from ._compile import Resolver
from ._compile import compile_plan
from ._default import buvar_adapters
from ._errors import ResolveError
from ._explain import explain
from ._nodes import Failure
from ._nodes import Node
from ._plan import Planner
from ._register import Adapters
from ._signature import EMPTY
from ._signature import params_of
from ._signature import scopes_of
from ._types import show


T = t.TypeVar("T")
T1 = t.TypeVar("T1")
T2 = t.TypeVar("T2")
T3 = t.TypeVar("T3")
P = t.ParamSpec("P")

#: More answers of the context to one question than this are not kept.
_MOST = 16

_adapters = buvar_adapters.get
_context = buvar_context.get
_unnamed = _known.unnamed
_named = _known.named_


@t.overload
async def nject(target: type[T], /, **dependencies: t.Any) -> T: ...
@t.overload
async def nject(
    target: type[T1], other: type[T2], /, **dependencies: t.Any
) -> tuple[T1, T2]: ...
@t.overload
async def nject(
    target: type[T1], second: type[T2], third: type[T3], /, **deps: t.Any
) -> tuple[T1, T2, T3]: ...
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
            raise _unhashable(targets) from error
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
    for resolver in tuple(adapters.resolvers.get(key, ())):
        value = await _call(resolver, context, dependencies)
        if value is not MISSING:
            _prefer(adapters, key, resolver)
            return value
    resolver, keep = plan(adapters, context, targets, dependencies)
    if keep:
        _prefer(adapters, key, resolver)
    return await _call(resolver, context, dependencies)


def plan(
    adapters: Adapters,
    context: Components,
    targets: tuple[t.Any, ...],
    dependencies: dict[str, t.Any],
) -> tuple[Resolver, bool]:
    """Plan and compile a call; tell whether that may be kept."""
    planner = Planner(adapters, context, dependencies)
    nodes: list[Node] = []
    for target in targets:
        node = planner.target(target)
        if isinstance(node, Failure):
            raise explain(planner, target, node)
        nodes.append(node)
    single = len(targets) == 1
    return compile_plan(planner, nodes, single=single), not planner.by_value


async def _call(
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


def _prefer(adapters: Adapters, key: t.Any, resolver: Resolver) -> None:
    """Put what fitted last in front."""
    others = adapters.resolvers.get(key, [])
    kept = [one for one in others if one is not resolver]
    adapters.resolvers[key] = [resolver, *kept[: _MOST - 1]]


def _unhashable(targets: tuple[t.Any, ...]) -> ResolveError:
    for target in targets:
        try:
            hash(target)
        except TypeError:
            return ResolveError(
                target,
                (f"{show(target)} is no type: it cannot be hashed.",),
                (),
                ("ask for a type; several are arguments, not a list",),
            )
    raise AssertionError  # pragma: no cover - only called if one is


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


def inject(
    function: t.Callable[P, t.Awaitable[T]],
) -> t.Callable[..., t.Coroutine[t.Any, t.Any, T]]:
    """
    Fill the parameters that a call of an async function leaves out.

    Args:
        function: The function; parameters are resolved by their annotations,
            in the order that ``nject`` keeps to.
    """
    signature = inspect.signature(function)
    frame = sys._getframe(1)  # noqa: SLF001 - local names
    names = scopes_of(function, frame)
    params = params_of(function, lambda: names)

    @functools.wraps(function)
    async def injected(*args: t.Any, **kwargs: t.Any) -> T:
        bound = signature.bind_partial(*args, **kwargs)
        missing = [one for one in params if one.name not in bound.arguments]
        if missing:
            values = await fill(missing)
            bound.arguments.update(values)
        return await function(*bound.args, **bound.kwargs)

    return injected


async def fill(params: t.Sequence[t.Any]) -> dict[str, t.Any]:
    """Resolve parameters, one call for all of them."""
    adapters, context = _adapters(), _context()
    if adapters.known != _known.generation():
        adapters.fresh()
    key = (
        "parameters",
        *((one.name, one.annotation, one.default is EMPTY) for one in params),
    )
    for resolver in tuple(adapters.resolvers.get(key, ())):
        value = await _call(resolver, context, {})
        if value is not MISSING:
            return dict(zip((one.name for one in params), value, strict=True))
    planner = Planner(adapters, context, {})
    nodes: list[Node] = []
    for one in params:
        node = planner.param(one)
        if isinstance(node, Failure):
            raise explain(planner, one.annotation, node)
        nodes.append(node)
    resolver = compile_plan(planner, nodes, single=False)
    value = await _call(resolver, context, {})
    _prefer(adapters, key, resolver)
    return dict(zip((one.name for one in params), value, strict=True))
