"""
Time the context, the stage and the imports of buvar-context.

Run it with ``python3 tools/hatchw.py run bench:context``.
"""

from __future__ import annotations

import asyncio
import functools
import os
import statistics
import subprocess
import sys
import time

import _rounds

from buvar import context
from buvar.components import spi


class Hit: ...


class Miss: ...


DEPTH = 5

NOOP = """
import asyncio
async def noop(): pass
asyncio.run(noop())
"""

STAGE = """
from buvar import plugin
def make():
    async def prepare(): pass
    return prepare
plugin.stage(*[make() for _ in range({number})])
"""


def look_ups():
    """Compare context.get with one look-up in a dict."""
    context.add(Hit())
    for _ in range(DEPTH - 1):
        context.push()
    plain = {Hit: context.get(Hit)}
    name = "dict[T]"

    get = context.get
    cases = {
        name: _loop("plain[key]", plain=plain, key=Hit),
        f"context.get(T), hit, {DEPTH} layers": _loop(
            "get(key)", get=get, key=Hit
        ),
        f"context.get(T, default=None), miss, {DEPTH} layers": _loop(
            "get(key, default=None)", get=get, key=Miss
        ),
        "spi.peek(layer, T), hit": _loop(
            "peek(layer, key)",
            peek=spi.peek,
            layer=context.current_context(),
            key=Hit,
        ),
    }
    times = _rounds.interleave(cases)
    return _rounds.table("Look-ups", times, base=name)


def _loop(code, **names):
    """Time an expression in a loop without a call around it."""
    source = (
        f"def case(number, {', '.join(names)}):\n"
        " repeat = range(number)\n"
        " start = clock()\n"
        f" for _ in repeat: {code}\n"
        " return clock() - start\n"
    )
    scope = {"clock": time.perf_counter}
    exec(source, scope)
    return functools.partial(scope["case"], **names)


def layers():
    """Open and close layers, and tasks with a layer."""

    async def child():
        async with context.child():
            pass

    async def noop():
        pass

    async def task():
        await asyncio.get_running_loop().create_task(noop())

    async def layered(number):
        context.set_task_factory()
        return await timed(task, number)

    async def timed(func, number):
        start = time.perf_counter()
        for _ in range(number):
            await func()
        return time.perf_counter() - start

    cases = {
        "a task": lambda n: asyncio.run(timed(task, n)),
        "a task with a layer": lambda n: asyncio.run(layered(n)),
        "async with context.child()": lambda n: asyncio.run(timed(child, n)),
    }
    times = _rounds.interleave(cases)
    return _rounds.table("Layers", times, base="a task")


def processes(rounds=15):
    """Time whole processes: imports, and stages of empty plugins."""
    codes = {
        "python -c pass": "pass",
        "import asyncio": "import asyncio",
        "import buvar.plugin": "import buvar.plugin",
        "asyncio.run(noop())": NOOP,
        "stage with 1 empty plugin": STAGE.format(number=1),
        "stage with 100 empty plugins": STAGE.format(number=100),
    }
    times = {name: [] for name in codes}
    # Installed packages have bytecode, so has the source tree then.
    environ = {**os.environ}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for code in codes.values():
        subprocess.run([sys.executable, "-c", code], check=True, env=environ)
    for _ in range(rounds):
        for name, code in codes.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times[name].append(time.perf_counter() - start)

    def over(name, base):
        pairs = zip(times[name], times[base], strict=True)
        return statistics.median(pair - other for pair, other in pairs) * 1e3

    imported = over("import buvar.plugin", "python -c pass")
    staged = over("stage with 100 empty plugins", "asyncio.run(noop())")
    return "\n".join(
        [
            _rounds.table(
                "Processes", times, base="python -c pass", unit="ms"
            ),
            f"- `import buvar.plugin`: {imported:.1f} ms over bare Python",
            f"- 100 empty plugins, import to exit: {staged:.1f} ms over "
            "`asyncio.run(noop())`",
        ]
    )


if __name__ == "__main__":
    print(look_ups())
    print(layers())
    print(processes())
