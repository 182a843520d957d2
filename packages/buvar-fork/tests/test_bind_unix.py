"""Unix sockets are bound as asked, and their files looked after."""

from __future__ import annotations

import contextlib
import os
import socket
import stat

from pathlib import Path

import pytest

from buvar import fork


def test_mode_of_the_file(listen, tmp_path: Path) -> None:
    """The file of a socket has the mode and owner asked for."""
    path = tmp_path / "sock"
    me = os.getuid()

    listen(f"unix://{path}?mode=620&user={me}&group={os.getgid()}")

    assert stat.S_IMODE(path.stat().st_mode) == 0o620
    assert path.stat().st_uid == me


def test_relative_path(listen, tmp_path: Path, monkeypatch) -> None:
    """A path is below the directory of the start, wherever one goes then."""
    monkeypatch.chdir(tmp_path)
    listeners = listen("unix://sock")
    (item,) = listeners.for_slot(1)
    assert item.address == item.path == str(tmp_path / "sock")
    monkeypatch.chdir("/")

    listeners.close()

    assert list(tmp_path.iterdir()) == []


def test_long_path(listen, tmp_path: Path, monkeypatch) -> None:
    """A short path may be bound in a directory whose own is too long."""
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    monkeypatch.chdir(folder)
    listeners = listen("unix://sock")
    (item,) = listeners.for_slot(1)
    assert item.address == "sock"
    assert item.path == str(folder / "sock")

    listeners.close()

    assert list(folder.iterdir()) == []


def test_the_file_is_removed_once(listen, tmp_path: Path) -> None:
    """At the end the file is removed, unless it is another one by then."""
    path = tmp_path / "sock"
    listeners = listen(f"unix://{path}")
    path.unlink()
    listeners.close()
    listeners = listen(f"unix://{path}")
    path.rename(tmp_path / "moved")
    path.write_text("another one")

    listeners.close()

    assert path.read_text() == "another one"


def test_stale_file(listen, tmp_path: Path) -> None:
    """A file that nobody listens to any more is replaced."""
    path = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))

    (item,) = listen(f"unix://{path}").for_slot(1)

    with socket.socket(socket.AF_UNIX) as client:
        client.connect(item.address)


def test_file_that_vanishes(listen, tmp_path, monkeypatch) -> None:
    """A stale file that somebody else removes meanwhile is no error."""
    path = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
    lstat = os.lstat

    def vanishing(name):
        monkeypatch.setattr(os, "lstat", lstat)
        status = lstat(name)
        path.unlink()
        return status

    monkeypatch.setattr(os, "lstat", vanishing)

    (item,) = listen(f"unix://{path}").for_slot(1)

    assert item.path == str(path)


@pytest.fixture
def other() -> int:
    """The number of another user, where files can be given to one."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    return 12_345


def test_a_file_is_given_away_without_following(
    listen, tmp_path: Path, monkeypatch, other: int
) -> None:
    """A link put in place of the socket gives nothing away."""
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o600)
    path = tmp_path / "sock"
    bind = socket.socket.bind

    def swapped(self, name) -> None:
        bind(self, name)
        path.unlink()
        path.symlink_to(secret)

    monkeypatch.setattr(socket.socket, "bind", swapped)

    listen(f"unix://{path}?user={other}&mode=666")

    assert secret.stat().st_uid == 0
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o600, 0o666, 0o777])
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_mode_from_the_start(
    listen, tmp_path: Path, monkeypatch, mode: int, umask: int
) -> None:
    """The file has its mode as soon as it is there; it is never changed."""

    def chmod(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(os, "chmod", chmod)
    before = os.umask(umask)
    try:
        listen(f"unix://{tmp_path}/sock?mode={mode:o}")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "sock").stat().st_mode) == mode


@pytest.mark.parametrize("options", ["", "?mode=660"])
def test_folders_open_to_everybody(
    listen, tmp_path: Path, options: str
) -> None:
    """A socket that anybody could replace is refused, not so in /tmp."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)

    with pytest.raises(fork.BindError, match="written to by everybody"):
        listen(f"unix://{folder}/sock{options}")

    assert list(folder.iterdir()) == []
    folder.chmod(0o1777)
    listen(f"unix://{folder}/sock{options}")


def test_folders_of_others(listen, tmp_path: Path, other: int) -> None:
    """Where another user owns a folder on the way nothing is given away."""
    folder = tmp_path / "theirs"
    inner = folder / "inner"
    inner.mkdir(parents=True)
    os.chown(folder, other, other)

    with pytest.raises(
        fork.BindError, match=rf"{folder} belongs to another user \({other}\)"
    ):
        listen(f"unix://{inner}/sock?user={other}")

    assert list(inner.iterdir()) == []
    listen(f"unix://{inner}/sock")


def test_folders_of_groups(listen, tmp_path: Path, other: int) -> None:
    """A folder that another group may write to is open to others."""
    tmp_path.chmod(0o770)
    os.chown(tmp_path, 0, other)

    with pytest.raises(fork.BindError, match=f"by the group {other}"):
        listen(f"unix://{tmp_path}/sock?mode=660")

    tmp_path.chmod(0o750)
    listen(f"unix://{tmp_path}/sock?mode=660")


def test_folders_behind_links(listen, tmp_path: Path, other: int) -> None:
    """A link counts as much as what it leads to."""
    theirs = tmp_path / "theirs"
    ours = tmp_path / "ours"
    theirs.mkdir()
    ours.mkdir()
    (theirs / "link").symlink_to(ours)
    os.chown(theirs, other, other)
    (ours / "link").symlink_to(theirs)

    for path in (theirs / "link", ours / "link"):
        with pytest.raises(fork.BindError, match="another user"):
            listen(f"unix://{path}/sock?user={other}")


@pytest.mark.parametrize("queue", [0, 5])
def test_used_file(listen, tmp_path: Path, queue: int) -> None:
    """A file that somebody listens to is left alone, even if he is busy."""
    path = tmp_path / "sock"
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.socket(socket.AF_UNIX))
        sock.bind(str(path))
        sock.listen(queue)
        with contextlib.suppress(BlockingIOError):
            for _ in range(1 if queue else 5):
                client = stack.enter_context(socket.socket(socket.AF_UNIX))
                client.setblocking(False)
                client.connect(str(path))

        with pytest.raises(fork.BindError, match="in use"):
            listen(f"unix://{path}")

    assert path.exists()


def test_no_socket(listen, tmp_path: Path) -> None:
    """A file that is not a socket is never replaced."""
    path = tmp_path / "precious"
    path.write_text("data")

    with pytest.raises(fork.BindError, match="is not a socket"):
        listen(f"unix://{path}")

    assert path.read_text() == "data"


def test_abstract_name(listen) -> None:
    """An abstract name leaves no file, and can be connected to."""
    name = f"@buvar-{os.getpid()}"
    (item,) = listen(f"unix://{name}").for_slot(1)

    assert item.address == b"\0" + name[1:].encode()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(item.address)
    assert item.pending()
