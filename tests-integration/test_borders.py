"""What crosses the borders between distributions: published names only."""

from __future__ import annotations

import ast
import typing as t

from collections import Counter
from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parent.parent
#: What named tuples offer is public, underscore or not.
NAMED_TUPLES = {"_asdict", "_fields", "_make", "_replace"}
PACKAGES = sorted(path.parent for path in ROOT.glob("packages/*/src"))

#: Private modules and names that a distribution still imports from another
#: one: importing distribution, name, number of imports. **It only shrinks**:
#: what is published gets removed here, nothing is added.
PRIVATE_IMPORTS: dict[tuple[str, str], int] = {
    ("buvar", "buvar.plugin._resolve.resolve"): 1,
    ("buvar-aiohttp", "buvar.components._known"): 1,
    ("buvar-aiohttp", "buvar.context._closing.ENDED"): 1,
    ("buvar-aiohttp", "buvar.context._closing.close"): 1,
    ("buvar-aiohttp", "buvar.context._closing.raise_failures"): 1,
    ("buvar-aiohttp", "buvar.fork._listeners.Listeners"): 1,
    ("buvar-di", "buvar.components._impl.MISSING"): 5,
    ("buvar-di", "buvar.components._known"): 4,
    ("buvar-di", "buvar.components._lock.LOCK"): 3,
    ("buvar-di", "buvar.components._near.near_misses"): 1,
    ("buvar-di", "buvar.components._public.publish"): 1,
    ("buvar-di", "buvar.components._views.depend"): 1,
    ("buvar-di", "buvar.context._closing.closers_of"): 1,
    ("buvar-di", "buvar.context._closing.wraps"): 1,
    ("buvar-fork", "buvar.plugin._resolve.import_module"): 1,
}

#: Underscored attributes of other distributions that are still read or set.
#: It only shrinks, too.
PRIVATE_ATTRIBUTES: dict[tuple[str, str], int] = {}


def sources(package: Path) -> t.Iterator[tuple[str, ast.Module]]:
    """Yield the dotted name and the tree of each file of a distribution."""
    folder = package / "src"
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        dotted = ".".join(parts).removesuffix(".__init__")
        yield dotted, ast.parse(path.read_text("utf-8"))


OWNER = {
    module: package.name
    for package in PACKAGES
    for module, _ in sources(package)
}


def owner(name: str) -> str | None:
    """Return the distribution that a dotted name belongs to."""
    while name:
        if name in OWNER:
            return OWNER[name]
        name = name.rpartition(".")[0]
    return None


def is_private(dotted: str) -> bool:
    """Whether a name is reached through something underscored."""
    return any(
        part.startswith("_") and not part.endswith("__")
        for part in dotted.split(".")
    )


def imports(tree: ast.AST) -> t.Iterator[str]:
    """Yield the dotted name of everything that is imported absolutely."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def private_imports() -> Counter[tuple[str, str]]:
    """Count the private imports across distributions."""
    return Counter(
        (package.name, name)
        for package in PACKAGES
        for _, tree in sources(package)
        for name in imports(tree)
        if is_private(name) and owner(name) not in {None, package.name}
    )


def defined_attributes(package: Path) -> set[str]:
    """Return the underscored names that a distribution gives to something."""
    found: set[str] = set()
    for _, tree in sources(package):
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(attr=name, ctx=ast.Store()):
                    found.add(name)
                case ast.Name(id=name, ctx=ast.Store()):
                    found.add(name)
                case (
                    ast.FunctionDef(name=name)
                    | ast.AsyncFunctionDef(name=name)
                    | ast.ClassDef(name=name)
                ):
                    found.add(name)
                # Names of slots are text.
                case ast.Constant(value=str(name)):
                    found.add(name)
    return {name for name in found if is_private(name)}


def private_attributes() -> Counter[tuple[str, str]]:
    """Count the underscored attributes that belong to other distributions."""
    defined = {package: defined_attributes(package) for package in PACKAGES}
    found: Counter[tuple[str, str]] = Counter()
    for package in PACKAGES:
        others: set[str] = set()
        others.update(*(defined[p] for p in PACKAGES if p != package))
        foreign = others - defined[package] - NAMED_TUPLES
        for _, tree in sources(package):
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute) and node.attr in foreign:
                    found[package.name, node.attr] += 1
    return found


def test_no_private_import_crosses_a_border() -> None:
    """A distribution imports only published names of another one."""
    assert dict(private_imports()) == PRIVATE_IMPORTS


def test_no_private_attribute_crosses_a_border() -> None:
    """A distribution leaves the underscored attributes of others alone."""
    assert dict(private_attributes()) == PRIVATE_ATTRIBUTES


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from buvar.context import child", []),
        ("from buvar.di._plan import Plan", ["buvar.di._plan.Plan"]),
        ("from buvar.components import _known", ["buvar.components._known"]),
        ("import buvar.fork._pool as pool", ["buvar.fork._pool"]),
        ("def f():\n    import buvar.di._plan", ["buvar.di._plan"]),
        ("from ._own import x", []),
        ("from buvar.di import __all__", []),
    ],
)
def test_what_counts_as_private(text: str, expected: list[str]) -> None:
    """Modules and names count, wherever the import stands; dunders do not."""
    assert [n for n in imports(ast.parse(text)) if is_private(n)] == expected
