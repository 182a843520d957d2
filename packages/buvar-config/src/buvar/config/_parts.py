"""Read what a source is made of: dicts, files, providers, in their order."""

from __future__ import annotations

import typing as t

from collections.abc import Mapping

from ._errors import ConfigError
from ._errors import config_error
from ._errors import together
from ._files import AnyPath
from ._files import optional
from ._files import read as read_files
from ._files import stamp as stamp_of_file
from ._merge import is_table
from ._merge import mapping
from ._origin import Layer
from ._provider import Provider
from ._provider import fetch as fetch_all
from ._provider import is_async
from ._provider import is_provider
from ._provider import load
from ._provider import stamp_of


#: A dict, the path of a file or folder, or a provider.
Part: t.TypeAlias = "Mapping[str, t.Any] | AnyPath | optional | Provider"
#: What asynchronous providers returned last, by their identity.
Fetched: t.TypeAlias = dict[int, Layer]


def as_part(part: t.Any) -> Part:
    """
    Return a dict or a provider.

    Raises:
        ConfigError: It is neither.
    """
    if isinstance(part, dict):
        return t.cast("dict[str, t.Any]", part)
    return part if is_provider(part) else mapping(part)


def read(parts: t.Iterable[Part], fetched: Fetched) -> list[Layer]:
    """
    Return a layer for each dict, file and provider, the lowest first.

    Providers that were not fetched yet have none.

    Raises:
        ConfigError: What cannot be read, of all of them.
    """
    layers: list[Layer] = []
    errors: list[ConfigError] = []
    for part in parts:
        try:
            layers += _layers(part, fetched)
        except ConfigError as error:
            errors.append(error)
    if errors:
        raise together(errors)
    return layers


def _layers(part: Part, fetched: Fetched) -> list[Layer]:
    if is_table(part):
        return [Layer(part)]
    if not is_provider(part):
        return read_files([t.cast("AnyPath | optional", part)])
    if not is_async(part):
        return [load(part)]
    return [fetched[id(part)]] if id(part) in fetched else []


async def fetch(parts: t.Iterable[Part]) -> Fetched:
    """
    Ask all asynchronous providers.

    Raises:
        ConfigError: What is wrong with all those that failed.
    """
    wanted = _asynchronous(parts)
    layers = await fetch_all(wanted)
    return {
        id(provider): layer
        for provider, layer in zip(wanted, layers, strict=True)
    }


def pending(parts: t.Iterable[Part], fetched: Fetched) -> list[Provider]:
    """Return the providers that were never asked."""
    return [
        provider
        for provider in _asynchronous(parts)
        if id(provider) not in fetched
    ]


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


def _asynchronous(parts: t.Iterable[Part]) -> list[Provider]:
    return [part for part in parts if is_provider(part) and is_async(part)]


def stamp(parts: t.Iterable[Part], folder: AnyPath | None) -> object:
    """Return something that differs when a part may have changed."""
    found: list[object] = []
    for part in parts:
        if is_table(part):
            continue
        if is_provider(part):
            found.append(stamp_of(part))
        else:
            found.append(stamp_of_file(t.cast("AnyPath | optional", part)))
    if folder is not None:
        found.append(stamp_of_file(folder))
    return tuple(found)
