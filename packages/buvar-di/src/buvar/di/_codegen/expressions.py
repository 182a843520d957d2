"""Write values and arguments down as expressions."""

from __future__ import annotations

import typing as t

from buvar.di._plan.nodes import Build
from buvar.di._plan.nodes import Collect
from buvar.di._plan.nodes import Const
from buvar.di._plan.nodes import Given
from buvar.di._plan.nodes import Item
from buvar.di._plan.nodes import Node

from .names import Names


def value(names: Names, node: Node) -> str:
    """Write what stands for a value."""
    if isinstance(node, Build):
        return names.variable(node)
    if isinstance(node, Given):
        return f"given[{node.name!r}]"
    if isinstance(node, Item):
        return names.guard(node.guard)
    if isinstance(node, Const):
        return names.constant(node.value, "default")
    return _collection(names, node)


def _collection(names: Names, node: Collect) -> str:
    """Write a collection: a display of its items, and what is found."""
    if node.kind is dict:
        items = ", ".join(
            f"{name!r}: {value(names, item)}"
            for name, item in node.items.items()
        )
        built, add = f"{{{items}}}", "by_name"
    else:
        items = ", ".join(value(names, item) for item in node.items.values())
        built, add = f"[{items}]", "listed"
    if node.found is not None:
        built = f"{add}({built}, {names.guard(node.found)})"
    return f"tuple({built})" if node.kind is tuple else built


def arguments(names: Names, build: Build) -> str:
    """Write the arguments; defaults at the end are left to the callee."""
    positional = [node for param, node in build.args if not param.keyword_only]
    while positional and _is_default(positional[-1]):
        positional.pop()
    args = [value(names, node) for node in positional]
    args += [
        f"{param.name}={value(names, node)}"
        for param, node in build.args
        if param.keyword_only and not _is_default(node)
    ]
    return ", ".join(args)


def _is_default(node: Node) -> bool:
    return isinstance(node, Const) and node.default


def display(names: t.Sequence[str]) -> str:
    """Write a class, or a tuple of several."""
    return names[0] if len(names) == 1 else f"({', '.join(names)})"
