"""Beside the older regular package nothing works, and the error says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 60  # seconds, a bound and no expectation


@pytest.mark.parametrize("module", ["components", "context", "plugin", "log"])
def test_an_older_release_is_named(tmp_path: Path, module: str) -> None:
    """Importing ours beside an older ``buvar`` says what to uninstall."""
    old = tmp_path / "buvar"
    for source in ROOT.glob("packages/*/src/buvar"):
        shutil.copytree(source, old, dirs_exist_ok=True)
    old.joinpath("__init__.py").write_text("")

    error = import_error(module, tmp_path)

    assert str(old / "__init__.py") in error
    assert "pip uninstall buvar" in error


def test_an_older_release_installed_later_is_named(tmp_path: Path) -> None:
    """What an older ``buvar`` has overwritten does not hide the error."""
    old = tmp_path / "buvar"
    for source in ROOT.glob("packages/*/src/buvar"):
        shutil.copytree(source, old, dirs_exist_ok=True)
    old.joinpath("__init__.py").write_text("")
    old.joinpath("components", "__init__.py").write_text("")

    assert "pip uninstall buvar" in import_error("context", tmp_path)


def import_error(module: str, folder: Path) -> str:
    """Return the last line of what a failing import prints."""
    # Without the site no editable package of ours is in the way.
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import buvar.{module}"],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize("lost", ["components", "di"])
@pytest.mark.parametrize("module", ["context", "plugin", "di", "fork"])
def test_files_that_an_upgrade_removed(
    tmp_path: Path, module: str, lost: str
) -> None:
    """What pip removed with an older release is named with the repair."""
    if module == lost:
        pytest.skip("no code of ours is left to be run")
    new = tmp_path / "buvar"
    for source in ROOT.glob("packages/*/src/buvar"):
        shutil.copytree(source, new, dirs_exist_ok=True)
    new.joinpath(lost, "__init__.py").unlink()

    error = import_error(module, tmp_path)

    assert str(new / lost) in error
    assert (
        "pip install --force-reinstall --no-deps buvar-context buvar-di"
        in error
    )
