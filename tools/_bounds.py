"""The lower bounds of the ranges between our packages."""

from __future__ import annotations

import re
import typing as t

from pathlib import Path

import _history
import _surface

from _packages import Package
from _packages import Range
from _packages import Version
from _packages import spell


def new_uses(
    root: Path,
    dependent: str,
    name: str,
    released: t.Mapping[Version, str],
) -> list[str]:
    """
    Return what a dependent uses of a package that its last release lacks.

    Args:
        root: The clone.
        dependent: The package whose sources are read.
        name: The package it needs.
        released: The commit of each release of that one.
    """
    if not released:
        return []
    source = f"packages/{name}/src"
    last = released[max(released)]
    before = _surface.defined(_history.files(root, last, source))
    now = _surface.defined(dict(_history.python_files(root / source, root)))
    modules = set(now) - {"buvar"}
    folder = root / "packages" / dependent / "src"
    uses = _surface.used(dict(_history.python_files(folder, root)), modules)
    return [
        f"{module}.{used}"
        for module, used in sorted(uses)
        if used in now[module] and used not in before.get(module, ())
    ]


def raised(
    root: Path,
    package: Package,
    packages: t.Mapping[str, Package],
    released: t.Mapping[Version, str],
) -> dict[str, list[str]]:
    """
    Return the dependents that use something new, and what.

    Args:
        root: The clone.
        package: The package they need.
        packages: All packages.
        released: The commit of each release of that one.
    """
    found = {
        other.name: new_uses(root, other.name, package.name, released)
        for other in packages.values()
        if package.name in other.needs
    }
    return {other: new for other, new in found.items() if new}


def new_bound(
    root: Path, dependent: Package, name: str, version: Version
) -> dict[str, str]:
    """Return the files, by path, that raise a dependent's bound."""
    path = f"packages/{dependent.name}/pyproject.toml"
    text = (root / path).read_text(encoding="utf-8")
    old = dependent.needs[name]
    new = Range(version, version[0] + 1)
    wanted = _requirement(name, new)
    changed = re.sub(rf"\b{name}>=[\d.]+,<{old.below}\b", wanted, text)
    news = f"packages/{dependent.name}/changes/+{name}-{spell(version)}"
    return {
        path: changed,
        f"{news}.changed.md": f"Requires `{wanted}`.\n",
    }


def _requirement(name: str, allowed: Range) -> str:
    low = spell(allowed.low).removesuffix(".0")
    return f"{name}>={low},<{allowed.below}"
