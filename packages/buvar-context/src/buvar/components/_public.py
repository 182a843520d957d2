"""Show classes under the names that users import."""

from __future__ import annotations

import importlib
import sys
import typing as t


def publish(
    namespace: dict[str, t.Any],
    deferred: t.Mapping[str, t.Sequence[str]] | None = None,
) -> None:
    """
    Have the public classes of a package say that they are defined there.

    Args:
        namespace: The globals of the package's ``__init__``.
        deferred: Modules that are imported when one of their names is first
            asked for, and these names; a public module has its own among
            them. Type checkers find the names imported below
            ``if t.TYPE_CHECKING``.

    Example:
        >>> if t.TYPE_CHECKING:
        ...     from ._graph import graph
        >>> publish(globals(), deferred={"._graph": ["graph"]})
    """
    _rename(namespace, namespace["__all__"])
    if deferred:
        _defer(namespace, deferred)


def _rename(namespace: dict[str, t.Any], names: t.Iterable[str]) -> None:
    package = namespace["__name__"]
    for name in names:
        item = namespace.get(name)
        if isinstance(item, type) and item.__module__.startswith(
            f"{package}._"
        ):
            item.__module__ = package


def _defer(
    namespace: dict[str, t.Any], deferred: t.Mapping[str, t.Sequence[str]]
) -> None:
    """Give a package ``__getattr__`` and ``__dir__`` (PEP 562)."""
    package = namespace["__name__"]
    modules = {name: key for key, names in deferred.items() for name in names}

    def find(name: str) -> t.Any:
        if name not in modules:
            raise AttributeError(
                f"module {package!r} has no attribute {name!r}",
                name=name,
                obj=sys.modules[package],
            )
        module = importlib.import_module(modules[name], package)
        # All of them, so that each class has its public name from now on.
        for each in deferred[modules[name]]:
            if each not in namespace:
                namespace[each] = getattr(module, each)
        _rename(namespace, deferred[modules[name]])
        return namespace[name]

    namespace["__getattr__"] = find
    namespace["__dir__"] = lambda: sorted({*namespace, *modules})
