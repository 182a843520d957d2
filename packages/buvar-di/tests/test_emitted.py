"""Not a byte of the compiled code changes unless somebody means it to."""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import importlib.util
import linecache
import os
import re
import types
import typing as t
import unittest.mock

from pathlib import Path

from buvar import di
from buvar.components import Components
from buvar.components.spi import CodeName
from buvar.context import buvar_context


HERE: t.Final = Path(__file__).parent
#: A digest of the code of each program, and some of it in full.
DIGESTS: t.Final = HERE / "emitted" / "digests.txt"

#: How many programs there are, and those whose code can be read.
SIZE: t.Final = 300
SHOWN: t.Final = (0, 23, 54, 119, 226)

#: ``BUVAR_DI_EMITTED=renew pytest ...`` takes the code of today as right; any
#: other value is a folder that all of it is written to, for a comparison.
WISH: t.Final = os.environ.get("BUVAR_DI_EMITTED", "")


def load() -> types.ModuleType:
    """Load the module beside this one: tests are no package."""
    spec = importlib.util.spec_from_file_location("corpus", HERE / "corpus.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


corpus: t.Any = load()


class Recorder(dict[t.Any, t.Any]):
    """Notes what is compiled: its lines are put there, as for a debugger."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []

    def __setitem__(self, file: str, entry: t.Any) -> None:
        super().__setitem__(file, entry)
        if file.startswith("<buvar.di "):
            self.sources.append("".join(entry[2]))


def emitted(number: int) -> str:
    """Run a program, and return what its calls were compiled to."""
    recorder = Recorder()
    found: list[str] = []
    program = types.ModuleType("program")
    text = corpus.Program(number).text()
    exec(compile(text, "program", "exec"), vars(program))  # noqa: S102

    async def note(asked: t.Coroutine[t.Any, t.Any, t.Any]) -> None:
        result = "ok"
        try:
            await asked
        except Exception as error:  # noqa: BLE001 - that is a result, too
            result = type(error).__name__
        found.extend((*recorder.sources, f"# {result}\n\n"))
        recorder.sources.clear()

    async def ask(*targets: t.Any, **dependencies: t.Any) -> None:
        await note(di.nject(*targets, **dependencies))

    async def call(function: t.Any, *args: t.Any) -> None:
        await note(function(*args))

    async def main() -> None:
        di.buvar_adapters.set(di.Adapters())
        buvar_context.set(Components())
        await program.main(ask, call)

    with unittest.mock.patch.object(linecache, "cache", recorder):
        contextvars.copy_context().run(asyncio.run, main())
    return neutral("".join(found))


#: What layers call their attributes is the business of another package.
ATTRIBUTES: t.Final = {
    text: name
    for name, text in sorted(vars(CodeName).items(), reverse=True)
    if not name.startswith("_")
}


def neutral(source: str) -> str:
    """Write the names of attributes by what they mean."""
    return re.sub(
        r"\.(_\w+)",
        lambda found: f".{ATTRIBUTES.get(found[1], found[1])}",
        source,
    )


def test_the_compiled_code_is_as_it_was() -> None:
    """300 random programs are compiled to what is noted here."""
    sources = [emitted(number) for number in range(SIZE)]
    lines = [
        f"{number:03} {hashlib.sha256(source.encode()).hexdigest()}"
        for number, source in enumerate(sources)
    ]
    shown = {
        DIGESTS.with_name(f"{number:03}.txt"): (
            f"{corpus.Program(number).text()}\n\n# --- compiled to:\n\n"
            f"{sources[number]}"
        )
        for number in SHOWN
    }
    if WISH == "renew":
        DIGESTS.write_text("\n".join((*lines, "")))
        for path, text in shown.items():
            path.write_text(text)
    elif WISH:
        for number, source in enumerate(sources):
            text = f"{corpus.Program(number).text()}\n\n{source}"
            Path(WISH, f"{number:03}.txt").write_text(text)
    for path, text in shown.items():
        assert path.read_text() == text
    noted = DIGESTS.read_text().splitlines()
    assert [line for line in lines if line not in noted] == []
    assert len(noted) == SIZE
