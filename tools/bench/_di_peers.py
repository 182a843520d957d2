"""Peers of buvar.di, each in its documented fastest use."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import typing as t

from _di_graph import A
from _di_graph import ALL
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
from _di_graph import Session
from _di_graph import Settings
from _di_graph import Users
from _di_graph import open_session


Call = t.Callable[[], t.Awaitable[object]]


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
    for kind in (Settings, Users, Orders, Mailer, Handler):
        second.register(kind, scope="request")
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
