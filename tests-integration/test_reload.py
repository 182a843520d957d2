"""HUP in workers: what the configuration says now, or what it said before."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

from pathlib import Path

import pytest


APPLICATION = """\
import sys
import attrs
from buvar import config, di, plugin

@attrs.define
class Web(config.Config, section="web"):
    port: int = 0

async def prepare(cancel: plugin.Cancel):
    web = await di.nject(Web)
    # In one piece, as two workers say it.
    sys.stdout.write(f"port {web.port}\\n")
    sys.stdout.flush()
    yield cancel.wait()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs SIGHUP")
def test_hup_reads_the_files_again(tmp_path: Path) -> None:
    """Workers that replace others have the new values, if these are right."""
    tmp_path.joinpath("app.py").write_text(APPLICATION)
    file, log = tmp_path / "app.toml", tmp_path / "log"
    file.write_text("[web]\nport = 1\n[log]\ntty = false\n")
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [
                *(sys.executable, "-m", "buvar.cli", "run", "app"),
                *("-c", "app.toml", "--forks", "2"),
            ],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdout
        bound = threading.Timer(120, process.kill)
        bound.start()
        try:
            said = [process.stdout.readline() for _ in range(2)]
            for text in ("port = 22", "port = 'wrong'", "port = 333"):
                file.write_text(f"[web]\n{text}\n[log]\ntty = false\n")
                process.send_signal(signal.SIGHUP)
                said += [process.stdout.readline() for _ in range(2)]
        finally:
            bound.cancel()
            process.terminate()
        code = process.wait(60)

    assert [line.split()[1] for line in said] == [
        *("1", "1"),
        *("22", "22"),
        *("22", "22"),
        *("333", "333"),
    ]
    assert log.read_text().count("the old one stays") == 1
    assert code == 0
