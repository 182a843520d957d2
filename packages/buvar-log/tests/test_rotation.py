"""Log files that are moved away, and files that are not what they seem."""

from __future__ import annotations

import json
import logging
import os
import time

import pytest

from buvar import log
from buvar.log import _output


pytestmark = pytest.mark.skipif(os.name == "nt", reason="moves open files")


@pytest.fixture(autouse=True)
def _always_looks(monkeypatch):
    """Look at the file before each line."""
    monkeypatch.setattr(_output, "_LOOK", -1.0)


@pytest.fixture
def path(tmp_path):
    """A file that is logged to."""
    path = tmp_path / "app.log"
    log.setup_logging(tty=False, output=str(path))
    return path


def lines(path) -> list[str]:
    text = path.read_text()
    return [json.loads(line)["event"] for line in text.splitlines()]


@pytest.mark.parametrize("how", ["moved", "removed"])
def test_a_new_file(path, tmp_path, how):
    """What is logged after the file was moved goes to a new one."""
    logging.getLogger().warning("before")
    if how == "moved":
        path.rename(tmp_path / "app.log.1")
    else:
        path.unlink()
    logging.getLogger().warning("after")
    assert lines(path) == ["after"]
    if how == "moved":
        assert lines(tmp_path / "app.log.1") == ["before"]


def test_a_truncated_file(path):
    """A file that was emptied in place goes on from its start."""
    logging.getLogger().warning("before")
    os.truncate(path, 0)
    logging.getLogger().warning("after")
    assert lines(path) == ["after"]


def test_looks_are_rare(path, tmp_path, monkeypatch):
    """Between two looks lines go to the old file, and none is lost."""
    monkeypatch.setattr(_output, "_LOOK", 60.0)
    logging.getLogger().warning("before")
    path.rename(tmp_path / "app.log.1")
    logging.getLogger().warning("soon after")
    assert not path.exists()
    assert lines(tmp_path / "app.log.1") == ["before", "soon after"]


def test_the_first_line_after_a_pause(path, tmp_path, monkeypatch):
    """After a pause the first line is in the new file."""
    monkeypatch.setattr(_output, "_LOOK", 0.1)
    logging.getLogger().warning("before")
    path.rename(tmp_path / "app.log.1")
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 0.2)
    logging.getLogger().warning("after")
    assert lines(path) == ["after"]


def test_workers_go_to_the_new_file(path, tmp_path):
    """A forked process follows by itself."""
    path.rename(tmp_path / "app.log.1")
    child = os.fork()
    if not child:
        logging.getLogger().warning("child")
        os._exit(0)
    os.waitpid(child, 0)
    assert lines(path) == ["child"]


def test_no_new_file(path, tmp_path, capsys):
    """Where no new file can be opened the old one goes on; it is said."""
    path.rename(tmp_path / "app.log.1")
    path.mkdir()
    logging.getLogger().warning("kept")
    assert lines(tmp_path / "app.log.1") == ["kept"]
    (event,) = [json.loads(x) for x in capsys.readouterr().err.splitlines()]
    assert event["event"] == "log file cannot be opened again"
    assert "IsADirectoryError" in event["error"]
    path.rmdir()
    logging.getLogger().warning("new")
    assert lines(path) == ["new"]


def test_the_directory_of_the_start(tmp_path, monkeypatch):
    """A relative path stays where it was when the program changes its."""
    monkeypatch.chdir(tmp_path)
    log.setup_logging(tty=False, output="app.log")
    monkeypatch.chdir("/")
    (tmp_path / "app.log").unlink()
    logging.getLogger().warning("a")
    assert lines(tmp_path / "app.log") == ["a"]


def test_a_pipe_that_nobody_reads(tmp_path):
    """A named pipe without a reader is refused, not waited for."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(log.LogConfigError, match="No such device"):
        log.setup_logging(output=str(path))
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    log.setup_logging(tty=False, output=str(path))
    logging.getLogger().warning("a")
    assert json.loads(os.read(reader, 10_000))["event"] == "a"
    os.close(reader)


def test_links(tmp_path):
    """One's own link is followed, that of another user is refused."""
    target = tmp_path / "target"
    link = tmp_path / "link"
    link.symlink_to(target)
    log.setup_logging(tty=False, output=str(link))
    logging.getLogger().warning("a")
    assert lines(target) == ["a"]
    log.reset()
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(link, 12_345, 12_345, follow_symlinks=False)
    with pytest.raises(log.LogConfigError, match=r"another user .12345"):
        log.setup_logging(output=str(link))


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_mode_of_a_new_file(tmp_path, umask):
    """Nobody else may write to a new file, whatever the umask says."""
    before = os.umask(umask)
    try:
        log.setup_logging(output=str(tmp_path / "a"))
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644 & ~umask


def test_programs_do_not_inherit_the_file(path):
    """The file is closed in programs that are started."""
    (handler,) = [
        each
        for each in logging.getLogger().handlers
        if isinstance(each, log.OutputHandler)
    ]
    assert not os.get_inheritable(handler._output._fd)
