"""A file names the process to send signals to."""

from __future__ import annotations

import errno
import os

import pytest

from buvar import fork


async def _prepare() -> None:
    """Prepare nothing."""


def test_pid_file(serve, tmp_path) -> None:
    """The file names the parent while it runs, and keeps a second out."""
    path = tmp_path / "pid"
    program = serve(f"forks=2, pid_path={str(path)!r}")
    assert int(path.read_text()) == program.pid

    with pytest.raises(fork.PidFileError) as caught:
        fork.stage(_prepare, forks=1, pid_path=path)

    assert caught.value.pid == program.pid
    assert "is running already" in str(caught.value)
    assert program.stop() == 0
    assert not path.exists()


@pytest.mark.parametrize(
    "content", ["4194304", "rubbish", "0", "-1", "9" * 30]
)
def test_stale_file(tmp_path, content: str) -> None:
    """The file of a process that has ended is overwritten."""
    path = tmp_path / "pid"
    path.write_text(content)

    async def prepare():
        return check()

    async def check():
        return path.read_text()

    assert fork.stage(prepare, forks=1, pid_path=path) == [f"{os.getpid()}\n"]
    assert list(tmp_path.iterdir()) == []


def test_process_of_another_user(tmp_path, monkeypatch) -> None:
    """A process that may not be sent signals runs nevertheless."""
    path = tmp_path / "pid"
    path.write_text("1")

    def kill(pid: int, number: int) -> None:
        raise PermissionError(errno.EPERM, "not yours")

    monkeypatch.setattr(os, "kill", kill)

    with pytest.raises(fork.PidFileError, match="process 1 is running"):
        fork.stage(_prepare, forks=1, pid_path=path)


def test_file_of_a_successor(tmp_path) -> None:
    """A file that names another process by now is left alone."""
    path = tmp_path / "pid"

    async def prepare() -> None:
        path.write_text("1")

    fork.stage(prepare, forks=1, pid_path=path)

    assert path.read_text() == "1"


@pytest.mark.parametrize("name", ["no/such/directory/pid", "."])
def test_no_file(tmp_path, capsys, name: str) -> None:
    """A file that cannot be written is one line naming it, exit code 2."""
    path = tmp_path / name

    with pytest.raises(SystemExit) as caught:
        fork.stage(_prepare, forks=1, pid_path=path)

    assert caught.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith(f"{path}: ")
    assert err.endswith("choose a file that can be written.\n")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
