"""Reports on the plugins of a stage, as data."""

# Annotations are not text here: fields of named tuples are looked up at once.

import types
import typing as t

from ._work import Counts


class PluginReport(t.NamedTuple):
    """
    What became of one plugin.

    Attributes:
        plugin: Its name.
        loaded_by: The names of the plugins that led to it, nearest first;
            empty if the stage was given it.
        seconds: How long it took to prepare, with the plugins it loaded;
            ``None`` while it is being prepared.
        components: The components it added, by type or discriminator and by
            name, in that order.
        tasks: The names of the tasks it yielded.
        error: What made it fail.
        work: How often each supervised or periodic task was run and failed,
            by the name of the task.
    """

    plugin: str
    loaded_by: tuple[str, ...]
    seconds: float | None
    components: tuple[tuple[t.Hashable, t.Hashable], ...]
    tasks: tuple[str, ...]
    error: BaseException | None
    work: t.Mapping[str, Counts] = types.MappingProxyType({})
