"""What a source is made of, built in or a user's own: a vault, a database."""

from __future__ import annotations

import typing as t

from collections.abc import Mapping

import attrs

from buvar.config._merge import Path


@attrs.frozen
class Values:
    """
    What a provider has as a tree; later trees win over earlier ones.

    Attributes:
        data: Nested dicts, as a TOML file has.
        origin: What errors and ``explain`` call the place of a value, such as
            ``vault:kv/app@7``; a function gets the value's path, and returns
            ``None`` for the default, the name of the provider.
        secret: None of it is shown, neither in errors nor by ``explain``.
    """

    data: Mapping[str, t.Any]
    origin: str | t.Callable[[Path], str | None] | None = None
    secret: bool = False


@attrs.frozen
class Texts:
    """
    What a provider has by name, as the environment does.

    Which field a name means is known when a class is loaded: so they win over
    all trees, and lose to the secrets folder, to variables and to overrides.

    Attributes:
        data: Texts by the names of variables, with the prefix of the source
            or without.
        origin: What errors and ``explain`` call the place of a text; a
            function gets its name. By default the name of the provider and
            that of the text.
        secret: None of it is shown.

    Example:
        >>> class Store:
        ...     name = "store"
        ...
        ...     def load(self):
        ...         return config.Texts({"APP_WEB_PORT": "80"})
        ...
        ...     def stamp(self):
        ...         return None
        >>> import attrs
        >>> from buvar import config
        >>> @attrs.define
        ... class Web:
        ...     port: int = 8080
        >>> config.ConfigSource(Store(), env_prefix="APP").load(Web, "web")
        Web(port=80)
    """

    data: Mapping[str, str]
    origin: str | t.Callable[[str], str] | None = None
    secret: bool = False


@t.runtime_checkable
class Provider(t.Protocol):
    """
    Something that configuration is read from.

    Dicts, files, the secrets folder, the environment and overrides are
    providers as well; a source is an ordered list of them. What to do with
    what one has, such as merging, types, errors and masking, is the source's.

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

    def load(self) -> t.Any:
        """
        Return all it has now.

        That is ``Values`` or a plain dict, ``Texts``, or a list of these, the
        lowest first.

        Raises:
            ConfigError: What is wrong; other exceptions are made into one.
        """
        ...

    def stamp(self) -> object:
        """
        Return something that differs as soon as there may be new values.

        It is asked often and must not wait, so a version, a time or a
        counter is right; ``None`` if only ``reload`` and ``fetch`` should
        look again.
        """
        ...
