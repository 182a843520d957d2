"""Which classes have a section of their own."""

from __future__ import annotations

import gc
import sys
import typing as t

from ._merge import Path
from ._model.types import origin


#: In the dict of a ``Config``: its section, and where it was defined.
SECTION: t.Final = "__buvar_section__"

#: A class, or several, with their sections or those that they have.
Classes: t.TypeAlias = type | t.Sequence[type | tuple[t.Any, str]] | None

#: The class that all others are derived from: ``Config`` puts itself here.
bases: t.Final[list[type]] = []


def sections() -> dict[str, t.Any]:
    """
    Return the classes that have a section of their own.

    Python itself knows the subclasses of a class, weakly: a section ends with
    its class, and there is no list to clean up.
    """
    classes = [*subclasses()]
    if not all(map(in_reach, classes)):
        # Those of calls that are over may only wait to be collected.
        classes.clear()
        gc.collect()
        classes += subclasses()
    found: dict[str, t.Any] = {}
    for cls in classes:
        own = vars(cls).get(SECTION)
        if own is not None:
            found[own[0]] = cls
    return dict(sorted(found.items()))


def each(cls: Classes, section: str | None) -> list[tuple[t.Any, Path]]:
    """Return classes and the paths of their sections."""
    if cls is None:
        cls = [(kind, name) for name, kind in sections().items()]
    if isinstance(cls, list | tuple):
        return [
            (entry[0], _path(entry[1]))
            if isinstance(entry, tuple)
            else (entry, _path(section_of(entry)))
            for entry in cls
        ]
    return [(cls, _path(section_of(cls) if section is None else section))]


def section_of(cls: t.Any) -> str:
    """Return the section that a class has of its own, empty for none."""
    # An alias does not pass on what has two underscores.
    section: str = getattr(origin(cls), SECTION, ("",))[0]
    return section


def _path(section: str) -> Path:
    return tuple(section.split(".")) if section else ()


def in_use() -> dict[str, t.Any]:
    """Return the classes that have a section and can still be meant."""
    return {name: cls for name, cls in sections().items() if in_reach(cls)}


def subclasses() -> t.Iterator[type]:
    """Yield all classes that are derived from ``Config``."""
    todo = [*reversed(bases)]
    while todo:
        cls = todo.pop()
        if cls not in bases:
            yield cls
        todo += reversed(cls.__subclasses__())


def in_reach(cls: type) -> bool:
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


def path_of(
    data: t.Container[str], cls: t.Any, section: str | None = None
) -> Path:
    """Return the path of a section: as it is given, or that of a class."""
    if section is None:
        section = section_of(cls)
    if not section:
        return ()
    return (section,) if section in data else tuple(section.split("."))
