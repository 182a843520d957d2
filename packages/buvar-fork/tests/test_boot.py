"""Workers boot, and say so; those that never do are not waited for."""

from __future__ import annotations

import os
import re
import signal
import sys

import pytest

from buvar import fork
from buvar.fork._preload import preload


NEVER = """
import asyncio, logging
from buvar import context, fork, plugin
logging.basicConfig(level="INFO", format="%(message)s")
async def serve():
    await context.get(plugin.Cancel).wait()
async def prepare():
    worker = context.get(fork.Worker)
    if worker.slot == 2 and worker.generation >= {generation}:
        await asyncio.Future()
    yield serve()
fork.stage(prepare, forks=2, boot_timeout={timeout}, worker_timeout={beat})
"""


def test_never_ready(start) -> None:
    """A worker that does not become ready in time cannot boot: code 3."""
    program = start(NEVER.format(generation=0, timeout=2, beat=60))

    assert program.wait() == 3
    assert program.output.count("does not become ready") == 1
    assert "Worker 2 cannot boot" in program.output


def test_never_ready_after_a_reload(start) -> None:
    """When new workers do not become ready the old ones go on."""
    program = start(NEVER.format(generation=1, timeout=2, beat=60))
    program.until("workers are ready")
    second = program.workers()[1]
    program.signal(signal.SIGHUP)
    program.until("Reloading failed, the old workers go on")

    assert second in program.workers()
    assert program.stop() == 0


def test_patience(start, eventually) -> None:
    """Without a bound a worker may boot for ever, its loop being alive."""
    program = start(NEVER.format(generation=0, timeout=None, beat=4))
    eventually(lambda: len(program.workers()) == 2)
    with pytest.raises(AssertionError):
        program.until("killed", seconds=5)

    assert len(program.workers()) == 2
    assert program.stop() == 0


def test_blocked_boot(start) -> None:
    """A worker that blocks while it prepares cannot boot either."""
    program = start(
        """
import time
from buvar import fork
async def prepare(): time.sleep(60)
fork.stage(prepare, forks=2, worker_timeout=0.3)
"""
    )

    assert program.wait() == 3
    assert "its event loop is blocked" in program.output
    assert re.search(r"File .*, line \d+ in prepare", program.output)


UP = """
import sys
from buvar import context, fork, plugin
async def serve():
    await context.get(plugin.Cancel).wait()
async def prepare():
    yield serve()
fork.stage(prepare, forks={forks}, sockets={sockets})
"""


@pytest.mark.parametrize(
    ("forks", "who"), [(1, "1 worker is"), (2, "2 workers are")]
)
def test_announced(start, tmp_path, forks: int, who: str) -> None:
    """Without logging one line on stderr says where it serves."""
    uris = [f"unix://{tmp_path}/sock", "tcp://127.0.0.1:0", "tcp://[::1]:0"]
    program = start(UP.format(forks=forks, sockets=uris))
    line = program.until(".*ready on.*\n")[0][0]

    pattern = (
        rf"{who} ready on unix://(.*) \(\1\), "
        r"tcp://127\.0\.0\.1:0 \(127\.0\.0\.1:(\d+)\), "
        r"tcp://\[::1\]:0 \(\[::1\]:(\d+)\)\.\n"
    )
    match = re.fullmatch(pattern, line)
    assert match
    assert int(match[2]) > 0
    assert int(match[3]) > 0
    assert program.stop() == 0
    assert program.output == line


def test_announced_abstract(start) -> None:
    """An abstract name is announced as it is written."""
    name = f"@buvar-announced-{os.getpid()}"
    program = start(UP.format(forks=2, sockets=[f"unix://{name}"]))

    assert program.until(r"ready on unix://(\S+) \((\S+)\)\.\n")[
        0
    ].groups() == (
        name,
        name,
    )
    assert program.stop() == 0


@pytest.mark.parametrize("stream", ["None", "open('/dev/full', 'w')"])
@pytest.mark.parametrize("forks", [1, 2])
def test_announced_to_nobody(start, stream: str, forks: int) -> None:
    """A stderr that is closed or full keeps nobody from serving."""
    program = start(
        f"""
import os, sys
sys.stderr = {stream}
from buvar import fork
async def task():
    return "served"
async def prepare():
    yield task()
print(fork.stage(prepare, forks={forks}, sockets=["tcp://127.0.0.1:0"]))
sys.stderr = None
os._exit(0)
""".replace("os._exit", "sys.stdout.flush(); os._exit")
    )

    assert program.wait() == 0
    assert program.output == f"{['served'] * forks}\n"


def test_closed_streams(start, tmp_path, eventually) -> None:
    """Started with its streams closed no socket takes their place."""
    path = tmp_path / "up"
    program = start(
        f"""
import os
from buvar import context, fork, plugin
async def serve():
    files = [os.readlink(f"/proc/self/fd/{{number}}") for number in range(3)]
    with open({str(path)!r} + str(context.get(fork.Worker).slot), "w") as out:
        print(*files, file=out, flush=True)
    await context.get(plugin.Cancel).wait()
async def prepare():
    yield serve()
fork.stage(prepare, forks=2, sockets=["tcp://127.0.0.1:0"])
""",
        *("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"),
    )
    for slot in "12":
        file = tmp_path / f"up{slot}"
        eventually(lambda file=file: file.exists() and file.read_text())
        assert file.read_text().split() == ["/dev/null"] * 3

    assert program.stop() == 0


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Write modules that can be imported, and forget them again."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def modules(**sources: str) -> None:
        for name, source in sources.items():
            tmp_path.joinpath(f"{name}.py").write_text(source)

    yield modules
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_preload(modules) -> None:
    """Modules of plugins given by name are imported, nothing is called."""
    modules(
        pre_one="async def prepare(): raise ValueError",
        pre_two="class A:\n    async def b(): raise ValueError",
        pre_three="async def start(): raise ValueError",
    )

    preload(["pre_one", "pre_two:A.b", "pre_three.start", test_preload])

    assert {"pre_one", "pre_two", "pre_three"} <= set(sys.modules)


def test_preload_no_module(modules) -> None:
    """Names that are no modules are the workers' business."""
    preload(["no.such.plugin", "nothing", ".relative", "", "no_such:plugin"])


@pytest.mark.parametrize(
    ("source", "first"),
    [
        ("import no_such_module_at_all", "import no_such_module_at_all"),
        ("raise ValueError('no')", "raise ValueError('no')"),
        ("def prepare(:", "def prepare(:"),
    ],
)
def test_preload_fails(modules, source: str, first: str, caplog) -> None:
    """A module that cannot be imported is a boot failure, at once."""
    modules(pre_bad=source)

    with pytest.raises(fork.BootError, match="pre_bad") as caught:
        preload(["pre_bad"])

    assert caught.value.code == 3
    (record,) = caplog.records
    assert record.getMessage() == "The plugin 'pre_bad' could not be imported."
    assert (record.phase, record.plugin) == ("import", "pre_bad")
    lines = [
        line.strip()
        for line in record.exc_text.split("\n")
        if not line.startswith("Traceback")
    ]
    # Nothing stands above the user's own file.
    assert "pre_bad.py" in lines[0]
    assert lines[1] == first


def test_preload_fails_with_what_explains_itself(modules, caplog) -> None:
    """An error that says itself what to do has no traceback, nor code 3."""
    modules(
        pre_told="class ToldError(Exception):\n    exit_code = 2\n"
        "raise ToldError('the key is wrong\\nCorrect it.')"
    )

    with pytest.raises(fork.BootError) as caught:
        preload(["pre_told"])

    assert caught.value.code == 2
    assert caplog.records[0].exc_text == "the key is wrong\nCorrect it."


@pytest.mark.parametrize(("preload", "expected"), [(True, 1), (False, 2)])
def test_where_plugins_are_imported(
    start, tmp_path, preload, expected
) -> None:
    """Plugins are imported once by the parent, or by each worker."""
    tmp_path.joinpath("plugin_module.py").write_text(
        "import os\nprint('imported', flush=True)\n"
        "async def prepare():\n    yield task()\n"
        "async def task():\n    pass\n"
    )
    program = start(
        "from buvar import fork\n"
        f"fork.stage('plugin_module', forks=2, preload={preload})\n"
    )

    assert program.wait() == 0
    assert program.output.count("imported") == expected
