"""The command, run as a user runs it."""

from __future__ import annotations

import textwrap
import typing as t

from pathlib import Path

import pytest

from .warm import Interpreter


APPLICATION = """
    import attrs
    from buvar import config, context, di, plugin

    @attrs.define
    class Greeting(config.Config, section="greeting"):
        text: str = config.var("Hello", help="What to say.")
        times: int = 1

    class Speaker:
        def __init__(self, greeting: Greeting): self.greeting = greeting

    async def speak():
        speaker = await di.nject(Speaker)
        for _ in range(speaker.greeting.times):
            print(speaker.greeting.text, flush=True)

    async def prepare():
        di.register(Speaker)
        yield speak()

    async def wait(cancel: plugin.Cancel):
        async def server():
            print("waiting", flush=True)
            await cancel.wait()
        yield server()

    async def crash():
        async def task():
            raise ValueError("crashed")
        yield task()

    async def unable():
        raise RuntimeError("unable to prepare")

    async def generic():
        def speakers() -> list[Speaker]: ...
        di.register(speakers)

    async def lacking():
        class Missing: ...
        def make(missing: Missing) -> Speaker: ...
        di.register(make)
"""


@pytest.fixture(scope="session")
def interpreter() -> t.Iterator[Interpreter]:
    """Give what runs commands without waiting for their imports."""
    interpreter = Interpreter()
    yield interpreter
    interpreter.close()


@pytest.fixture
def buvar(tmp_path: Path, interpreter: Interpreter):
    """Run the command in a folder with an application."""
    tmp_path.joinpath("app.py").write_text(textwrap.dedent(APPLICATION))

    def run(*args: str, code: int = 0, fresh: bool = False) -> str:
        done = interpreter.run(
            # As the installed command: the folder is not on the path.
            *("-P", "-m", "buvar.cli", *args),
            cwd=tmp_path,
            fresh=fresh,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr if code else done.stdout

    return run
