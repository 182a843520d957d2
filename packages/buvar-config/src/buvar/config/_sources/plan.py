"""What is put over the tree of a class: secrets, variables, overrides."""

from __future__ import annotations

import typing as t

import attrs

from buvar.config._errors import Problem
from buvar.config._merge import Overlay
from buvar.config._merge import Path
from buvar.config._merge import is_table

from .environment import data_of_environment
from .files import to_file
from .lookup import Given
from .lookup import Lookup
from .lookup import Named
from .lookup import from_file
from .names import Names
from .names import name_of
from .open_tables import Open
from .open_tables import Target
from .open_tables import keys_at


#: What is asked for texts, what wins last.
Lookups: t.TypeAlias = tuple[Lookup, ...]


@attrs.define(eq=False)
class Plan:
    """
    What is put over the data of a class, prepared to be applied often.

    Attributes:
        given: All of it, what wins last.
        groups: The values by the table they belong to.
        simple: Whether that is all, so that there is nothing to merge.
        unread: What is wrong with files that values should come from.
        others: Whether there are names that the class does not know.
    """

    given: list[Given]
    groups: dict[Path, dict[str, t.Any]]
    simple: bool
    unread: list[Problem]
    others: bool = False

    @classmethod
    def of(cls, found: list[Given]) -> Plan:
        """Sort values by their tables."""
        unread = [item.problem for item in found if item.problem]
        given = [item for item in found if not item.problem]
        groups: dict[Path, dict[str, t.Any]] = {}
        for item in given:
            if item.table or len(item.path) not in (1, 2):
                return cls(given, {}, simple=False, unread=unread)
            groups.setdefault(item.path[:-1], {})[item.path[-1]] = item.value
        return cls(given, groups, simple=True, unread=unread)

    def apply(self, data: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Return the data with all values put over it."""
        if not self.simple:
            overlay = Overlay(data)
            for item in self.given:
                overlay.put(item.path, item.data)
            return overlay.data
        result = dict(data)
        for path, values in self.groups.items():
            if path:
                below = result.get(path[0])
                result[path[0]] = (
                    {**below, **values} if is_table(below) else dict(values)
                )
            else:
                result.update(values)
        return result


def plan(names: Names, lookups: Lookups, table: t.Any) -> Plan:
    """
    Return all that is put over the tree of a class.

    It is kept until the environment changes, unless files have to be read.
    Comparing all of the environment is quicker than asking for each name.
    """
    environ = None if names.prefix is None else data_of_environment()
    last = names.last
    if last is not None and last[0] == environ and last[1] == lookups:
        found: Plan = last[2]
        return found
    groups = [lookup.given(names) for lookup in lookups]
    lasts = all(lookup.lasts for lookup in lookups)
    if names.open and _put_below(names, lookups, groups, table):
        lasts = False
    given = [item for items in groups for item in items]
    found = Plan.of(given)
    found.others = any(
        not named.is_known(names)
        for lookup in lookups
        if lookup.strict
        for named in lookup.named()
    )
    names.last = None
    # What is in a file may be something else the next time.
    if lasts and not any(item.secret for item in given):
        copy = None if environ is None else dict(environ)
        names.last = (copy, lookups, found)
    return found


def _put_below(
    names: Names,
    lookups: Lookups,
    groups: list[list[Given]],
    table: t.Any,
) -> bool:
    """
    Add what is set in tables with keys of their own choice.

    Tell whether there may be something, which then depends on the keys that
    there are.
    """
    opened = [(each, _keys(each, groups, table)) for each in names.open]
    some = False
    for lookup, items in zip(lookups, groups, strict=True):
        for named in lookup.named():
            if named.is_known(names):
                continue
            for each, keys in opened:
                if named.short.startswith(each.start):
                    some = True
                    items.extend(_of_key(names, each, keys, named))
        # A variable wins over a file that another one names.
        items.sort(key=_is_direct)
    return some


def _is_direct(item: Given) -> bool:
    return not item.secret


def _keys(
    opened: Open, groups: list[list[Given]], table: t.Any
) -> dict[str, list[str]]:
    """Return the keys that a table has, by how names write them."""
    found = keys_at(table, opened.path)
    for item in (item for items in groups for item in items):
        if item.path == opened.path and is_table(item.data):
            found += [key for key in item.data if key not in found]
    keys: dict[str, list[str]] = {}
    for key in found:
        keys.setdefault(name_of([key]), []).append(key)
    return keys


def _of_key(
    names: Names, table: Open, keys: dict[str, list[str]], named: Named
) -> list[Given]:
    """Return what a name sets in a table, an empty list for nothing."""
    full, short = named.full, named.short
    names_file = short.endswith("_FILE")
    is_there = any(short == f"{table.start}{key}" for key in keys)
    target: Target | None = None
    if is_there or not names_file or table.inner is not None:
        target = table.find(short, keys, full)
    if target is not None:
        return [named.given(target, names.section)]
    if not names_file or not named.variable:
        return []
    target = table.find(short.removesuffix("_FILE"), keys, full)
    if target is None:
        return []
    file = to_file(str(named.text))
    return [from_file(target, names.section, file, f"${full}: {file}")]
