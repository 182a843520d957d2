"""
Dependency injection: build an object, and all it needs, from its type.

Implementations are registered and found by what they return. ``nject`` plans
a call once, before anything is built, and compiles the plan to the code one
would write by hand. How long an object is kept is a matter of layers: of the
call, the request or the stage.
"""

from __future__ import annotations

from ._adapter import Adapter
from ._adapter import Scope
from ._check import check
from ._errors import AnnotationError
from ._errors import CheckError
from ._errors import CycleError
from ._errors import DiError
from ._errors import GeneratorError
from ._errors import RegisterError
from ._errors import ResolveError
from ._errors import ScopeError
from ._graph import Graph
from ._graph import GraphEdge
from ._graph import GraphNode
from ._graph import graph
from ._nject import inject
from ._nject import nject
from ._register import Adapters
from ._register import buvar_adapters
from ._register import override
from ._register import register
from ._types import Named


__all__ = [
    "Adapter",
    "Adapters",
    "AnnotationError",
    "CheckError",
    "CycleError",
    "DiError",
    "GeneratorError",
    "Graph",
    "GraphEdge",
    "GraphNode",
    "Named",
    "RegisterError",
    "ResolveError",
    "Scope",
    "ScopeError",
    "buvar_adapters",
    "check",
    "graph",
    "inject",
    "nject",
    "override",
    "register",
]
