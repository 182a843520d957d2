"""Where a command cannot print, its exit code still says what it is about."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

from pathlib import Path

import click
import pytest

from buvar.cli._output import run

from .conftest import APPLICATION


TIMEOUT = 60.0  # seconds, a bound and no expectation


@pytest.fixture
def buvar(tmp_path: Path):
    """Return how a shell runs the command in a folder with an application."""
    text = textwrap.dedent(APPLICATION)
    tmp_path.joinpath("app.py").write_text(text)
    tmp_path.joinpath("broken.py").write_text("def prepare(:\n    pass\n")

    def shell(words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", words],  # noqa: S607
            cwd=tmp_path,
            env={**os.environ, "buvar": f"{sys.executable} -m buvar.cli"},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )

    return shell


full = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="there is no full disk to write to"
)


@full
@pytest.mark.parametrize(
    "words", ["config sample app", "check app", "graph app", "--help"]
)
def test_a_full_disk(buvar, words: str) -> None:
    """An answer that cannot be written is one error, and exit code 1."""
    done = buvar(f"$buvar {words} > /dev/full")

    assert done.stderr == (
        "Error: Standard output cannot be written to: "
        "No space left on device.\nMake room, or write to another file.\n"
    )
    assert done.returncode == 1


def test_nobody_reads_on(buvar) -> None:
    """Whoever has read enough hears no complaint."""
    done = buvar(
        f"{sys.executable} -c 'import os; r, w = os.pipe(); os.close(r); "
        'os.dup2(w, 1); os.execvp("bash", ["bash", "-c", '
        'os.environ["buvar"] + " config schema app"])\''
    )

    assert done.stderr == ""
    assert done.returncode == 1


def test_interrupted(capsys) -> None:
    """Ctrl-C in a command that does not handle it ends it with 1."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as caught:
        run(click.Command("wait", callback=interrupt), args=[])

    assert caught.value.code == 1
    assert "Aborted!" in capsys.readouterr().err


@full
@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full"])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("check nothing", 2),
        ("run nothing", 2),
        ("run --nothing", 2),
        ("check app:unable", 1),
        ("config sample nothing", 2),
    ],
)
def test_nobody_hears_of_an_error(buvar, words: str, code, closed) -> None:
    """Without standard error the exit code is that of the error."""
    assert buvar(f"$buvar {words} {closed}").returncode == code


@pytest.mark.parametrize("words", ["run broken", "config sample broken"])
def test_a_plugin_with_a_syntax_error(buvar, words: str) -> None:
    """The error names the plugin, whichever command imports it."""
    done = buvar(f"$buvar {words}")

    assert "The plugin 'broken' could not be imported." in done.stderr
    assert done.returncode == 1


def test_what_may_be_missing_names_the_plugin(buvar) -> None:
    """Sections may be missing because of a plugin, which is named."""
    done = buvar("$buvar config schema app broken")

    assert done.stderr.startswith(
        "Note that the plugin 'broken' could not be imported, so the sections "
        "of those that it loads may be missing: SyntaxError: "
    )
    assert done.returncode == 0
