"""Fourteen programs that go wrong, each in its own way."""

from __future__ import annotations

import collections.abc
import typing as t

from buvar import context
from buvar import di


T = t.TypeVar("T")


class Config: ...


class Pool:
    def __init__(self, config: Config) -> None: ...


class Session:
    def __init__(self, pool: Pool) -> None: ...


class Users:
    def __init__(self, session: Session) -> None: ...


class Handler:
    def __init__(self, users: Users) -> None: ...


async def missing_dependency() -> None:
    """A dependency is missing, four levels deep."""
    di.register(Handler, Users, Session, Pool)
    await di.nject(Handler)


class Hen:
    def __init__(self, egg: Egg) -> None: ...


class Egg:
    def __init__(self, nest: Nest) -> None: ...


class Nest:
    def __init__(self, hen: Hen) -> None: ...


async def cycle() -> None:
    """Three classes need each other."""
    di.register(Hen, Egg, Nest)
    await di.nject(Hen)


def make_pool(config: Confg) -> Pool:  # type: ignore[name-defined] # noqa: F821
    return Pool(config)


async def forward_reference() -> None:
    """A forward reference has a typing mistake."""
    di.register(make_pool)
    await di.nject(Pool)


def make_config() -> Config:
    raise ConnectionError("the configuration server is down")


async def adapter_raises() -> None:
    """An adapter raises: its error passes, with a note of the way."""
    di.register(Session, Pool, make_config)
    await di.nject(Session)


def make_wrong() -> Config:
    return t.cast("Config", {"debug": True})


async def wrong_type() -> None:
    """An adapter returns something else than it says."""
    di.register(Pool, make_wrong)
    await di.nject(Pool)


def pool_by_url(url: str) -> Pool:
    return Pool(Config())


def pool_by_port(port: int) -> Pool:
    return Pool(Config())


async def two_adapters() -> None:
    """Two adapters return the type, neither has what it needs."""
    di.register(pool_by_url, pool_by_port)
    await di.nject(Pool)


async def scope_mismatch() -> None:
    """What lives as long as the stage needs what ends with a request."""
    di.register(Config)
    di.register(Pool, scope="layer")
    di.register(Session, scope="stage")
    async with context.child():
        await di.nject(Session)


def open_pool() -> collections.abc.Iterator[Pool]:
    yield Pool(Config())
    yield Pool(Config())


async def yields_twice() -> None:
    """A generator yields twice: seen when its layer ends."""
    di.register(open_pool)
    async with context.child():
        await di.nject(Pool)


async def unhashable_target() -> None:
    """A list of targets, in the place of several targets."""
    await di.nject([Pool, Session])


class Repo(t.Generic[T]): ...


def config_repo() -> Repo[Config]:
    return Repo()


async def generic_argument() -> None:
    """A generic is registered for another argument."""
    di.register(config_repo)
    await di.nject(Repo[Users])


async def unused_keyword() -> None:
    """A keyword that nothing takes: it is not of the parameter's type."""
    di.register(Handler, Users, Session, Pool, Config)
    await di.nject(Handler, pool="sqlite://")


class Audit:
    def __init__(self, users: Users) -> None: ...


class AuditedUsers(Users):
    def __init__(self, inner: Users, audit: Audit) -> None: ...


async def decorator_lacks_something() -> None:
    """A decorator needs what is not there."""
    di.register(Users, Session, Pool, Config)
    di.decorate(AuditedUsers)
    await di.nject(Users)


async def decorator_of_nothing() -> None:
    """A decorator wraps what no adapter builds."""
    di.decorate(AuditedUsers)
    di.check()


def in_production(debug: bool) -> bool:
    return not debug


async def false_condition() -> None:
    """The condition of the only adapter is false."""
    context.add(True)
    di.register(Config, when=in_production)
    await di.nject(Config)


PROGRAMS = (
    missing_dependency,
    cycle,
    forward_reference,
    adapter_raises,
    wrong_type,
    two_adapters,
    scope_mismatch,
    yields_twice,
    unhashable_target,
    generic_argument,
    unused_keyword,
    decorator_lacks_something,
    decorator_of_nothing,
    false_condition,
)
