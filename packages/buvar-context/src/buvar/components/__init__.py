"""
Components: objects kept by type and name in a stack of layers.

A layer is pushed for whatever has a lifetime: the process, a stage, a task, a
request. A look-up starts at the top and ends at the first layer that knows the
type, so an upper layer may shadow a lower one without changing it.
"""

from __future__ import annotations

# Imported for what it does: it refuses an older package.
from . import _namespace  # noqa: F401  # pyright: ignore[reportUnusedImport]
from ._errors import AsyncCloserError
from ._errors import ComponentLookupError
from ._errors import ComponentsError
from ._errors import LastLayerError
from ._errors import LayerEndedError
from ._impl import Components
from ._public import publish as _publish
from ._types import Closer
from ._types import Namespaces


__all__ = [
    "AsyncCloserError",
    "Closer",
    "ComponentLookupError",
    "Components",
    "ComponentsError",
    "LastLayerError",
    "LayerEndedError",
    "Namespaces",
]

_publish(globals())
