"""
Dependency injection: build an object, and all it needs, from its type.

Implementations are registered and found by what they return. ``nject`` plans
a call once, before anything is built, and compiles the plan to the code one
would write by hand. How long an object is kept is a matter of layers: of the
call, the request or the stage.
"""

from __future__ import annotations

import typing as t

from buvar.components.spi import publish as _publish

from ._annotations.parse import Named
from ._current import buvar_adapters
from ._current import decorate
from ._current import override
from ._current import register
from ._current import replan
from ._entry import add_entry_point
from ._entry import expect
from ._errors import AnnotationError
from ._errors import CheckError
from ._errors import CycleError
from ._errors import DiError
from ._errors import GeneratorError
from ._errors import KeywordError
from ._errors import RegisterError
from ._errors import ResolveError
from ._errors import ScopeError
from ._inject import inject
from ._nject import nject
from ._registry.adapter import Adapter
from ._registry.provider_kind import Scope
from ._registry.registry import Adapters
from ._report.check import check


if t.TYPE_CHECKING:
    from ._report.graph import Graph
    from ._report.graph import GraphEdge
    from ._report.graph import GraphNode
    from ._report.graph import graph


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
    "KeywordError",
    "Named",
    "RegisterError",
    "ResolveError",
    "Scope",
    "ScopeError",
    "add_entry_point",
    "buvar_adapters",
    "check",
    "decorate",
    "expect",
    "graph",
    "inject",
    "nject",
    "override",
    "register",
    "replan",
]

_publish(
    globals(),
    # Those who draw it.
    deferred={
        "._report.graph": ["Graph", "GraphEdge", "GraphNode", "graph"],
    },
)
