"""
Injection, beside hand-written code and other libraries of its kind.

Peers are installed from di-requirements.txt; one that is missing or fails to
start is reported, not hidden. The older buvar hides this one, so it runs in
an interpreter of its own: BUVAR_OLD_PYTHON=/path/to/python.

Peers that do not share objects within a call build more of them; "shared"
tells.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.metadata
import json
import os
import random
import subprocess
import sys
import time
import typing as t

import _rounds


class A: ...


class B:
    def __init__(self, a: A):
        self.a = a


class C:
    def __init__(self, a: A, b: B):
        self.a, self.b = a, b


class D:
    def __init__(self, c: C):
        self.c = c


class E:
    def __init__(self, b: B, d: D):
        self.b, self.d = b, d


class F:
    def __init__(self, a: A):
        self.a = a


class G:
    def __init__(self, f: F, e: E):
        self.f, self.e = f, e


class Root:
    def __init__(self, g: G, d: D):
        self.g, self.d = g, d


ALL = (A, B, C, D, E, F, G, Root)


# --- one request: three in the layer, one of them an async generator -------


class Settings: ...


class Session:
    def __init__(self, settings: Settings):
        self.settings, self.open = settings, True


class Users:
    def __init__(self, session: Session):
        self.session = session


class Orders:
    def __init__(self, session: Session, users: Users):
        self.session, self.users = session, users


class Mailer:
    def __init__(self, settings: Settings):
        self.settings = settings


class Handler:
    def __init__(self, orders: Orders, mailer: Mailer, users: Users):
        self.orders, self.mailer, self.users = orders, mailer, users


async def open_session(settings: Settings) -> t.AsyncIterator[Session]:
    session = Session(settings)
    yield session
    session.open = False


def hand_written() -> Root:
    a = A()
    b = B(a)
    c = C(a, b)
    d = D(c)
    return Root(G(F(a), E(b, d)), d)


async def hand_written_request() -> None:
    layer: dict[t.Any, t.Any] = {}
    settings = Settings()
    sessions = open_session(settings)
    session = layer[Session] = await anext(sessions)
    users = layer[Users] = Users(session)
    orders = layer[Orders] = Orders(session, users)
    Handler(orders, Mailer(settings), users)
    await anext(sessions, None)
    assert not session.open


Call = t.Callable[[], t.Awaitable[object]]


def buvar() -> tuple[Call, Call]:
    from buvar import context, di

    di.register(*ALL, Settings, Mailer, Handler)
    di.register(open_session, Users, Orders, scope="layer")

    async def request() -> None:
        async with context.child():
            await di.nject(Handler)

    return lambda: di.nject(Root), request


def dishka() -> tuple[Call, Call]:
    from dishka import Provider, Scope, make_async_container

    provider = Provider(scope=Scope.REQUEST)
    for cls in ALL:
        provider.provide(cls)
    other = Provider(scope=Scope.REQUEST)
    other.provide(Settings, cache=True)
    other.provide(open_session)
    other.provide_all(Users, Orders, Mailer, Handler)
    first = make_async_container(provider, skip_validation=True)
    second = make_async_container(other)

    async def root() -> None:
        async with first() as scope:
            await scope.get(Root)

    async def request() -> None:
        async with second() as scope:
            await scope.get(Handler)

    return root, request


def wireup() -> tuple[Call, Call]:
    import wireup as w

    def scoped(found: t.Any) -> t.Any:
        return w.injectable(lifetime="scoped")(found)

    first = w.create_async_container(injectables=[scoped(c) for c in ALL])
    second = w.create_async_container(
        injectables=[
            scoped(c)
            for c in (Settings, open_session, Users, Orders, Mailer, Handler)
        ]
    )

    async def root() -> None:
        async with first.enter_scope() as scope:
            await scope.get(Root)

    async def request() -> None:
        async with second.enter_scope() as scope:
            await scope.get(Handler)

    return root, request


def svcs() -> tuple[Call, Call]:
    import svcs as s

    registry = s.Registry()
    get = registry.register_factory
    get(A, A)
    get(B, lambda svcs_container: B(svcs_container.get(A)))
    get(C, lambda svcs_container: C(*svcs_container.get(A, B)))
    get(D, lambda svcs_container: D(svcs_container.get(C)))
    get(E, lambda svcs_container: E(*svcs_container.get(B, D)))
    get(F, lambda svcs_container: F(svcs_container.get(A)))
    get(G, lambda svcs_container: G(*svcs_container.get(F, E)))
    get(Root, lambda svcs_container: Root(*svcs_container.get(G, D)))
    get(Settings, Settings)

    async def session(svcs_container: s.Container) -> t.Any:
        made = Session(svcs_container.get(Settings))
        yield made
        made.open = False

    async def users(svcs_container: s.Container) -> Users:
        return Users(await svcs_container.aget(Session))

    async def orders(svcs_container: s.Container) -> Orders:
        return Orders(*await svcs_container.aget(Session, Users))

    async def handler(svcs_container: s.Container) -> Handler:
        return Handler(*await svcs_container.aget(Orders, Mailer, Users))

    get(Session, session)
    get(Users, users)
    get(Orders, orders)
    get(Mailer, lambda svcs_container: Mailer(svcs_container.get(Settings)))
    get(Handler, handler)

    async def root() -> None:
        async with s.Container(registry) as container:
            container.get(Root)

    async def request() -> None:
        async with s.Container(registry) as container:
            await container.aget(Handler)

    return root, request


def aioinject() -> tuple[Call, Call]:
    import aioinject as a

    first, second = a.Container(), a.Container()
    for cls in ALL:
        first.register(a.Scoped(cls))
    managed = contextlib.asynccontextmanager(open_session)
    second.register(
        a.Scoped(managed),
        *(a.Scoped(c) for c in (Settings, Users, Orders, Mailer, Handler)),
    )

    async def root() -> None:
        async with first.context() as scope:
            await scope.resolve(Root)

    async def request() -> None:
        async with second.context() as scope:
            await scope.resolve(Handler)

    return root, request


def anydi() -> tuple[Call, Call]:
    import anydi as a

    first, second = a.Container(), a.Container()
    for cls in ALL:
        first.register(cls, scope="request")
    for one in (Settings, Users, Orders, Mailer, Handler):
        second.register(one, scope="request")
    second.register(Session, open_session, scope="request")

    async def root() -> None:
        with first.request_context():
            first.resolve(Root)

    async def request() -> None:
        async with second.arequest_context():
            await second.aresolve(Handler)

    return root, request


def dependency_injector() -> tuple[Call, None]:
    from dependency_injector import providers as p

    a = p.Factory(A)
    b = p.Factory(B, a)
    c = p.Factory(C, a, b)
    d = p.Factory(D, c)
    root = p.Factory(
        Root, p.Factory(G, p.Factory(F, a), p.Factory(E, b, d)), d
    )

    async def call() -> None:
        root()

    return call, None


def that_depends() -> tuple[Call, None]:
    from that_depends import providers as p

    a = p.Factory(A)
    b = p.Factory(B, a.cast)
    c = p.Factory(C, a.cast, b.cast)
    d = p.Factory(D, c.cast)
    f, e = p.Factory(F, a.cast), p.Factory(E, b.cast, d.cast)
    root = p.Factory(Root, p.Factory(G, f.cast, e.cast).cast, d.cast)

    async def call() -> None:
        root.resolve_sync()

    return call, None


def rodi() -> tuple[Call, None]:
    from rodi import Container

    container = Container()
    for cls in ALL:
        container.add_scoped(cls)
    services = container.build_provider()

    async def call() -> None:
        with services.create_scope() as scope:
            services.get(Root, scope)

    return call, None


def lagom() -> tuple[Call, None]:
    import lagom as lib

    container = lib.Container()

    async def call() -> None:
        container[Root]

    return call, None


PEERS = (
    dishka,
    wireup,
    svcs,
    aioinject,
    anydi,
    dependency_injector,
    that_depends,
    rodi,
    lagom,
)
UNSHARED = {"dependency-injector", "that-depends", "lagom"}

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
    python = os.environ.get("BUVAR_OLD_PYTHON")
    if not python:
        return "missing: set BUVAR_OLD_PYTHON to an interpreter that has it"
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
    one, five = json.loads(found.stdout)
    return f"{one:.1f} x hand-written at depth 1, {five:.1f} at depth 5"


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
    scoped = [w.injectable(lifetime="scoped")(one) for one in made]
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
            one, other = peer()
            runner.run(_once(one))
            if other is not None:
                runner.run(_once(other))
        except Exception as error:
            missing.append(f"- {name}: {type(error).__name__}: {error}")
            continue
        packages.append(name)
        shown = f"{name} (not shared)" if name in UNSHARED else name
        roots[shown] = _rounds.coroutines(one, runner.run)
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


async def _once(call: Call) -> None:
    await call()


if __name__ == "__main__":
    sys.exit(main())
