"""Say of each value where it came from."""

from __future__ import annotations

import typing as t

import attrs

from ._errors import ConfigError
from ._errors import dotted
from ._load import gather
from ._merge import dig
from ._merge import is_table
from ._model.secret import show
from ._model.sensitive import MASK
from ._model.sensitive import sounds_secret
from ._sources.names import Leaf
from ._sources.names import default_of
from ._sources.names import leaves
from ._state import Source
from ._state import state_of
from ._thorough_load import Finder


#: Characters of an array that is shown item by item.
_SHORT: t.Final = 60


@attrs.frozen
class Explained:
    """
    A value and its origin.

    Attributes:
        path: The dotted path.
        value: The value as shown to people, ``***`` if it is a secret.
        source: ``file:line``, ``$VARIABLE``, ``--set key``, ``code``,
            ``default``, or ``missing``.
    """

    path: str
    value: str
    source: str


class Explanation(list[Explained]):
    """A list of ``Explained`` that prints as a table."""

    def __str__(self) -> str:
        """Align the columns."""
        rows = [
            (f"{setting.path} = {setting.value}", setting.source)
            for setting in self
        ]
        width = max((len(left) for left, _ in rows), default=0)
        return "\n".join(f"{left:<{width}}  {right}" for left, right in rows)


def explain(
    source: Source,
    classes: list[tuple[t.Any, tuple[str, ...]]],
    *,
    others: bool,
) -> Explanation:
    """Explain the values of classes, then those that belong to none."""
    found = Explanation()
    done: set[tuple[t.Any, ...]] = set()
    for cls, section in classes:
        data, names, plan = gather(source, cls, section)
        if plan.unread:
            raise ConfigError(plan.unread)
        finder = Finder(source, names, plan)
        for leaf in leaves(cls):
            path = (*section, *leaf.path)
            # Classes of a union may have fields of one name.
            if not leaf.nested and path not in done:
                done.add(path)
                found += _leaf(leaf, section, data, finder)
    if others:
        found.extend(_others(source, done))
    return found


def _leaf(
    leaf: Leaf, section: tuple[str, ...], data: t.Any, finder: Finder
) -> t.Iterator[Explained]:
    try:
        value, origin = dig(data, leaf.path), finder.where(leaf.path) or "code"
    except LookupError:
        value, origin = _default(leaf)
    for path, inner in _inside(leaf.path, value):
        shown = "-" if inner is attrs.NOTHING else _shown(inner)
        if inner is not attrs.NOTHING and (
            leaf.secret
            or finder.is_confidential(path)
            or any(map(sounds_secret, path[len(leaf.path) :]))
        ):
            shown = MASK
        where = finder.where(path) or origin
        yield Explained(dotted((*section, *path)), shown, where)


def _inside(
    path: tuple[t.Any, ...], value: t.Any
) -> t.Iterator[tuple[tuple[t.Any, ...], t.Any]]:
    """Yield the values of a table, and of those in it."""
    if not is_table(value) or not value:
        yield path, value
        return
    for key, inner in value.items():
        yield from _inside((*path, key), inner)


def _is_array(value: object) -> t.TypeGuard[list[t.Any]]:
    return isinstance(value, list)


def _shown(value: t.Any) -> str:
    """Show an array of plain values item by item, if it is short."""
    if is_table(value):
        # What is in a table has lines of its own; this one is empty.
        return "{}"
    if _is_array(value):
        plain = all(isinstance(item, str | int | float) for item in value)
        text = ", ".join(map(show, value)) if plain else ""
        if plain and len(text) <= _SHORT:
            return f"[{text}]"
    return show(value)


def _default(leaf: Leaf) -> tuple[t.Any, str]:
    default = default_of(leaf)
    missing = default is attrs.NOTHING and not leaf.optional
    return default, "missing" if missing and leaf.field.required else "default"


def _others(source: Source, done: set[tuple[t.Any, ...]]) -> list[Explained]:
    found: list[Explained] = []
    state = state_of(source)
    todo: list[tuple[tuple[t.Any, ...], t.Any]] = [((), source)]
    while todo:
        path, value = todo.pop()
        if path in done:
            continue
        if is_table(value):
            todo += [((*path, key), value[key]) for key in reversed(value)]
        else:
            hidden = any(map(sounds_secret, path)) or state.is_secret(path)
            shown = MASK if hidden else show(value)
            where = state.where(path) or "code"
            found.append(Explained(dotted(path), shown, where))
    return found
