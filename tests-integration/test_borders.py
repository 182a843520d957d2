"""What crosses the borders between distributions: published names only."""

from __future__ import annotations

import ast
import typing as t

from collections import Counter
from pathlib import Path

import pytest

from buvar.components import Components


ROOT = Path(__file__).resolve().parent.parent
#: What named tuples offer is public, underscore or not.
NAMED_TUPLES = {"_asdict", "_fields", "_make", "_replace"}
PACKAGES = sorted(path.parent for path in ROOT.glob("packages/*/src"))


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


def of_others(tree: ast.AST) -> set[str]:
    """Return the names of modules that are none of ours."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if owner(alias.name) is None
    }


def attributes(tree: ast.AST) -> t.Iterator[str]:
    """Yield the underscored attributes of all but modules of others."""
    others = of_others(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name)) if name in others:
                pass
            case ast.Attribute(attr=name) if is_private(name):
                yield name
            # As a string it is the same.
            case ast.Call(
                func=ast.Name(id="getattr" | "setattr" | "hasattr"),
                args=[_, ast.Constant(value=str(name)), *_],
            ) if is_private(name):
                yield name


def private_attributes() -> Counter[tuple[str, str]]:
    """Count the underscored attributes that belong to other distributions."""
    defined = {package: defined_attributes(package) for package in PACKAGES}
    found: Counter[tuple[str, str]] = Counter()
    for package in PACKAGES:
        others: set[str] = set()
        others.update(*(defined[p] for p in PACKAGES if p != package))
        foreign = others - defined[package] - NAMED_TUPLES
        for _, tree in sources(package):
            for name in attributes(tree):
                if name in foreign:
                    found[package.name, name] += 1
    return found


def imports_of(package: Path) -> dict[str, set[str]]:
    """Return which files of a distribution each file of it imports."""
    files = dict(sources(package))
    packages = {
        ".".join(path.parent.relative_to(package / "src").parts)
        for path in (package / "src").rglob("__init__.py")
    }
    return {
        name: {
            found
            for full in targets(tree, name, is_package=name in packages)
            for found in (full, full.rpartition(".")[0])
            if found in files
            and found != name
            and (found == full or full not in files)
        }
        for name, tree in files.items()
    }


def targets(tree: ast.AST, name: str, *, is_package: bool) -> t.Iterator[str]:
    """Yield the dotted names that a file imports, relative ones resolved."""
    yield from imports(tree)
    parts = name.split(".")
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            up = node.level - is_package
            base = [*parts[: len(parts) - up], *filter(None, [node.module])]
            yield from (".".join([*base, one.name]) for one in node.names)


def circles(edges: t.Mapping[str, set[str]]) -> list[str]:
    """Name the files that import each other, over others or directly."""
    return sorted(one for one in edges if one in reached(edges, one))


def reached(edges: t.Mapping[str, set[str]], start: str) -> set[str]:
    """Return all that is imported by a file, over others or directly."""
    seen: set[str] = set()
    todo = [*edges[start]]
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += edges[one]
    return seen


def test_no_private_import_crosses_a_border() -> None:
    """A distribution imports only published names of another one."""
    assert dict(private_imports()) == {}


def test_no_private_attribute_crosses_a_border() -> None:
    """A distribution leaves the underscored attributes of others alone."""
    assert dict(private_attributes()) == {}


def test_users_see_methods_for_users() -> None:
    """``Components`` offers what users call, and nothing else."""
    public = [name for name in dir(Components) if not name.startswith("_")]
    assert public == ["add", "find", "get", "pop", "push", "stack"]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_no_imports_in_circles(package: Path) -> None:
    """No file imports itself over others, not even for its types."""
    assert circles(imports_of(package)) == []


def test_circles_are_found() -> None:
    """Each file of a circle is named, and no other one."""
    edges = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}
    assert circles(edges) == ["b", "c"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from buvar.context import child", []),
        ("from buvar.di._plan import Plan", ["buvar.di._plan.Plan"]),
        ("from buvar.components import _near", ["buvar.components._near"]),
        ("import buvar.fork._pool as pool", ["buvar.fork._pool"]),
        ("def f():\n    import buvar.di._plan", ["buvar.di._plan"]),
        ("from ._own import x", []),
        ("from buvar.di import __all__", []),
    ],
)
def test_what_counts_as_private(text: str, expected: list[str]) -> None:
    """Modules and names count, wherever the import stands; dunders do not."""
    assert [n for n in imports(ast.parse(text)) if is_private(n)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("layer._kept", ["_kept"]),
        ("layer.kept", []),
        ("import os\nos._exit(1)", []),
        ("import buvar.di\nbuvar.di._plan", ["_plan"]),
        ("getattr(layer, '_kept')", ["_kept"]),
        ("layer.__class__", []),
    ],
)
def test_what_counts_as_an_attribute(text: str, expected: list[str]) -> None:
    """Attributes count, written as text as well; modules of others do not."""
    assert [*attributes(ast.parse(text))] == expected
