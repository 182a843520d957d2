"""Configuration that changes while the application runs."""

from __future__ import annotations

import asyncio
import logging
import os
import pathlib
import signal
import subprocess
import sys

import attrs
import pytest

from buvar import config
from buvar import context
from buvar import di


@attrs.define
class Web(config.Config, section="refresh.web"):
    port: int = 0


@attrs.define
class Unused(config.Config, section="refresh.unused"):
    needed: int


@pytest.fixture
def file(tmp_path) -> pathlib.Path:
    file = tmp_path / "app.toml"
    file.write_text("[refresh.web]\nport = 1\n")
    return file


async def test_prepare_reads_changed_files(file) -> None:
    """A worker that starts later has what the files say by then."""
    with context.child():
        context.add(config.ConfigSource.read(file))
        await config.prepare()
        assert await di.nject(Web) == Web(1)

        file.write_text("[refresh.web]\nport = 22\n")
        await config.prepare()
        assert await di.nject(Web) == Web(22)


async def test_conditions_are_decided_anew(file) -> None:
    """What is used follows the files, as soon as they are read again."""

    class Local: ...

    class Remote(Local): ...

    def is_remote(web: Web) -> bool:
        return web.port > 1

    with context.child():
        source = context.add(config.ConfigSource.read(file))
        await config.prepare()
        di.register(Local)
        di.register(Remote, when=is_remote)
        assert type(await di.nject(Local)) is Local

        file.write_text("[refresh.web]\nport = 22\n")
        source.refresh()
        assert type(await di.nject(Local)) is Remote

        source.set("refresh.web.port=1")
        assert type(await di.nject(Local)) is Local


@pytest.mark.parametrize("text", ["[refresh", "[refresh.web]\nport = 'x'\n"])
async def test_prepare_keeps_what_was_right(text, file, caplog) -> None:
    """What is wrong by then is logged once, the old values stay."""
    with context.child():
        context.add(config.ConfigSource.read(file))
        file.write_text(text)
        await config.prepare()

        assert await di.nject(Web) == Web(1)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "the old one stays" in record.getMessage()


async def test_prepare_without_source() -> None:
    """Without a source there is nothing to read again."""
    with context.child():
        await config.prepare()

        assert await di.nject(Web) == Web()


def test_change_before_watching(file) -> None:
    """A change between reading and watching is not missed."""
    source = config.ConfigSource.read(file)
    file.write_text("[refresh.web]\nport = 22\n")

    watch = source.watch(Web)

    assert watch.value == Web(1)
    assert watch.changed()
    assert watch.reload()
    assert watch.value == Web(22)


async def test_watch_waits_for_a_change(file) -> None:
    """Following a section yields nothing until something changes."""
    watch = config.ConfigSource.read(file).watch(Web, interval=0.001)
    looked = 0
    changed = watch.changed

    def change_later() -> bool:
        nonlocal looked
        looked += 1
        if looked == 3:
            file.write_text("[refresh.web]\nport = 22\n")
        return changed()

    watch.changed = change_later  # type: ignore[method-assign]
    async with asyncio.timeout(10):
        assert await anext(aiter(watch)) == Web(22)
    assert looked == 3


PROGRAM = """\
import asyncio, attrs, sys
from buvar import config, plugin

@attrs.define
class Web(config.Config, section="web"):
    port: int = 0

class Signals(plugin.Signals):
    def handle_hup(self):
        print(watch.reload(), watch.value.port, flush=True)

async def prepare():
    yield asyncio.Future()

watch = config.ConfigSource.read(sys.argv[1]).watch(Web)
plugin.stage(
    prepare,
    signals=Signals,
    cancel_timeout=0,
    on_ready=lambda: print("ready", flush=True),
)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs SIGHUP")
def test_hup(tmp_path) -> None:
    """On HUP there is a new object, or the old one and one error."""
    file, program = tmp_path / "web.toml", tmp_path / "program.py"
    file.write_text("[web]\nport = 1\n")
    program.write_text(PROGRAM)
    with subprocess.Popen(
        [sys.executable, str(program), str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        try:
            lines = [process.stdout.readline()]
            for text in ("port = 22\n", "port = 'x'\n", "port = 333\n"):
                file.write_text(f"[web]\n{text}")
                process.send_signal(signal.SIGHUP)
                lines.append(process.stdout.readline())
        finally:
            process.terminate()
        errors = process.stderr.read()

    assert "".join(lines) == "ready\nTrue 22\nFalse 22\nTrue 333\n"
    assert errors.count("the old one stays") == 1
    assert os.fspath(file) in errors


FORKING = """\
import os, pathlib, sys
import attrs
from buvar import config

@attrs.define
class Web:
    url: str = "default"

file = pathlib.Path(sys.argv[1])
file.write_text('[web]\\nurl = "one"\\n')
source = config.ConfigSource.read(file)
source.load(Web, "web")
for number, text in enumerate(('url = "two"', "url = ", "url = 5", "")):
    file.write_text(f"[web]\\n{text}\\n" + "#" * number)
    if os.fork() == 0:
        print(source.load(Web, "web").url, flush=True)
        os._exit(0)
    os.wait()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_the_last_one_that_was_right(tmp_path) -> None:
    """What is forked has the last right configuration, not the first."""
    program = tmp_path / "program.py"
    program.write_text(FORKING)

    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path / "a.toml")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.split() == ["two", "two", "two", "default"]
    assert done.stderr.count("the old one stays") == 2
