"""Gather what an object is made of: a table, and what is put over it."""

from __future__ import annotations

import typing as t
import weakref

from ._claims import check_clashes
from ._merge import Path
from ._merge import is_dict
from ._merge import table_at
from ._sources.asking import not_fetched
from ._sources.names import Names
from ._sources.names import names as names_of
from ._sources.plan import Plan
from ._sources.plan import plan as make_plan
from ._state import Source
from ._state import state_of


def gather(
    source: Source, cls: t.Any, path: Path
) -> tuple[t.Any, Names, Plan]:
    """
    Return the data for a class, its names, and what came from where.

    Raises:
        ConfigError: The class cannot be loaded, two of its names clash, or a
            provider was never asked.
    """
    state = state_of(source)
    if state.pending:
        raise not_fetched(state.pending)
    names = names_of(cls, path, state.prefix)
    seen = state.loaded.get(id(names))
    if seen is None or seen() is not names:
        check_clashes(source, names)
        state.loaded[id(names)] = weakref.ref(names)
    data: t.Any = source
    if path:
        data = table_at(source, path, state.where)
    else:
        # The tables of others are beside what belongs to this class.
        top = names.top
        data = {
            key: value
            for key, value in source.items()
            if key in top or not isinstance(value, dict)
        }
    plan = make_plan(names, state.lookups, data)
    if plan.given and is_dict(data):
        data = plan.apply(data)
    return data, names, plan
