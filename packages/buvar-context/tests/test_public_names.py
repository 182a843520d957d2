"""What the modules say is public is what they define."""

from __future__ import annotations

import ast
import importlib
import inspect
import pathlib
import subprocess
import sys
import types

import pytest

import buvar.components


MODULES = [
    "buvar.components",
    "buvar.context",
    "buvar.plugin",
    "buvar.plugin.jobs",
]
SOURCE = pathlib.Path(buvar.components.__file__).parent.parent


@pytest.mark.parametrize("name", MODULES)
def test_all_is_what_is_public(name):
    """``__all__`` is sorted and names all that is public, and no more."""
    module = importlib.import_module(name)
    public = {
        key
        for key, value in inspect.getmembers(module)
        if not key.startswith("_")
        and not isinstance(value, types.ModuleType)
        and key != "annotations"
    }
    assert set(module.__all__) == public
    assert len(module.__all__) == len(public)


@pytest.mark.parametrize("name", MODULES)
def test_classes_show_their_public_name(name):
    """A class says that it is defined where users import it from."""
    module = importlib.import_module(name)
    shown = {
        item.__module__
        for item in (getattr(module, name) for name in module.__all__)
        if isinstance(item, type)
    }
    assert not [other for other in shown if "._" in other]


#: What each module may import of the others.
ALLOWED = {
    "components": set(),
    "context": {"components"},
    "plugin": {"components", "context"},
}


@pytest.mark.parametrize("name", ALLOWED)
def test_imports_go_down(name):
    """Imports go from plugin to context to components, never back."""
    found = set()
    for path in (SOURCE / name).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and not node.level:
                found.add(f"{node.module}.{node.names[0].name}")
            elif isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
    ours = {f.split(".")[1] for f in found if f.split(".")[0] == "buvar"}
    assert ours - {name} <= ALLOWED[name]
    # Type checkers alone import the last one.
    known = {"buvar", "annotationlib", "typing_extensions"}
    others = {f.split(".")[0] for f in found} - known
    assert others <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("name", "unwanted"),
    [
        ("buvar.components", ["asyncio", "buvar.context", "buvar.plugin"]),
        ("buvar.context", ["buvar.plugin"]),
        (
            "buvar.plugin",
            [
                "importlib.metadata",
                "difflib",
                "dataclasses",
                "buvar.plugin._cron",
                "buvar.plugin._events",
                "buvar.plugin.jobs",
            ],
        ),
    ],
)
def test_import_brings_only_what_is_needed(name, unwanted):
    """Importing a module leaves alone what it does not need."""
    first = "pass" if "asyncio" in unwanted else "import asyncio"
    code = (
        # asyncio brings dataclasses from Python 3.15 on.
        f"import sys; {first}; before = set(sys.modules); import {name}; "
        f"print([m for m in {unwanted!r} if m in set(sys.modules) - before])"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert out == "[]\n"


def test_an_older_release_is_refused(tmp_path):
    """Beside the regular package of old, the import says what to do."""
    package = tmp_path / "buvar"
    package.mkdir()
    # The older release's ``__path__`` leads to ours only by extension.
    (package / "__init__.py").write_text(f"__path__.append({str(SOURCE)!r})")
    done = subprocess.run(
        [sys.executable, "-c", "import buvar.context"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "pip uninstall buvar" in done.stderr.splitlines()[-1]
