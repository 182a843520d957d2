"""
Injection, beside hand-written code and other libraries of its kind.

Peers are installed from di-requirements.txt; one that is missing or fails to
start is reported, not hidden. The older buvar hides this one, so it runs in
an environment of its own, made for the run (BUVAR_OLD_PYTHON names another).

Peers that do not share objects within a call build more of them; "shared"
tells.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import importlib
import importlib.metadata
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import typing as t

import _rounds

from _di_graph import ALL
from _di_graph import KEPT
from _di_graph import MADE
from _di_graph import A
from _di_graph import B
from _di_graph import C
from _di_graph import D
from _di_graph import E
from _di_graph import F
from _di_graph import G
from _di_graph import Handler
from _di_graph import Mailer
from _di_graph import Orders
from _di_graph import Root
from _di_graph import Settings
from _di_graph import Users
from _di_graph import hand_written
from _di_graph import hand_written_functions
from _di_graph import hand_written_request
from _di_graph import open_session
from _di_peers import PEERS
from _di_peers import UNSHARED
from _di_peers import Call


def buvar() -> tuple[Call, Call]:
    from buvar import context, di

    di.register(*ALL, Settings, Mailer, Handler)
    di.register(open_session, Users, Orders, scope="layer")

    async def request() -> None:
        async with context.child():
            await di.nject(Handler)

    return lambda: di.nject(Root), request


def buvar_functions() -> Call:
    """Make the request's objects by functions, of settings that are there."""
    from buvar import context, di

    di.buvar_adapters.set(di.Adapters())
    context.push().add(Settings())
    di.register(*KEPT, scope="layer")
    di.register(*MADE)

    async def request() -> None:
        async with context.child():
            await di.nject(Handler)

    return request


def dishka_functions() -> Call:
    from dishka import Provider, Scope, make_async_container

    provider = Provider(scope=Scope.REQUEST)
    provider.provide(Settings, scope=Scope.APP)
    for function in (*KEPT, *MADE):
        provider.provide(function, cache=function in KEPT)
    container = make_async_container(provider)

    async def request() -> None:
        async with container() as scope:
            await scope.get(Handler)

    return request


def injected() -> Call:
    """Return a handler with two parameters that are filled."""
    from buvar import di

    @di.inject
    async def handler(a: A, b: B) -> None: ...

    return handler


async def not_injected() -> None:
    async def handler(a: A, b: B) -> None: ...

    a = A()
    await handler(a, B(a))


OLD = """
import asyncio, json, time
from buvar import components, context, di
SOURCE
di.register(A, B, C, D, E, F, G, Root)
async def main(number, depth):
    context.buvar_context.set(components.Components())
    for _ in range(depth - 1):
        context.push()
    await di.nject(Root)
    start = time.perf_counter()
    for _ in range(number):
        await di.nject(Root)
    spent = (time.perf_counter() - start) / number
    start = time.perf_counter()
    for _ in range(number):
        hand_written()
    return spent / ((time.perf_counter() - start) / number)
print(json.dumps([asyncio.run(main(3000, depth)) for depth in (1, 5)]))
"""


def older_buvar() -> str:
    """Run the older library in its own environment, return a sentence."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            python = os.environ.get("BUVAR_OLD_PYTHON") or _install(folder)
        except (OSError, subprocess.CalledProcessError) as error:
            return f"missing, it cannot be installed: {error}"
        return _run_older_buvar(python)


def _install(folder: str) -> str:
    """Install the older library into an environment of its own."""
    python = os.path.join(folder, "bin", "python")
    for command in (
        ["uv", "venv", "--quiet", "--python", sys.executable, folder],
        ["uv", "pip", "install", "--quiet", "--python", python, "buvar<1"],
    ):
        subprocess.run(command, check=True)
    return python


def _run_older_buvar(python: str) -> str:
    import inspect

    source = "\n".join(map(inspect.getsource, (*ALL, hand_written)))
    found = subprocess.run(
        [python, "-c", OLD.replace("SOURCE", source)],
        capture_output=True,
        text=True,
        check=False,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
    )
    if found.returncode:
        return f"failed: {found.stderr.strip().splitlines()[-1]}"
    single, five = json.loads(found.stdout)
    return f"{single:.1f} x hand-written at depth 1, {five:.1f} at depth 5"


def classes(number: int) -> list[type]:
    """Make classes with three parameters each, of classes made before."""
    choose, found = random.Random(1), []
    for n in range(number):
        needs = choose.sample(found, min(3, len(found)))
        params = "".join(f", p{i}: T{i}" for i in range(len(needs)))
        names = {f"T{i}": need for i, need in enumerate(needs)}
        source = f"def __init__(self{params}): pass"
        exec(compile(source, "classes", "exec", dont_inherit=True), names)
        found.append(type(f"C{n}", (), {"__init__": names["__init__"]}))
    return found


async def buvar_start(number: int) -> float:
    """Register, check, and resolve for the first time: seconds."""
    from buvar import di

    di.buvar_adapters.set(di.Adapters())
    made = classes(number)
    start = time.perf_counter()
    di.register(*made)
    di.check()
    await di.nject(made[-1])
    return time.perf_counter() - start


async def dishka_start(number: int) -> float:
    from dishka import Provider, Scope, make_async_container

    made = classes(number)
    start = time.perf_counter()
    provider = Provider(scope=Scope.REQUEST)
    provider.provide_all(*made)
    async with make_async_container(provider)() as scope:
        await scope.get(made[-1])
    return time.perf_counter() - start


async def wireup_start(number: int) -> float:
    import wireup as w

    made = classes(number)
    start = time.perf_counter()
    scoped = [w.injectable(lifetime="scoped")(cls) for cls in made]
    container = w.create_async_container(injectables=scoped)
    async with container.enter_scope() as scope:
        await scope.get(made[-1])
    return time.perf_counter() - start


def main() -> None:
    runner = asyncio.Runner()
    roots: dict[str, _rounds.Case] = {"hand": _rounds.calls(hand_written)}
    requests: dict[str, _rounds.Case] = {
        "hand": _rounds.coroutines(hand_written_request, runner.run)
    }
    root, request = buvar()

    def deep(number: int) -> float:
        from buvar import context

        async def loop() -> float:
            for _ in range(4):
                context.push()
            start = time.perf_counter()
            for _ in range(number):
                await root()
            return time.perf_counter() - start

        return asyncio.run(loop())

    roots["buvar"] = _rounds.coroutines(root, runner.run)
    roots["buvar, stack depth 5"] = deep
    requests["buvar"] = _rounds.coroutines(request, runner.run)
    packages, missing = ["buvar-di"], []
    for peer in PEERS:
        name = peer.__name__.replace("_", "-")
        try:
            importlib.import_module(peer.__name__)
            single, other = peer()
            runner.run(_once(single))
            if other is not None:
                runner.run(_once(other))
        except Exception as error:
            missing.append(f"- {name}: {type(error).__name__}: {error}")
            continue
        packages.append(name)
        shown = f"{name} (not shared)" if name in UNSHARED else name
        roots[shown] = _rounds.coroutines(single, runner.run)
        if other is not None:
            requests[shown] = _rounds.coroutines(other, runner.run)
    print(
        _rounds.table(
            "Eight transient classes, eleven edges",
            _rounds.interleave(roots),
            base="hand",
            packages=packages,
        )
    )
    print(
        _rounds.table(
            "One request: six nodes, three in a layer, an async generator",
            _rounds.interleave(requests),
            base="hand",
            packages=packages,
        )
    )
    functions(runner, packages)
    starts: dict[str, _rounds.Case] = {}
    for name, start, size in (
        ("buvar", buvar_start, 1000),
        ("buvar, 2,000", buvar_start, 2000),
        ("dishka", dishka_start, 1000),
        # Its time grows much faster than the classes: 1,000 never ended.
        ("wireup, 50 only", wireup_start, 50),
    ):
        if name.split(",")[0] in ("buvar", *packages):
            starts[name] = lambda number, start=start, size=size: sum(
                runner.run(start(size)) for _ in range(number)
            )
    times = {name: [] for name in starts}
    for _ in range(5):
        for name, case in starts.items():
            times[name].append(case(1))
    print(
        _rounds.table(
            "Register 1,000 classes, check, resolve for the first time",
            times,
            base="buvar",
            unit="ms",
            packages=packages,
        )
    )
    print(f"older buvar: {older_buvar()}\n")
    print("\n".join(["Missing peers:", *missing] if missing else []))


def functions(runner: asyncio.Runner, packages: list[str]) -> None:
    """Print what a request costs whose objects functions make, and a call."""
    made: dict[str, _rounds.Case] = {
        "hand": _rounds.coroutines(hand_written_functions, runner.run)
    }
    peers = {"buvar": buvar_functions, "dishka": dishka_functions}
    for name, peer in peers.items():
        if name in ("buvar", *packages):
            context = contextvars.copy_context()
            run = functools.partial(runner.run, context=context)
            made[name] = _rounds.coroutines(context.run(peer), run)
    print(
        _rounds.table(
            "One request, all made by functions",
            _rounds.interleave(made),
            base="hand",
            packages=packages,
        )
    )
    calls = {
        "hand": _rounds.coroutines(not_injected, runner.run),
        "buvar": _rounds.coroutines(injected(), runner.run),
    }
    print(
        _rounds.table(
            "A handler with two parameters, @di.inject",
            _rounds.interleave(calls),
            base="hand",
            unit="us",
            packages=packages[:1],
        )
    )


async def _once(call: Call) -> None:
    await call()


if __name__ == "__main__":
    sys.exit(main())
