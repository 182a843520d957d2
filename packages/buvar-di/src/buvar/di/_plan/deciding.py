"""Decide whether a condition holds, while something is planned."""

from __future__ import annotations

import inspect
import typing as t

from buvar.components.spi import MISSING
from buvar.di._annotations.parse import show
from buvar.di._registry.condition import Condition
from buvar.di._registry.provider_kind import Kind

from .nodes import Build
from .nodes import Const
from .nodes import Item
from .nodes import Layers
from .nodes import Node
from .nodes import look_up


class UndecidedError(Exception):
    """
    A parameter of a condition cannot be had at once; says why.

    Attributes:
        later: It will be there, such as the request in a layer of its own.
    """

    def __init__(self, reason: str, *, later: bool = False) -> None:
        super().__init__(reason)
        self.later = later


def holds(
    condition: Condition, nodes: t.Sequence[Node], layers: Layers
) -> bool:
    """
    Ask the predicate of a condition.

    Args:
        condition: The condition.
        nodes: Where its parameters come from.
        layers: What they are looked up in.

    Raises:
        UndecidedError: A parameter cannot be had without waiting, or
            would be kept.
    """
    try:
        args: list[t.Any] = []
        named: dict[str, t.Any] = {}
        for param, node in zip(condition.params, nodes, strict=True):
            value = _value_of(node, layers)
            if param.keyword_only:
                named[param.name] = value
            else:
                args.append(value)
        return bool(condition.predicate(*args, **named))
    except UndecidedError:
        raise
    except Exception as error:
        error.add_note(f"while the condition {condition.name} was decided")
        raise


def _value_of(node: Node, layers: Layers) -> t.Any:
    """
    Return a value that was planned, which must neither wait nor be kept.

    Raises:
        UndecidedError: It would.
    """
    if isinstance(node, Const):
        return node.value
    if isinstance(node, Item):
        item = look_up(node.guard, layers)
        if item is MISSING:
            msg = f"{show(node.type)} is there only later"
            raise UndecidedError(msg, later=True)
        return item
    if not isinstance(node, Build):
        msg = f"{show(node.type)} is a collection"
        raise UndecidedError(msg)
    adapter = node.adapter
    if node.kept or adapter.kind in (Kind.YIELD, Kind.ASYNC_YIELD):
        msg = f"{adapter.name} builds what is kept, or has an end"
        raise UndecidedError(msg)
    args: list[t.Any] = []
    named: dict[str, t.Any] = {}
    for param, arg in node.args:
        value = _value_of(arg, layers)
        if param.keyword_only:
            named[param.name] = value
        else:
            args.append(value)
    made = adapter.callable(node.bindings)(*args, **named)
    if adapter.kind is not Kind.AWAIT:
        return made
    return _at_once(made, adapter.name)


def _at_once(coroutine: t.Any, name: str) -> t.Any:
    """Run a coroutine that does not really wait, as for a section."""
    if not inspect.iscoroutine(coroutine):
        msg = f"{name} returns what is to be awaited"
        raise UndecidedError(msg)
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    msg = f"{name} waits"
    raise UndecidedError(msg)
