"""A file names the process to send signals to."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat

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
    "content", ["4194304", "rubbish", "0", "-1", "9" * 30, "1", ""]
)
def test_stale_file(tmp_path, content: str) -> None:
    """A file that nobody holds is stale, whoever has its number by now."""
    path = tmp_path / "pid"
    path.write_text(content)

    async def prepare():
        return check()

    async def check():
        return path.read_text()

    assert fork.stage(prepare, forks=1, pid_path=path) == [f"{os.getpid()}\n"]
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def held(tmp_path):
    """A file that somebody has locked."""
    path = tmp_path / "pid"
    with path.open("w+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield path


def test_process_of_another_user(held, monkeypatch) -> None:
    """A process that may not be sent signals runs nevertheless."""
    held.write_text("1")

    def kill(pid: int, number: int) -> None:
        raise PermissionError(errno.EPERM, "not yours")

    monkeypatch.setattr(os, "kill", kill)

    with pytest.raises(fork.PidFileError, match="process 1 is running"):
        fork.stage(_prepare, forks=1, pid_path=held)


def test_a_start_at_the_same_time(held) -> None:
    """A file that is locked and still empty is just being taken."""
    with pytest.raises(fork.PidFileError, match="taking it at this moment"):
        fork.stage(_prepare, forks=1, pid_path=held)


def test_a_lock_alone_keeps_nobody_out(held) -> None:
    """Whoever may read the file can lock it: its process has to run, too."""
    held.write_text("4194304")

    fork.stage(_prepare, forks=1, pid_path=held)

    assert not held.exists()


@pytest.mark.parametrize("pid", [None, "1"])
def test_without_locks(tmp_path, monkeypatch, pid: str | None) -> None:
    """Where files cannot be locked the process decides, if it is stale."""
    path = tmp_path / "pid"
    if pid:
        path.write_text(pid)

    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", flock)

    if pid is None:
        fork.stage(_prepare, forks=1, pid_path=path)
        return
    with pytest.raises(fork.PidFileError, match="the file is stale: remove"):
        fork.stage(_prepare, forks=1, pid_path=path)


def test_locks_that_fail(tmp_path, monkeypatch) -> None:
    """A lock that fails is an error, and leaves no file open."""

    def flock(*_: object) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(fork.PidFileError, match="broken"):
        fork.stage(_prepare, forks=1, pid_path=tmp_path / "pid")


def test_many_starts_at_once(start, tmp_path, eventually) -> None:
    """Of many that start at once, with a stale file, one gets it."""
    (tmp_path / "app.pid").write_text("1\n")
    source = """
import os, sys, time
from buvar import context, fork, plugin
while not os.path.exists("go"): time.sleep(0.001)
async def serve():
    print("has it", flush=True)
    await context.get(plugin.Cancel).wait()
async def prepare(): yield serve()
fork.stage(prepare, forks=1, pid_path="app.pid")
"""
    programs = [start(source) for _ in range(6)]
    (tmp_path / "go").touch()

    def decided() -> bool:
        has = [p for p in programs if "has it" in p.output]
        refused = [p for p in programs if p.process.poll() == 2]
        return len(has) + len(refused) == len(programs)

    eventually(decided, lambda: [each.output for each in programs])
    (one,) = [p for p in programs if "has it" in p.output]
    assert (tmp_path / "app.pid").read_text() == f"{one.pid}\n"
    assert one.stop() == 0
    assert not (tmp_path / "app.pid").exists()


def test_after_kill(start, tmp_path) -> None:
    """A killed program's file is stale at once, also with workers left."""
    source = """
import os, sys
from buvar import context, fork, plugin
async def serve():
    if not os.fork():
        print("orphan", os.getpid(), flush=True)
        while True: os.read(0, 1)
    print("up", flush=True)
    await context.get(plugin.Cancel).wait()
async def prepare(): yield serve()
fork.stage(prepare, forks=1, pid_path="app.pid")
"""
    read, write = os.pipe()
    try:
        killed = start(source, stdin=read)
        killed.until("orphan")
        killed.until("up")
        killed.process.kill()
        killed.wait()

        again = start(source, stdin=read)
        again.until("up")
        pid = int((tmp_path / "app.pid").read_text())
        assert pid == again.pid
        assert again.stop() == 0
    finally:
        for program in (killed, again):
            match = program.until(r"orphan (\d+)")[0]
            os.kill(int(match[1]), signal.SIGKILL)
        os.close(read)
        os.close(write)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_everybody_may_read_it(tmp_path, umask: int) -> None:
    """The file has mode 644, whatever the umask says."""
    path = tmp_path / "pid"

    async def prepare():
        return check()

    async def check():
        return stat.S_IMODE(path.stat().st_mode)

    before = os.umask(umask)
    try:
        assert fork.stage(prepare, forks=1, pid_path=path) == [0o644]
    finally:
        os.umask(before)


def test_links_are_not_followed(tmp_path) -> None:
    """A link in place of the file, or of a draft, leads nowhere."""
    precious = tmp_path / "precious"
    precious.write_text("data")
    path = tmp_path / "pid"
    path.symlink_to(precious)
    (tmp_path / f"pid.{os.getpid()}").symlink_to(precious)

    with pytest.raises(fork.PidFileError, match="it is a link; remove it"):
        fork.stage(_prepare, forks=1, pid_path=path)

    assert precious.read_text() == "data"
    path.unlink()
    fork.stage(_prepare, forks=1, pid_path=path)
    assert precious.read_text() == "data"


def test_hard_links_are_not_written_through(tmp_path) -> None:
    """What a second name of a file holds stays as it is."""
    precious = tmp_path / "precious"
    precious.write_text("1")
    path = tmp_path / "pid"
    path.hardlink_to(precious)

    fork.stage(_prepare, forks=1, pid_path=path)

    assert precious.read_text() == "1"


def test_a_pipe_does_not_hang(tmp_path) -> None:
    """A named pipe in place of the file is refused at once."""
    path = tmp_path / "pid"
    os.mkfifo(path)

    with pytest.raises(fork.PidFileError, match="not a regular file"):
        fork.stage(_prepare, forks=1, pid_path=path)


def test_other_content_is_kept(tmp_path) -> None:
    """A file about something else, named by mistake, is not replaced."""
    path = tmp_path / "config.toml"
    path.write_text("x" * 100)

    with pytest.raises(fork.PidFileError, match="something other"):
        fork.stage(_prepare, forks=1, pid_path=path)

    assert path.read_text() == "x" * 100


def test_relative_path(tmp_path, monkeypatch) -> None:
    """The file is removed where it was written, wherever one goes then."""
    monkeypatch.chdir(tmp_path)

    async def prepare() -> None:
        os.chdir("/")

    fork.stage(prepare, forks=1, pid_path="pid")

    assert list(tmp_path.iterdir()) == []


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
