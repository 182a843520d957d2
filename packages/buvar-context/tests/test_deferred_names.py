"""Modules may be imported with the first use of one of their names."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading

import pytest

from buvar import plugin


INIT = """
from buvar.components.spi import publish

__all__ = ["Drawing", "Plain", "draw"]

class Plain: ...

publish(
    globals(),
    deferred={"._heavy": ["Drawing", "draw"], ".tools": ["Tool", "tools"]},
)
"""
HEAVY = """
class Drawing: ...

def draw(): ...
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that defers some of its names."""
    folder = tmp_path / "deferring"
    folder.mkdir()
    (folder / "__init__.py").write_text(INIT)
    (folder / "_heavy.py").write_text(HEAVY)
    (folder / "tools.py").write_text("class Tool: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("deferring")
    for name in [name for name in sys.modules if name.startswith("deferring")]:
        del sys.modules[name]


def test_the_first_use_imports(package):
    """The module is imported with the first use of one of its names."""
    assert "deferring._heavy" not in sys.modules
    assert package.draw is sys.modules["deferring._heavy"].draw
    # From now on they are found as any other name.
    assert {"draw", "Drawing"} <= set(vars(package))


def test_classes_have_their_public_name(package):
    """One name that is asked for gives all of the module's their place."""
    draw = package.draw
    assert draw
    assert sys.modules["deferring._heavy"].Drawing.__module__ == "deferring"


def test_a_public_module_is_a_name(package):
    """A module may be deferred with what it defines."""
    assert package.tools is sys.modules["deferring.tools"]
    assert package.Tool is package.tools.Tool
    # It is where it says.
    assert package.Tool.__module__ == "deferring.tools"


def test_deferred_names_are_listed(package):
    """``dir()`` and ``import *`` know what is not imported yet."""
    assert {"Drawing", "Plain", "draw", "tools"} <= set(dir(package))
    assert "deferring._heavy" not in sys.modules
    got = {}
    exec("from deferring import *", got)  # noqa: S102
    assert {"Drawing", "Plain", "draw"} <= set(got)


def test_a_name_that_is_not_there(package):
    """Another name is missed as in any other module."""
    with pytest.raises(AttributeError) as info:
        package.drow  # noqa: B018
    assert str(info.value) == "module 'deferring' has no attribute 'drow'"
    assert (info.value.name, info.value.obj) == ("drow", package)
    assert not hasattr(package, "__path_to_nothing__")


def test_a_failing_import_is_tried_again(package, tmp_path):
    """What fails to be imported fails each time, until it is mended."""
    heavy = tmp_path / "deferring" / "_heavy.py"
    heavy.write_text("raise OSError('no more files')\n")
    for _ in range(2):
        with pytest.raises(OSError, match="no more files"):
            package.draw()
    # Longer, as the time stamps of the two may be the same.
    heavy.write_text(HEAVY * 3)
    assert package.draw() is None


def test_threads_get_one_object(package):
    """Threads that ask at the same time are given the same."""
    start = threading.Barrier(8)
    found = []

    def ask():
        start.wait()
        found.append(package.Drawing)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [package.Drawing] * 8


def test_events_are_imported_with_a_listener():
    """A stage imports its events with its first listener, and no sooner."""
    code = (
        "import sys\n"
        "from buvar import plugin\n"
        "async def prepare():\n"
        "    print('buvar.plugin._events' in sys.modules)\n"
        "plugin.stage(prepare)\n"
        "plugin.stage(prepare, listeners=[lambda event: print(\n"
        "    type(event).__module__, type(event).__name__)])\n"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    first, second, *_, last = out.splitlines()
    assert first == "False"
    assert second == last == "buvar.plugin StateChanged"


def test_jobs_is_a_module_of_the_package():
    """``plugin.jobs`` may be given to a stage without importing it."""
    code = "from buvar import plugin; print(plugin.jobs.__name__)"
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert out == "buvar.plugin.jobs\n"
    assert plugin.Jobs.__module__ == "buvar.plugin.jobs"
