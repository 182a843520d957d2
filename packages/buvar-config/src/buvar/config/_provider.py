"""
What a source can be made of beside dicts and files: a vault, a database.

A provider says what it has as one nested dict, and of each value where it is
kept. Everything else, such as merging, types, errors and masking, is the
source's.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import typing as t

from collections.abc import Mapping

import attrs

from ._errors import ConfigError
from ._errors import config_error
from ._errors import reason_of
from ._errors import together
from ._merge import Path
from ._origin import Layer


logger = logging.getLogger("buvar.config")


@attrs.frozen
class Values:
    """
    What a provider has.

    Attributes:
        data: Nested dicts, as a TOML file has.
        origin: What errors and ``explain`` call the place of a value, such as
            ``vault:kv/app@7``; a function gets the value's path. By default
            the name of the provider.
        secret: None of it is shown, neither in errors nor by ``explain``.
    """

    data: Mapping[str, t.Any]
    origin: str | t.Callable[[Path], str] | None = None
    secret: bool = False


@t.runtime_checkable
class Provider(t.Protocol):
    """
    Something that configuration is read from.

    ``load`` may be an ``async def``: it is called by ``await source.fetch()``
    then, and nothing can be loaded from the source before that.

    Example:
        >>> class Defaults:
        ...     name = "defaults"
        ...
        ...     def load(self):
        ...         return config.Values({"web": {"port": 80}})
        ...
        ...     def stamp(self):
        ...         return None
        >>> from buvar import config
        >>> config.ConfigSource(Defaults(), {"web": {"host": "::"}})
        {'web': {'port': 80, 'host': '::'}}
    """

    @property
    def name(self) -> str:
        """Its name in errors."""
        ...

    def load(
        self,
    ) -> Values | Mapping[str, t.Any] | t.Awaitable[t.Any]:
        """Return all it has, as ``Values`` or as a plain dict."""
        ...

    def stamp(self) -> object:
        """
        Return something that differs as soon as there may be new values.

        It is asked often and must not wait, so a version, a time or a
        counter is right; ``None`` if only ``reload`` and ``fetch`` should
        look again.
        """
        ...


def is_provider(part: object) -> t.TypeGuard[Provider]:
    """Tell whether something is a provider, no dict and no path."""
    if isinstance(part, dict | str):
        # The usual parts: comparing with a protocol is slow.
        return False
    return isinstance(part, Provider) and not isinstance(part, Mapping)


def is_async(provider: Provider) -> bool:
    """Tell whether a provider has to be awaited."""
    return inspect.iscoroutinefunction(provider.load)


def stamp_of(provider: Provider) -> object:
    """Return the stamp of a provider, ``None`` if it fails."""
    try:
        return provider.stamp()
    except Exception:
        logger.exception("The provider %s has no stamp.", provider.name)
        return None


def load(provider: Provider) -> Layer:
    """
    Ask a provider that need not be awaited.

    Raises:
        ConfigError: It failed, or returned something else.
    """
    try:
        found = provider.load()
    except Exception as error:
        raise _failed(provider, error) from error
    return _layer(provider, found)


async def fetch(providers: t.Sequence[Provider]) -> list[Layer]:
    """
    Ask providers that have to be awaited, all at the same time.

    Raises:
        ConfigError: What is wrong with all those that failed.
    """
    found = await asyncio.gather(
        *(_ask(provider) for provider in providers), return_exceptions=True
    )
    errors = [answer for answer in found if isinstance(answer, ConfigError)]
    if errors:
        # The first one is shown as the cause, each one by its text.
        raise together(errors) from errors[0].__cause__
    for layer in found:
        if isinstance(layer, BaseException):
            raise layer
    return [answer for answer in found if isinstance(answer, Layer)]


async def _ask(provider: Provider) -> Layer:
    try:
        found = await t.cast("t.Awaitable[t.Any]", provider.load())
    except Exception as error:
        raise _failed(provider, error) from error
    return _layer(provider, found)


def _layer(provider: Provider, found: t.Any) -> Layer:
    if not isinstance(found, Values):
        found = Values(found)
    data: t.Any = found.data
    if not isinstance(data, Mapping):
        if inspect.iscoroutine(data):
            data.close()
        raise config_error(
            f"the provider returned an object of type {type(data).__name__}",
            source=provider.name,
            cure="Return nested dicts, or config.Values(dicts).",
        )
    name, origin = provider.name, found.origin
    if isinstance(origin, str):
        name, origin = origin, None
    return Layer(found.data, name=name, origin=origin, secret=found.secret)


def _failed(provider: Provider, error: Exception) -> ConfigError:
    return config_error(
        f"the provider failed: {type(error).__name__}: {reason_of(error)}",
        source=provider.name,
        cure="See that it can be reached, and that it may be read.",
    )
