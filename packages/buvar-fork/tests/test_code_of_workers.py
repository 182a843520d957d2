"""All modules of an application are loaded before the fork, or none."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from buvar.fork._preload import NewModules
from buvar.fork._preload import load_too


TOP = """
from buvar import context, fork, plugin
VALUE = {value!r}
async def prepare(load: plugin.Loader):
    await load(".nested")
    yield serve()
async def serve():
    from . import lazy, nested
    worker = context.get(fork.Worker)
    print("up", worker.slot, worker.generation, VALUE, nested.VALUE,
        lazy.VALUE, flush=True)
    await context.get(plugin.Cancel).wait()
"""


@pytest.fixture
def deploy(tmp_path):
    """Write an application whose modules all have one value."""

    def deploy(value: str) -> None:
        package = tmp_path / "app"
        package.mkdir(exist_ok=True)
        for name, text in {
            "__init__": "",
            "top": TOP.format(value=value),
            "nested": f"VALUE = {value!r}\nasync def prepare(): pass\n",
            "lazy": f"VALUE = {value!r}\n"
            "print('lazy is imported', flush=True)\n",
        }.items():
            package.joinpath(f"{name}.py").write_text(text)

    return deploy


@pytest.mark.parametrize(
    ("preload", "after"), [(True, "old"), (False, "new!")]
)
def test_old_and_new_code(start, deploy, preload, after) -> None:
    """After HUP, and after a crash, all modules are old, or all are new."""
    deploy("old")
    program = start(
        "import logging\nfrom buvar import fork\n"
        "logging.basicConfig(level='INFO', format='%(message)s')\n"
        "fork.stage('app.top', forks=2, worker_timeout=1.2,"
        f" preload={preload})\n",
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    program.until("up . 0 old old old", 2)
    if preload:
        # What is imported late is reported with the next sign of life.
        program.until("lazy is imported", 3)
    deploy("new!")
    os.kill(program.workers()[0], signal.SIGKILL)
    program.until(f"up . 0 {after} {after} {after}", 3 if preload else 1)
    program.signal(signal.SIGHUP)
    program.until(f"up . 1 {after} {after} {after}", 2)

    assert program.stop() == 0


def test_loaded_though_it_should_not_be(start, deploy) -> None:
    """It is said when a program has imported what HUP is to bring anew."""
    deploy("old")
    program = start(
        "from buvar import fork\nimport app.top\n"
        "fork.stage('app.top', forks=2, preload=False)\n"
    )
    program.until("the program has imported app.top already")
    program.until("up", 2)

    assert program.stop() == 0


def test_modules_of_an_application(tmp_path, monkeypatch) -> None:
    """What is installed or belongs to Python is not an application's."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "site-packages")
    (tmp_path / "site-packages").mkdir()
    names = ("buvar_mine", "buvar_installed", "buvar_named")
    for name in names:
        folder = tmp_path / ("" if name == names[0] else "site-packages")
        (folder / f"{name}.py").touch()
    for name in (*names, "this"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    modules = NewModules(["buvar_named:prepare"])
    assert modules.look() == []
    monkeypatch.setitem(sys.modules, "buvar_made_up", object())
    for name in names:
        __import__(name)
    __import__("colorsys")

    try:
        assert modules.look() == ["buvar_mine", "buvar_named"]
        assert modules.look() == []
    finally:
        for name in names:
            sys.modules.pop(name, None)


def test_modules_for_workers_only(tmp_path, monkeypatch, caplog) -> None:
    """What cannot be imported by the supervisor is said, no more."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "buvar_picky.py").write_text("raise SystemExit(5)")

    load_too(["sys", "buvar_picky", "buvar_missing"])

    assert "The module buvar_picky can be imported in workers only" in (
        caplog.text
    )
    assert "buvar_missing" in caplog.text


IMPORTED_LATE = """
import os, sys
modules = set()
os.register_at_fork(after_in_child=lambda: modules.update(sys.modules))
from buvar import fork, plugin
async def prepare(cancel: plugin.Cancel):
    yield serve(cancel)
async def serve(cancel):
    # A part of the interpreter itself, no file.
    late = set(sys.modules) - modules - {"faulthandler"}
    print("late:", ", ".join(sorted(late)), flush=True)
    cancel.set()
fork.stage(prepare, forks=2)
"""


def test_nothing_is_left_to_be_imported_after_the_fork(start) -> None:
    """What workers need was imported before, once for all of them."""
    program = start(IMPORTED_LATE)

    assert program.wait() == 0, program.output
    assert program.output.count("late: \n") == 2, program.output
