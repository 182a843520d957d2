"""Merge nested dicts without changing any of them."""

from __future__ import annotations

import typing as t

from collections.abc import Mapping

from ._errors import config_error
from ._errors import dotted
from ._model.secret import show
from ._model.sensitive import MASK
from ._model.sensitive import sounds_secret


Path: t.TypeAlias = tuple[str, ...]

#: What is an array in TOML and JSON, and what fields make of it.
SEQUENCES: t.Final = (list, tuple, set, frozenset)


def is_table(value: object) -> t.TypeGuard[Mapping[t.Any, t.Any]]:
    """Tell whether a value is a dict or the like."""
    # Nearly all are dicts, and asking an abstract class is slow.
    return isinstance(value, dict) or isinstance(value, Mapping)  # noqa: SIM101


def is_dict(value: object) -> t.TypeGuard[dict[t.Any, t.Any]]:
    """Tell whether a value is a dict, so that it can be changed."""
    return isinstance(value, dict)


def is_list(value: object) -> t.TypeGuard[list[t.Any]]:
    """Tell whether a value is a list."""
    return isinstance(value, list)


def is_array(value: object) -> t.TypeGuard[t.Collection[t.Any]]:
    """Tell whether a value is a list, a tuple or a set."""
    return isinstance(value, SEQUENCES)


#: Nothing that people write is nested deeper, and recursion stays safe.
MOST_NESTED: t.Final = 64


def check_depth(value: t.Any, source: str | None = None) -> None:
    """
    Refuse what is nested so deep that recursion would fail.

    Raises:
        ConfigError: The value has more than ``MOST_NESTED`` levels.
    """
    level, depth = [value], 0
    while level := [child for node in level for child in _nested(node)]:
        depth += 1
        if depth >= MOST_NESTED:
            msg = f"expected at most {MOST_NESTED} levels of nesting"
            raise config_error(msg, source=source)


def _nested(node: t.Any) -> list[t.Any]:
    children: t.Iterable[t.Any] = ()
    # Asking what may be any mapping is slow, so that comes last.
    if is_array(node):
        children = node
    elif is_table(node):
        children = node.values()
    # Asking for the exact type first is ten times as quick.
    return [
        child
        for child in children
        if type(child) not in _SINGLE and (is_array(child) or is_table(child))
    ]


_SINGLE = frozenset({str, int, float, bool})


def mapping(data: object) -> Mapping[t.Any, t.Any]:
    """
    Return what a source is made of.

    Raises:
        ConfigError: It is not a mapping.
    """
    if not is_table(data):
        raise config_error(
            "a source is made of dicts",
            value=show(data),
            cure="Read files with ConfigSource.read(path).",
        )
    return data


def merge(target: dict[t.Any, t.Any], other: Mapping[t.Any, t.Any]) -> None:
    """Put a mapping over a dict that is ours; nested ones are merged."""
    for key, value in other.items():
        if type(value) in _SINGLE:
            target[key] = value
        elif type(value) is list:
            target[key] = plain(value)
        elif is_table(value):
            below = target.get(key)
            if not is_dict(below):
                below = target[key] = {}
            merge(below, value)
        else:
            target[key] = plain(value)


def plain(value: t.Any) -> t.Any:
    """Copy lists and dicts, so that nobody shares them with a source."""
    if is_list(value):
        return [plain(item) for item in value]
    if is_dict(value):
        return {key: plain(item) for key, item in value.items()}
    return value


class Overlay:
    """
    A dict with values put over it, copied only where it differs.

    Attributes:
        data: The result.
    """

    def __init__(self, base: Mapping[t.Any, t.Any]) -> None:
        self.data: dict[t.Any, t.Any] = dict(base)
        self._own = {id(self.data)}

    def put(self, path: Path, value: t.Any) -> None:
        """Set the value at a path; a mapping is merged with what is there."""
        if not path:
            for key, item in value.items() if is_table(value) else ():
                self.put((key,), item)
            return
        node = self.data
        last = path[-1]
        for key in path[:-1]:
            node = self._child(node, key)
        if is_table(value):
            merge(self._child(node, last, deep=True), value)
        else:
            node[last] = value

    def _child(
        self, node: dict[t.Any, t.Any], key: str, *, deep: bool = False
    ) -> dict[t.Any, t.Any]:
        below = node.get(key)
        child: dict[t.Any, t.Any] = {}
        if is_table(below):
            if id(below) in self._own and is_dict(below) and not deep:
                return below
            child = plain(dict(below)) if deep else dict(below)
        node[key] = child
        self._own.add(id(child))
        return child


def table_at(
    data: t.Any, path: Path, where: t.Callable[[Path], str | None]
) -> t.Any:
    """
    Return what is at the path of a section, an empty table if nothing is.

    Raises:
        ConfigError: There is no table on the way to it.
    """
    for number, key in enumerate(path):
        if not is_dict(data):
            raise config_error(
                "expected a table",
                path=dotted(path[:number]),
                value=MASK if sounds_secret(path[number - 1]) else show(data),
                source=where(path[:number]),
            )
        data = data.get(key, {})
    return data


def _has_items(value: object) -> bool:
    return isinstance(value, Mapping | list | tuple)


def dig(data: t.Any, path: t.Sequence[t.Any]) -> t.Any:
    """
    Return what is at a path.

    Raises:
        LookupError: There is nothing.
    """
    node: t.Any = data
    for key in path:
        if not _has_items(node):
            raise LookupError(key)
        try:
            node = node[key]
        except TypeError as error:
            raise LookupError(key) from error
    return node
