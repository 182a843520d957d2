"""The classes the benchmark of injection builds, and how one would by hand."""

from __future__ import annotations

import typing as t


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


# --- the same request, all made by functions --------------------------------


def make_users(session: Session) -> Users:
    return Users(session)


def make_orders(session: Session, users: Users) -> Orders:
    return Orders(session, users)


def make_mailer(settings: Settings) -> Mailer:
    return Mailer(settings)


def make_handler(orders: Orders, mailer: Mailer, users: Users) -> Handler:
    return Handler(orders, mailer, users)


#: Those whose objects a layer keeps, and the others.
KEPT = (open_session, make_users, make_orders)
MADE = (make_mailer, make_handler)


async def hand_written_functions() -> None:
    layer: dict[t.Any, t.Any] = {}
    settings = Settings()
    sessions = open_session(settings)
    session = layer[Session] = await anext(sessions)
    users = layer[Users] = make_users(session)
    orders = layer[Orders] = make_orders(session, users)
    make_handler(orders, make_mailer(settings), users)
    await anext(sessions, None)
    assert not session.open
