"""Show classes under the names that users import."""

from __future__ import annotations

import typing as t


def publish(namespace: dict[str, t.Any]) -> None:
    """
    Have the public classes of a package say that they are defined there.

    Args:
        namespace: The globals of the package's ``__init__``.
    """
    package = namespace["__name__"]
    for name in namespace["__all__"]:
        item = namespace[name]
        if isinstance(item, type) and item.__module__.startswith(
            f"{package}._"
        ):
            item.__module__ = package
