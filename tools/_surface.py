"""
What modules define, and what a package uses of another one.

Read from the syntax trees, so that two states of the sources can be compared
without installing either. What a call passes to a function, or reads from an
object, is not seen: the tests with mixed versions find that.
"""

from __future__ import annotations

import ast
import typing as t

from pathlib import PurePosixPath


#: A name, and the module it is taken from.
Use = tuple[str, str]


def module_name(path: str) -> str:
    """Return the dotted name of ``packages/x/src/buvar/di/_plan.py``."""
    parts = PurePosixPath(path).with_suffix("").parts
    dotted = parts[parts.index("src") + 1 :]
    return ".".join(dotted[:-1] if dotted[-1] == "__init__" else dotted)


def defined(sources: t.Mapping[str, str]) -> dict[str, set[str]]:
    """
    Return the names that modules bind at their top level.

    Args:
        sources: The text of each file, by its path in the repository.
    """
    found: dict[str, set[str]] = {}
    for path, text in sources.items():
        name = module_name(path)
        found.setdefault(name, set()).update(_bound(ast.parse(text).body))
        while "." in name:
            name, _, child = name.rpartition(".")
            found.setdefault(name, set()).add(child)
    return found


def _bound(body: t.Iterable[ast.stmt]) -> t.Iterator[str]:
    for statement in body:
        match statement:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                for alias in names:
                    yield (alias.asname or alias.name).partition(".")[0]
            case ast.If() | ast.Try() | ast.With():
                for field in ("body", "orelse", "finalbody"):
                    yield from _bound(getattr(statement, field, ()))
                for handler in getattr(statement, "handlers", ()):
                    yield from _bound(handler.body)
            case _:
                for node in ast.walk(statement):
                    if isinstance(node, ast.Name) and isinstance(
                        node.ctx, ast.Store
                    ):
                        yield node.id


def used(
    sources: t.Mapping[str, str], modules: t.Container[str]
) -> dict[Use, list[str]]:
    """
    Return what sources use of some modules, and in which files.

    Args:
        sources: The text of each file, by its path in the repository.
        modules: The names of the modules of the other package.
    """
    found: dict[Use, list[str]] = {}
    for path, text in sources.items():
        for use in sorted(_uses(ast.parse(text), modules)):
            found.setdefault(use, []).append(path)
    return found


def _uses(tree: ast.AST, modules: t.Container[str]) -> set[Use]:
    found: set[Use] = set()
    #: How the code spells a module.
    spelled: dict[str, str] = {}
    for module, name, alias in _imports(tree):
        whole = f"{module}.{name}" if module else name
        if whole in modules:
            spelled[alias or name] = whole
        if module in modules:
            found.add((module, name))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            used_module = spelled.get(ast.unparse(node.value))
            if used_module:
                found.add((used_module, node.attr))
    return found


def _imports(tree: ast.AST) -> t.Iterator[tuple[str, str, str | None]]:
    """Yield module, name and alias of what is imported absolutely."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield "", alias.name, alias.asname
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield node.module or "", alias.name, alias.asname
