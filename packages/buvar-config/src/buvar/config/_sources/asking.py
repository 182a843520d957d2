"""Ask providers what they have."""

from __future__ import annotations

import asyncio
import inspect
import logging
import typing as t

from collections.abc import Mapping

import attrs

from buvar.config._errors import ConfigError
from buvar.config._errors import config_error
from buvar.config._errors import reason_of
from buvar.config._errors import together
from buvar.config._merge import is_table
from buvar.config._merge import mapping

from .environment import Environment
from .layer import Layer
from .lookup import Lookup
from .mappings import Mapped
from .overrides import Override
from .provider import Provider
from .provider import Texts
from .provider import Values
from .secrets_dir import SecretsDir
from .texts import NamedTexts
from .toml_files import TomlFiles


logger = logging.getLogger("buvar.config")

#: What a source is read into: trees and look-ups, in their order.
Read: t.TypeAlias = tuple[tuple[Layer, ...], tuple[Lookup, ...]]


@attrs.frozen(eq=False)
class Awaited:
    """
    A provider that has to be awaited, and what it said last.

    Attributes:
        provider: The provider.
        answer: What it said, ``None`` if it was never asked.
    """

    provider: Provider
    answer: list[Layer | Lookup] | None = None

    @property
    def name(self) -> str:
        """The name of the provider."""
        return self.provider.name

    def load(self) -> list[Layer | Lookup]:
        """Return what it said last, nothing if it was never asked."""
        return self.answer or []

    def stamp(self) -> object:
        """Return the stamp of the provider."""
        return self.provider.stamp()


#: What these return is what a source is read into.
_BUILT_IN: t.Final = (
    Mapped,
    Environment,
    TomlFiles,
    Override,
    SecretsDir,
    Awaited,
)


def is_provider(part: object) -> t.TypeGuard[Provider]:
    """Tell whether something is a provider, no dict and no path."""
    if isinstance(part, dict | str):
        # The usual parts: comparing with a protocol is slow.
        return False
    return isinstance(part, Provider) and not isinstance(part, Mapping)


def is_meant_as_provider(part: object) -> bool:
    """Tell whether something has a part of what a provider has."""
    return hasattr(part, "load") or hasattr(part, "stamp")


def as_provider(part: t.Any) -> Provider:
    """
    Return the provider for a dict, or for a user's provider.

    Raises:
        ConfigError: It is neither.
    """
    if not is_provider(part):
        if is_meant_as_provider(part):
            raise _incomplete(part)
        return Mapped(mapping(part))
    if isinstance(part, type):
        raise _incomplete(part)
    if inspect.iscoroutinefunction(part.load):
        return Awaited(part)
    return part


def _incomplete(part: t.Any) -> ConfigError:
    if isinstance(part, type):
        return config_error(
            f"{part.__qualname__} is a class",
            cure=f"Give a provider, an object of it: {part.__name__}(...).",
        )
    lacking = " and no ".join(
        name for name in ("name", "load", "stamp") if not hasattr(part, name)
    )
    return config_error(
        f"a provider of type {type(part).__qualname__} has no {lacking}",
        cure="A provider has a name, load() and stamp(), see config.Provider.",
    )


def read(providers: t.Iterable[Provider], prefix: str | None) -> Read:
    """
    Ask all providers for what they have now, the lowest first.

    Raises:
        ConfigError: What cannot be read, of all of them.
    """
    layers: list[Layer] = []
    lookups: list[Lookup] = []
    errors: list[ConfigError] = []
    for provider in providers:
        try:
            for item in _load(provider, prefix):
                if isinstance(item, Layer):
                    layers.append(item)
                else:
                    lookups.append(item)
        except ConfigError as error:
            errors.append(error)
    if errors:
        raise together(errors)
    return tuple(layers), tuple(lookups)


def _load(
    provider: Provider, prefix: str | None
) -> t.Sequence[Layer | Lookup]:
    if isinstance(provider, _BUILT_IN):
        return provider.load()
    try:
        found = provider.load()
    except ConfigError:
        raise
    except Exception as error:
        raise _failed(provider, error) from error
    return [*_known(provider, found, prefix)]


def _known(
    provider: Provider, found: t.Any, prefix: str | None
) -> t.Iterator[Layer | Lookup]:
    """Yield what a provider of the user's has said."""
    if isinstance(found, list):
        for item in t.cast("t.Iterable[t.Any]", found):
            yield from _known(provider, item, prefix)
    elif isinstance(found, Texts):
        yield _texts(provider, found, prefix)
    elif isinstance(found, Values):
        name, origin = provider.name, found.origin
        if isinstance(origin, str):
            name, origin = origin, None
        data = _checked(provider, found.data)
        yield Layer(data, name, origin, found.secret)
    else:
        yield Layer(_checked(provider, found), provider.name)


def _texts(provider: Provider, found: Texts, prefix: str | None) -> NamedTexts:
    data = _checked(provider, found.data)
    for key, text in data.items():
        if not isinstance(key, str) or not isinstance(text, str):
            what = f"the name {key!r}"
            if isinstance(key, str):
                what = f"{key} of type {type(text).__name__}, not text"
            raise config_error(
                f"the provider has {what}",
                source=provider.name,
                cure="Return config.Texts with a text for each name.",
            )
    origin = found.origin
    if isinstance(origin, str):
        origin = {}.fromkeys(data, origin).__getitem__
    return NamedTexts(data, provider.name, origin, prefix, secret=found.secret)


def _checked(provider: Provider, data: t.Any) -> Mapping[t.Any, t.Any]:
    """Refuse what is not a dict."""
    if is_table(data):
        return data
    cure = "Return nested dicts, or config.Values(dicts)."
    if inspect.isawaitable(data):
        cure = "Write 'async def load', and call `await source.fetch()`."
    if inspect.iscoroutine(data):
        data.close()
    raise config_error(
        f"the provider returned an object of type {type(data).__name__}",
        source=provider.name,
        cure=cure,
    )


async def fetch(
    providers: t.Sequence[Provider], prefix: str | None
) -> list[Provider]:
    """
    Ask those that have to be awaited, all at the same time.

    Raises:
        ConfigError: What is wrong with all those that failed.
    """
    answers = await asyncio.gather(
        *(_ask(x, prefix) for x in providers if isinstance(x, Awaited)),
        return_exceptions=True,
    )
    errors = [answer for answer in answers if isinstance(answer, ConfigError)]
    if errors:
        # The first one is shown as the cause, each one by its text.
        raise together(errors) from errors[0].__cause__
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    asked = iter(answers)
    return [
        t.cast("Awaited", next(asked)) if isinstance(x, Awaited) else x
        for x in providers
    ]


async def _ask(awaited: Awaited, prefix: str | None) -> Awaited:
    provider = awaited.provider
    try:
        found = await provider.load()
    except ConfigError:
        raise
    except Exception as error:
        raise _failed(provider, error) from error
    return Awaited(provider, [*_known(provider, found, prefix)])


def not_fetched(providers: t.Iterable[Provider]) -> ConfigError:
    """Make the error for providers that were never asked."""
    return together(
        [
            config_error(
                "the provider has not been asked yet",
                source=provider.name,
                cure="Call `await source.fetch()` before the first load.",
            )
            for provider in providers
        ]
    )


def pending(providers: t.Iterable[Provider]) -> tuple[Provider, ...]:
    """Return the providers that were never asked."""
    found = [x for x in providers if isinstance(x, Awaited)]
    return tuple(x for x in found if x.answer is None) if found else ()


def stamp(providers: t.Iterable[Provider]) -> object:
    """Return something that differs when one may have something new."""
    return tuple([_stamp(provider) for provider in providers])


def _stamp(provider: Provider) -> object:
    try:
        return provider.stamp()
    except Exception:
        logger.exception("The stamp of the provider %s failed.", provider.name)
        return None


def _failed(provider: Provider, error: Exception) -> ConfigError:
    name, reason = type(error).__name__, reason_of(error)
    said = name if reason == name else f"{name}: {reason}"
    return config_error(
        f"the provider failed: {said}",
        source=provider.name,
        cure="See that it can be reached, and that it may be read.",
    )
