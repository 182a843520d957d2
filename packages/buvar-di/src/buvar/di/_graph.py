"""The graph of adapters as data and as drawings."""

from __future__ import annotations

import dataclasses
import typing as t

from ._adapter import Adapter
from ._default import buvar_adapters
from ._errors import AnnotationError
from ._signature import EMPTY
from ._types import show


@dataclasses.dataclass(frozen=True, slots=True)
class GraphNode:
    """
    A type, and how it is built.

    Attributes:
        type: The type.
        scope: How long it is kept; ``None`` if no adapter builds it: it
            has to be a component or a keyword.
        where: File and line of the adapter.
    """

    type: t.Any
    scope: str | None = None
    where: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class GraphEdge:
    """
    One type needs another one.

    Attributes:
        source: What needs.
        target: What is needed.
        parameter: The parameter that it is needed for.
        optional: The parameter has a default.
    """

    source: t.Any
    target: t.Any
    parameter: str
    optional: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Graph:
    """
    What is registered, as data.

    Attributes:
        nodes: The types.
        edges: What they need.
    """

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]

    def mermaid(self) -> str:
        """Draw it as a Mermaid flowchart."""
        ids = {node.type: f"n{n}" for n, node in enumerate(self.nodes)}
        lines = ["flowchart TD"]
        for node in self.nodes:
            text = _text(node).replace('"', "#quot;").replace("\n", "<br>")
            left, right = ("[", "]") if node.scope else ("([", "])")
            lines.append(f'    {ids[node.type]}{left}"{text}"{right}')
        for edge in self.edges:
            arrow = "-.->" if edge.optional else "-->"
            source, target = ids[edge.source], ids[edge.target]
            lines.append(f'    {source} {arrow}|"{edge.parameter}"| {target}')
        return "\n".join((*lines, ""))

    def dot(self) -> str:
        """Draw it in the language of Graphviz."""
        ids = {node.type: f"n{n}" for n, node in enumerate(self.nodes)}
        lines = ["digraph adapters {"]
        for node in self.nodes:
            text = _text(node).replace('"', '\\"').replace("\n", "\\n")
            shape = "box" if node.scope else "ellipse"
            lines.append(
                f'  {ids[node.type]} [label="{text}", shape={shape}];'
            )
        for edge in self.edges:
            style = ", style=dashed" if edge.optional else ""
            source, target = ids[edge.source], ids[edge.target]
            lines.append(
                f'  {source} -> {target} [label="{edge.parameter}"{style}];'
            )
        return "\n".join((*lines, "}", ""))


def _text(node: GraphNode) -> str:
    kept = f"\n{node.scope}" if node.scope not in (None, "call") else ""
    return show(node.type) + kept


def graph() -> Graph:
    """Return what the current registry holds, as data."""
    adapters = buvar_adapters.get()
    nodes: dict[t.Any, GraphNode] = {}
    edges: dict[GraphEdge, None] = {}
    for adapter in adapters.adapters:
        for key in adapter.keys:
            nodes[key] = GraphNode(key, adapter.scope, adapter.where)
    for adapter in adapters.adapters:
        for key in adapter.keys:
            edges.update(dict.fromkeys(_edges(adapter, key)))
    for edge in edges:
        nodes.setdefault(edge.target, GraphNode(edge.target))
    return Graph(tuple(nodes.values()), tuple(edges))


def _edges(adapter: Adapter, source: t.Any) -> t.Iterator[GraphEdge]:
    find = buvar_adapters.get().find
    try:
        params = adapter.params
    except AnnotationError:
        return
    for param in params:
        for asked in param.asked.keys[:1]:
            found = [one for key in param.asked.keys for one in find(key)]
            target = asked
            if found and not found[0].bindings:
                target = found[0].adapter.keys[0]
            optional = param.default is not EMPTY
            yield GraphEdge(source, target, param.name, optional)
