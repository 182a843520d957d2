"""In development the program is run again when its source changes."""

from __future__ import annotations

import os

from pathlib import Path

import pytest

from buvar import fork
from buvar.fork import _reload


def test_reload_without_watchfiles(monkeypatch, capsys) -> None:
    """Reloading says what to install where that is missing."""
    monkeypatch.setitem(__import__("sys").modules, "watchfiles", None)

    async def prepare() -> None:
        """Never prepared."""

    with pytest.raises(fork.UnsupportedError, match="pip install"):
        fork.stage(prepare, forks=1, reload=True)
    assert capsys.readouterr().err.count("\n") == 1


def test_reload(monkeypatch) -> None:
    """The program is run in a child, which alone goes on."""
    runs = []

    class Watchfiles:
        class PythonFilter:
            def __init__(self, extra_extensions) -> None:
                self.extensions = extra_extensions

        @staticmethod
        def run_process(*paths, **options) -> None:
            runs.append((paths, options["target_type"]))
            assert os.environ[_reload._MARK]
            assert fork.stage(prepare, forks=1, reload=["src"]) == []

    async def prepare() -> None:
        """Prepare nothing."""

    monkeypatch.setitem(__import__("sys").modules, "watchfiles", Watchfiles)
    monkeypatch.setenv(_reload._MARK, "")
    monkeypatch.delenv(_reload._MARK)

    with pytest.raises(SystemExit) as caught:
        fork.stage(prepare, forks=1, reload=["src"])

    assert caught.value.code == 0
    assert runs == [(("src",), "command")]


PROGRAM = """
import asyncio, os
from buvar import context, fork, plugin
import helper
async def serve():
    print("up", helper.VALUE, flush=True)
    await context.get(plugin.Cancel).wait()
async def prepare(): yield serve()
fork.stage(prepare, forks={forks}, reload={reload})
"""


@pytest.mark.parametrize("forks", [1, 2])
def test_reload_on_change(
    start, tmp_path, children, eventually, forks: int
) -> None:
    """A source that changes is run again, what is written beside it is not."""
    pytest.importorskip("watchfiles")
    helper = tmp_path / "helper.py"
    helper.write_text("VALUE = 'one'")
    program = start(PROGRAM.format(forks=forks, reload=True))
    program.until("up one", forks)
    (first,) = children(program.pid)
    # Its log is in the same directory: that does not count as a source.
    eventually(lambda: _watches(program.pid))
    helper.write_text("VALUE = 'other'")
    program.until("up other", forks)
    (second,) = children(program.pid)

    assert second != first
    assert program.output.count("up one") == forks
    assert program.output.count("up other") == forks
    assert program.stop() == 0


def _watches(pid: int) -> bool:
    """Tell whether a process has begun to watch files."""
    return any(
        "inotify wd:" in path.read_text()
        for path in Path(f"/proc/{pid}/fdinfo").iterdir()
    )


def test_reload_given_paths(start, tmp_path, eventually) -> None:
    """Any file below a path that is given counts."""
    pytest.importorskip("watchfiles")
    tmp_path.joinpath("helper.py").write_text("VALUE = 1")
    data = tmp_path / "data"
    data.mkdir()
    program = start(PROGRAM.format(forks=1, reload=repr(str(data))))
    program.until("up 1")
    eventually(lambda: _watches(program.pid))
    data.joinpath("template.html").write_text("changed")
    program.until("up 1", 2)

    assert program.stop() == 0
