"""The build matrix computed from what changed."""

from __future__ import annotations

import importlib
import json
import sys

from pathlib import Path

import pytest


TOOLS = Path(__file__).resolve().parent.parent / "tools"


def load(name: str):
    """Import a script as its neighbours do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOLS)
        return importlib.import_module(name)


affected = load("affected")
GRAPH = {"a": set(), "b": {"a"}, "c": {"b"}, "d": set()}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (["packages/a/src/x.py"], {"a", "b", "c"}),
        (["packages/c/README.md"], {"c"}),
        (["packages/d/x", "packages/b/x"], {"b", "c", "d"}),
        (["docs/index.md", "README.md"], set()),
        (["tools/x.py"], {"a", "b", "c", "d"}),
        (["hatch.toml", "packages/d/x"], {"a", "b", "c", "d"}),
        (["packages/gone/x"], set()),
        ([], set()),
    ],
)
def test_dependents_are_affected(
    changed: list[str], expected: set[str]
) -> None:
    """A change affects its package and all that need it."""
    assert affected.affected(changed, GRAPH) == expected


def test_the_real_graph() -> None:
    """The graph is read from the packages' metadata, extras included."""
    graph = affected.dependencies(TOOLS.parent / "packages")

    assert graph["buvar-context"] == set()
    assert graph["buvar-config"] == {"buvar-context", "buvar-di"}
    assert "buvar-pytest" in graph["buvar-aiohttp"]
    needed = affected.dependencies(TOOLS.parent / "packages", extras=False)
    assert "buvar-pytest" not in needed["buvar-aiohttp"]
    assert affected.affected(["packages/buvar-context/x"], graph) == set(
        graph
    ) - {"buvar-log"}


def test_an_unknown_base_means_everything(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A base that git does not know affects every package, and says so."""
    assert affected.main(["--base", "no-such-commit"]) == 0

    captured = capsys.readouterr()
    assert len(json.loads(captured.out)["package"]) == 8
    assert "everything" in captured.err


def test_without_a_base_everything(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a base the matrix has all packages and Pythons."""
    assert affected.main([]) == 0

    matrix = json.loads(capsys.readouterr().out)
    assert "buvar" in matrix["package"]
    assert matrix["python"] == [
        "3.11",
        "3.12",
        "3.13",
        "3.14",
        "3.14t",
        "3.15",
    ]


hatchw = load("hatchw")


def test_hatchw_refuses_an_old_python(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A Python that is too old is named, with the one that is needed."""
    monkeypatch.setattr(hatchw, "OLDEST", (9, 9))

    with pytest.raises(hatchw.RefusalError, match=r"too old.*9\.9 or newer"):
        hatchw.check_python()


def test_hatchw_names_a_missing_venv(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python without venv gets one line that says what to install."""
    monkeypatch.setitem(sys.modules, "ensurepip", None)

    with pytest.raises(hatchw.RefusalError, match="python3-venv"):
        hatchw.check_python()


def test_hatchw_reports_a_failed_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A step that fails gives its last line and leaves nothing half done."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(hatchw, "HOME", str(home))
    program = "print('first'); print('no network'); raise SystemExit(1)"

    with pytest.raises(hatchw.RefusalError, match="reach it: no network"):
        hatchw.run([sys.executable, "-c", program], "reach it")

    assert not home.exists()
