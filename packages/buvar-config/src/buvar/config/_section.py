"""Sections that inject themselves."""

from __future__ import annotations

import gc
import sys
import typing as t

from buvar import context
from buvar import di

from ._errors import one
from ._merge import Path
from ._source import SECTION
from ._source import ConfigSource
from ._watch import keep


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


async def prepare() -> None:
    """
    Let sections inject themselves: ``await di.nject(MyConfig)``.

    One adapter serves all sections, those defined later as well. Files that
    changed since they were read are read again: so a worker that takes the
    place of another one, as on HUP, has what they say now. If that is wrong
    the worker has what they said before, and one error is logged.
    """
    di.register(Config.adapt)
    keep()
    source = context.get(ConfigSource, default=None)
    if source is not None:
        source.refresh()


def sections() -> dict[str, type[Config]]:
    """
    Return the classes that have a section of their own.

    Python itself knows the subclasses of a class, weakly: a section ends with
    its class, and there is no list to clean up.
    """
    if not all(in_reach(cls) for cls in _subclasses(Config)):
        # Those of calls that are over may only wait to be collected.
        gc.collect()
    found: dict[str, type[Config]] = {}
    for cls in _subclasses(Config):
        own = vars(cls).get(SECTION)
        if own is not None:
            found[own[0]] = cls
    return dict(sorted(found.items()))


#: A class, or several, with their sections or those that they have.
Classes: t.TypeAlias = type | t.Sequence[type | tuple[t.Any, str]] | None


def each(cls: Classes, section: str | None) -> list[tuple[t.Any, Path]]:
    """Return classes and the paths of their sections."""
    if cls is None:
        cls = [(one, name) for name, one in sections().items()]
    if isinstance(cls, list | tuple):
        return [
            (one[0], _path(one[1]))
            if isinstance(one, tuple)
            else (one, _path(_section_of(one)))
            for one in cls
        ]
    return [(cls, _path(_section_of(cls) if section is None else section))]


def _section_of(cls: t.Any) -> str:
    """Return the section that a class has of its own, empty for none."""
    section: str = getattr(cls, SECTION, ("",))[0]
    return section


def _path(section: str) -> Path:
    return tuple(section.split(".")) if section else ()


def in_use() -> dict[str, type[Config]]:
    """Return the classes that have a section and can still be meant."""
    return {name: cls for name, cls in sections().items() if in_reach(cls)}


def _subclasses(cls: type[Config]) -> t.Iterator[type[Config]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


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
        raise one(
            msg,
            path=section,
            cure="Give one of them another section.",
        )


def _owned(section: str, place: Place) -> list[str]:
    """Name the other classes that are in use for a section."""
    return [
        f"{other.__module__}.{other.__qualname__}"
        for other in _subclasses(Config)
        if (own := vars(other).get(SECTION))
        and own[0] == section
        and own[1] != place
        and in_reach(other)
    ]


def in_reach(cls: type[Config]) -> bool:
    """
    Tell whether a class can still be meant by its name.

    One that is local to a function ends with the call for this purpose, even
    if something keeps it a little longer.
    """
    function, local, _ = cls.__qualname__.rpartition(".<locals>.")
    frame: t.Any = sys._getframe(1)  # noqa: SLF001 - who is running
    while local and frame is not None:
        if frame.f_code.co_qualname == function and (
            frame.f_globals.get("__name__") == cls.__module__
        ):
            return True
        frame = frame.f_back
    return not local
