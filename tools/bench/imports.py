"""
Time what importing our packages takes, beside their peers.

Run it with ``python3 tools/hatchw.py run bench:imports``. The peers are those
that the other benchmarks have installed; what is not there is left out.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import _rounds


#: What is imported, and the packages whose versions matter to it.
MODULES = {
    "buvar.plugin": "buvar-context",
    "buvar.di": "buvar-di",
    "buvar.di, and one resolved": "buvar-di",
    "dishka": "dishka",
    "wireup": "wireup",
    "svcs": "svcs",
    "buvar.log": "buvar-log",
    "structlog": "structlog",
    "buvar.config": "buvar-config",
    "cattrs": "cattrs",
    "pydantic_settings": "pydantic-settings",
    "dynaconf": "dynaconf",
    "buvar.fork": "buvar-fork",
    "gunicorn.app.base": "gunicorn",
    "buvar_aiohttp": "buvar-aiohttp",
    "aiohttp.web": "aiohttp",
    "fastapi": "fastapi",
    "litestar": "litestar",
}

#: Every service of ours has imported asyncio and signal in any case.
CODE = """
import asyncio, signal, time
start = time.perf_counter()
{code}
print(time.perf_counter() - start)
"""
#: The first call imports and compiles what only calls need.
RESOLVED = """
from buvar import di
class Item: ...
di.register(Item)
asyncio.run(di.nject(Item))
"""


def main(rounds: int = 21) -> None:
    """Print the medians of interleaved processes."""
    # Not the whole name: to find that imports the package.
    there = [
        name for name in MODULES if importlib.util.find_spec(_package(name))
    ]
    times: dict[str, list[float]] = {name: [] for name in there}
    # The first round writes bytecode, as an installation has it.
    for number in range(rounds + 1):
        for name in there:
            seconds = _import(name)
            if number:
                times[name].append(seconds)
    packages = list(dict.fromkeys(MODULES[name] for name in there))
    print(
        _rounds.table(
            "Imports, once asyncio is there",
            times,
            base="buvar.plugin",
            unit="ms",
            packages=packages,
        )
    )


def _package(name: str) -> str:
    if name.startswith("buvar."):
        # A namespace, which may hold some of ours only.
        return name.partition(",")[0]
    return name.partition(".")[0]


def _import(name: str) -> float:
    """Return how many seconds an import takes in a process of its own."""
    code = RESOLVED if "," in name else f"import {name}"
    environ = {**os.environ}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    out = subprocess.check_output(
        [sys.executable, "-W", "ignore", "-c", CODE.format(code=code)],
        text=True,
        env=environ,
    )
    return float(out)


if __name__ == "__main__":
    main()
