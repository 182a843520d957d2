"""Follow a source whose files change while the application runs."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import typing as t
import weakref

from ._errors import ConfigError
from ._state import again
from ._state import become
from ._state import state_of


T = t.TypeVar("T")

logger = logging.getLogger("buvar.config")


class Source(t.Protocol):
    """A ``ConfigSource``."""

    def load(self, cls: type[T], section: str | None = None) -> T: ...
    def refresh(self) -> bool: ...


class Watch(t.Generic[T]):
    """
    An object of a section that is made anew when its files change.

    Iterate over it asynchronously to get each new object; call ``reload`` to
    look at once, as on a signal.

    Attributes:
        value: The latest valid object.
    """

    def __init__(
        self,
        source: Source,
        cls: type[T],
        section: str | None,
        interval: float,
    ) -> None:
        self._source = source
        self._cls = cls
        self._section = section
        self._interval = interval
        # A change since the files were read is one to follow.
        self._stamp = state_of(source).stamped
        self.value = source.load(cls, section)

    def reload(self) -> bool:
        """
        Read the files again and tell whether there is a new object.

        If they are wrong, or the section is, the old object stays and one
        error is logged.
        """
        self._stamp = state_of(self._source).stamp()
        try:
            fresh = again(self._source)
            value = fresh.load(self._cls, self._section)
        except ConfigError as error:
            _complain(error)
            return False
        become(t.cast("t.Any", self._source), fresh)
        changed = bool(value != self.value)
        if changed:
            self.value = value
        return changed

    def changed(self) -> bool:
        """Tell whether a file changed since it was looked at last."""
        return state_of(self._source).stamp() != self._stamp

    def __aiter__(self) -> t.AsyncIterator[T]:
        """Yield each new object, looking at the files every so often."""
        return self._follow()

    async def _follow(self) -> t.AsyncIterator[T]:
        while True:
            await asyncio.sleep(self._interval)
            if self.changed() and self.reload():
                yield self.value


def refresh(source: Source, classes: t.Iterable[type]) -> bool:
    """Read a source again unless that breaks what was right before."""
    state = state_of(source)
    stamp = state.stamp()
    if stamp == state.stamped:
        return False
    wanted: list[tuple[t.Any, str | None]] = [(cls, None) for cls in classes]
    wanted += [
        (names.tp, ".".join(names.section))
        for seen in state.loaded.values()
        if (names := seen()) is not None
    ]
    try:
        fresh = again(source)
        for cls, section in wanted:
            if _loads(source, cls, section):
                fresh.load(cls, section)
    except ConfigError as error:
        # Once is enough, until there is another change.
        state.stamped = stamp
        _complain(error)
        return False
    become(t.cast("t.Any", source), fresh)
    return True


def _loads(source: Source, cls: t.Any, section: str | None) -> bool:
    """Tell whether a class is loaded from a source at all, so far."""
    try:
        source.load(cls, section)
    except ConfigError:
        return False
    return True


#: All that were read from files, by their identity.
_sources: weakref.WeakValueDictionary[int, Source] = (
    weakref.WeakValueDictionary()
)
#: The processes, this one and those it was forked from, that have prepared
#: plugins: what they loaded and what they will load must not differ.
_preparing: set[int] = set()


def follow(source: Source) -> None:
    """Read a source again before the process forks, if files changed."""
    _register()
    _sources[id(source)] = source


def keep() -> None:
    """Leave sources as they are in this process, whatever it forks."""
    _preparing.add(os.getpid())


@functools.cache
def _register() -> None:
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before_fork)


def _before_fork() -> None:
    # A supervisor knows the last configuration that was right: workers that
    # start on HUP, or in place of one that crashed, have it from there.
    if os.getpid() not in _preparing:
        for source in list(_sources.values()):
            source.refresh()


def _complain(error: ConfigError) -> None:
    logger.error(
        "The changed configuration is wrong, the old one stays. %s",
        error,
        extra={"config_errors": [str(problem) for problem in error.errors]},
    )
