"""Gather what an object is made of: a table, and what is put over it."""

from __future__ import annotations

import typing as t
import weakref

from ._claims import check_clashes
from ._env import Names
from ._env import names as names_of
from ._merge import Path
from ._merge import is_dict
from ._merge import table_at
from ._merged import Merged
from ._overlay import Plan
from ._overlay import plan as make_plan
from ._parts import not_fetched


def gather(
    source: Merged, cls: t.Any, path: Path
) -> tuple[t.Any, Names, Plan]:
    """
    Return the data for a class, its names, and what came from where.

    Raises:
        ConfigError: The class cannot be loaded, two of its names clash, or a
            provider was never asked.
    """
    if source.pending:
        raise not_fetched(source.pending)
    names = names_of(cls, path, source.env_prefix)
    seen = source.loaded.get(id(names))
    if seen is None or seen() is not names:
        check_clashes(source, names)
        source.loaded[id(names)] = weakref.ref(names)
    data: t.Any = source
    if path:
        data = table_at(source, path, source.where)
    else:
        # The tables of others are beside what belongs to this class.
        top = names.top
        data = {
            key: value
            for key, value in source.items()
            if key in top or not isinstance(value, dict)
        }
    plan = make_plan(names, source.secret_files, source.overrides, data)
    if plan.given and is_dict(data):
        data = plan.apply(data)
    return data, names, plan
