"""Queue handlers of the user's part get their listener, or a refusal."""

from __future__ import annotations

import json
import sys

import pytest

from buvar import log


FILE = {
    "class": "logging.FileHandler",
    "filename": "app.log",
    "formatter": "json",
}

new = pytest.mark.skipif(sys.version_info < (3, 12), reason="no listeners")


def config(**queue) -> dict[str, object]:
    return {
        "handlers": {
            "file": FILE,
            "queue": {"class": "logging.handlers.QueueHandler", **queue},
        },
        "root": {"handlers": ["queue"]},
    }


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="has listeners")
def test_an_old_python(tmp_path, monkeypatch):
    """Where Python makes no listener the settings are refused."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(log.LogConfigError, match=r"only Python 3\.12") as info:
        log.setup_logging(user_config=config(handlers=["file"]))
    assert info.value.path == "user_config.handlers.queue"


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="makes the queue")
def test_a_described_queue(tmp_path, monkeypatch):
    """So is a queue that such a Python would not make of its description."""
    monkeypatch.chdir(tmp_path)
    queue = {"()": "queue.Queue"}
    with pytest.raises(log.LogConfigError, match=r"only Python 3\.12"):
        log.setup_logging(user_config=config(queue=queue))


@new
def test_a_queue_without_handlers(tmp_path, monkeypatch):
    """A queue that nobody empties is refused."""
    monkeypatch.chdir(tmp_path)
    # Python 3.12 has words of its own for it.
    told = r"loses all events|No handlers"
    with pytest.raises(log.LogConfigError, match=told):
        log.setup_logging(user_config=config())


@new
def test_events_arrive(run, tmp_path):
    """Events of parent and child arrive, exceptions as structure."""
    result = run(
        f"""
import logging, os
from buvar import log
log.setup_logging(tty=False, user_config={config(handlers=["file"])!r})
L = logging.getLogger("t")
L.info("before %s", "fork")
pid = os.fork()
try:
    raise ValueError("why")
except ValueError:
    L.exception("in %s", "the parent" if pid else "the child")
if pid:
    os.waitpid(pid, 0)
else:
    logging.shutdown()
    os._exit(0)
L.info("after it")
log.reset()
L.info("nowhere")
""",
        cwd=tmp_path,
    )
    assert result.stderr == ""
    events = [
        json.loads(line)
        for line in (tmp_path / "app.log").read_text().splitlines()
        # Python 3.13 warns of threads that it finds only after the fork.
        if "multi-threaded" not in line
    ]
    assert sorted(event["event"] for event in events) == [
        *("after it", "before fork", "in the child", "in the parent")
    ]
    failures = [event for event in events if "exception" in event]
    assert len({event["pid"] for event in failures}) == 2
    for event in failures:
        assert event["exception"][0]["exc_value"] == "why"
