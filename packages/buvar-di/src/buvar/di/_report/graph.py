"""The graph of adapters as data and as drawings."""

from __future__ import annotations

import dataclasses
import types
import typing as t

from buvar.context import current_context
from buvar.di._annotations.evaluate import EMPTY
from buvar.di._annotations.generics import substitute
from buvar.di._annotations.parse import Asked
from buvar.di._annotations.parse import show
from buvar.di._annotations.signature import Param
from buvar.di._annotations.spelling import normal
from buvar.di._current import buvar_adapters
from buvar.di._errors import AnnotationError
from buvar.di._plan.collecting import shape_of
from buvar.di._plan.planner import Planner
from buvar.di._registry.adapter import place_of
from buvar.di._registry.candidate import Candidate
from buvar.di._registry.injected import injected_function
from buvar.di._registry.registry import Adapters


#: Finds the adapters of a type that are used.
Find: t.TypeAlias = t.Callable[[t.Any], t.Sequence[Candidate]]
#: The scope of a function that ``add_entry_point`` was given.
ENTRY_POINT: t.Final = "entry point"
#: The scope of a decorator, which is kept as long as what it wraps.
DECORATOR: t.Final = "decorator"


@dataclasses.dataclass(frozen=True, slots=True)
class GraphNode:
    """
    A type, and how it is built.

    Attributes:
        type: The type, or the function.
        scope: How long it is kept; ``None`` if no adapter builds it: it
            has to be a component or a keyword. ``"entry point"`` is a
            function that is called from outside, such as a handler,
            ``"decorator"`` one that wraps what adapters build.
        where: File and line of the adapter.
        left_out: Why its adapter is not used, if its condition is false.
    """

    type: t.Any
    scope: str | None = None
    where: str | None = None
    left_out: str | None = None


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
            text = "<br>".join(
                line.translate(_MERMAID) for line in _text(node)
            )
            left, right = ("[", "]") if node.scope else ("([", "])")
            if node.scope == DECORATOR:
                left, right = "[[", "]]"
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
            text = "\\n".join(line.translate(_DOT) for line in _text(node))
            shape = "box" if node.scope else "ellipse"
            shape = "component" if node.scope == DECORATOR else shape
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


#: What has a meaning within quotes. Mermaid takes HTML there.
_DOT: t.Final = str.maketrans({'"': '\\"', "\\": "\\\\"})
_MERMAID: t.Final = str.maketrans(
    {'"': "#quot;", "#": "#35;", "&": "#amp;", "<": "#lt;", ">": "#gt;"}
)


def _text(node: GraphNode) -> tuple[str, ...]:
    """Return the lines of a node."""
    kept = () if node.scope in (None, "call") else (str(node.scope),)
    if node.left_out is not None:
        kept = (*kept, "left out")
    if isinstance(node.type, types.FunctionType):
        return (node.type.__qualname__.rpartition("<locals>.")[2], *kept)
    return (show(node.type), *kept)


def graph() -> Graph:
    """Return what the current registry holds, as data."""
    adapters = buvar_adapters.get()
    verdicts = Planner(adapters, current_context(), {}).left_out

    def find(key: t.Any) -> list[Candidate]:
        used = adapters.find(key)
        return [
            candidate
            for candidate in used
            if verdicts(candidate.adapter) is None
        ]

    nodes: dict[t.Any, GraphNode] = {}
    edges: dict[GraphEdge, None] = {}
    todo = [
        (key, Candidate(adapter, {}))
        for adapter in adapters.adapters
        for key in adapter.keys
    ]
    for key, (adapter, _) in todo:
        reason = verdicts.reason(adapter)
        if reason is None or key not in nodes:
            nodes[key] = GraphNode(key, adapter.scope, adapter.where, reason)
    found = [_edges(find, key, candidate) for key, candidate in todo]
    for decorator in adapters.decorators:
        adapter = decorator.adapter
        own: t.Any = adapter.implementation
        reason = verdicts.reason(adapter)
        nodes[own] = GraphNode(own, DECORATOR, adapter.where, reason)
        found.append(_edges(find, own, Candidate(adapter, {})))
    for node, params in _entered(adapters):
        nodes[node.type] = node
        found.append(_needs(find, node.type, params, {}))
    for needed in found:
        for edge, made in needed:
            edges[edge] = None
            if edge.target in nodes:
                continue
            nodes[edge.target] = GraphNode(edge.target)
            if made is not None:
                # A generic adapter, for this type: it has needs of its own.
                scope, where = made.adapter.scope, made.adapter.where
                nodes[edge.target] = GraphNode(edge.target, scope, where)
                found.append(_edges(find, edge.target, made))
    return Graph(tuple(nodes.values()), tuple(edges))


def _entered(
    adapters: Adapters,
) -> t.Iterator[tuple[GraphNode, list[Param]]]:
    """Yield the functions that are called from outside, and their needs."""
    for function, positional, keywords in adapters.entry_points:
        injected = injected_function(function)
        if injected is None:  # pragma: no cover - it ends at this very moment
            continue
        try:
            params = injected.left_out(positional, keywords)
        except AnnotationError:
            # A check says what is wrong with it.
            continue
        yield GraphNode(function, ENTRY_POINT, place_of(function)), params


def _edges(
    find: Find, source: t.Any, candidate: Candidate
) -> t.Iterator[tuple[GraphEdge, Candidate | None]]:
    """Yield what an adapter needs, and what is to build that."""
    adapter, bindings = candidate
    try:
        params = adapter.params
    except AnnotationError:
        return
    yield from _needs(find, source, params, bindings)


def _needs(
    find: Find,
    source: t.Any,
    params: t.Iterable[Param],
    bindings: dict[t.Any, t.Any],
) -> t.Iterator[tuple[GraphEdge, Candidate | None]]:
    for param in params:
        asked = param.ask(substitute(param.annotation, bindings))
        if not asked.keys:
            continue
        optional = param.default is not EMPTY
        for target, made in _targets(find, asked):
            yield GraphEdge(source, target, param.name, optional), made


def _targets(find: Find, asked: Asked) -> list[tuple[t.Any, Candidate | None]]:
    """Return what is needed: several types for a collection."""
    found = [candidate for key in asked.keys for candidate in find(key)]
    shapes = [] if found or asked.named else [*map(shape_of, asked.keys)]
    members = [
        candidate
        for shape in shapes
        if shape is not None
        for key in shape.item.keys
        for candidate in reversed(find(key))
        if candidate.adapter.collect
    ]
    if not members:
        return [_target(find, asked)]
    return [
        (
            normal(substitute(member.adapter.keys[0], member.bindings)),
            member if member.bindings else None,
        )
        for member in members
    ]


def _target(find: Find, asked: Asked) -> tuple[t.Any, Candidate | None]:
    """Return what is needed, and which adapter builds it."""
    key: t.Any = asked.keys[0]
    if asked.named is not None:
        # No adapter gives what has a name.
        return t.Annotated[key, asked.named], None
    found = [candidate for key in asked.keys for candidate in find(key)]
    if not found:
        return key, None
    if found[0].bindings:
        return key, found[0]
    return found[0].adapter.keys[0], found[0]
