"""Sections that inject themselves."""

from __future__ import annotations

import gc
import sys
import typing as t

from buvar import context
from buvar import di

from ._errors import config_error
from ._registry import SECTION
from ._registry import bases
from ._registry import in_reach
from ._registry import sections as _sections
from ._registry import subclasses
from ._reload import keep
from ._source import ConfigSource


#: Module, qualified name and line of a definition.
Place: t.TypeAlias = tuple[str, str, int]


class Config:
    """
    Base of classes that are loaded from a section of their own.

    Args:
        section: The dotted path of the table; a subclass without one is
            loaded from that of its base.

    Raises:
        ConfigError: Another class is loaded from that section.

    Example:
        >>> import attrs
        >>> from buvar import config
        >>> @attrs.define
        ... class Web(config.Config, section="web"):
        ...     port: int = 8080
        >>> config.ConfigSource({"web": {"port": 80}}).load(Web)
        Web(port=80)
    """

    # Without it the classes of attrs with slots would have a dict again.
    __slots__ = ()

    def __init_subclass__(
        cls, *, section: str | None = None, **options: t.Any
    ) -> None:
        super().__init_subclass__(**options)
        if section is not None:
            place = _place(cls)
            _check(cls, section, place)
            setattr(cls, SECTION, (section, place))

    @classmethod
    async def adapt(cls, source: ConfigSource | None = None) -> t.Self:
        """Load the section of a class that was asked for."""
        return (ConfigSource() if source is None else source).load(cls)


bases.append(Config)

C = t.TypeVar("C", bound=Config)


async def _adapt_generic(
    cls: type[C], source: ConfigSource | None = None
) -> C:
    """Load the section of a class with arguments, such as ``Limits[int]``."""
    return (ConfigSource() if source is None else source).load(cls)


async def prepare() -> None:
    """
    Let sections inject themselves: ``await di.nject(MyConfig)``.

    One adapter serves all sections, those defined later as well. Files that
    changed since they were read are read again: so a worker that takes the
    place of another one, as on HUP, has what they say now. If that is wrong
    the worker has what they said before, and one error is logged.
    """
    di.register(_adapt_generic, Config.adapt)
    keep()
    source = context.get(ConfigSource, default=None)
    if source is not None:
        source.refresh()


def sections() -> dict[str, type[Config]]:
    """Return the classes that have a section of their own."""
    return _sections()


def _place(cls: type[Config]) -> Place:
    """Say where a class is defined, to tell a new one from the same again."""
    frame: t.Any = sys._getframe(2)  # noqa: SLF001 - the definition's line
    while frame.f_globals.get("__name__") != cls.__module__ and frame.f_back:
        frame = frame.f_back
    return cls.__module__, cls.__qualname__, frame.f_lineno


def _check(cls: type[Config], section: str, place: Place) -> None:
    if not _owned(section, place):
        return
    # The other one may be gone already, waiting to be collected.
    gc.collect()
    for other in _owned(section, place):
        msg = (
            f"both {other} and {cls.__module__}.{cls.__qualname__} want "
            "the section"
        )
        raise config_error(
            msg,
            path=section,
            cure="Give one of them another section.",
        )


def _owned(section: str, place: Place) -> list[str]:
    """Name the other classes that are in use for a section."""
    return [
        f"{other.__module__}.{other.__qualname__}"
        for other in subclasses()
        if (own := vars(other).get(SECTION))
        and own[0] == section
        and own[1] != place
        and in_reach(other)
    ]
