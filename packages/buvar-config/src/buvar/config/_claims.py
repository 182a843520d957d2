"""
What reads which name: a variable, a file of the secrets folder, a table.

What a class cannot know, others may read. So a name that is nearly right, or
that is below a table of a class, is refused when that class is loaded; all
others when the whole is known, by ``ConfigSource.check_unknown``.
"""

from __future__ import annotations

import pathlib
import re
import typing as t

from ._diagnose import Unknown
from ._errors import ConfigError
from ._errors import dotted
from ._merge import Path
from ._merge import is_table
from ._model.types import origin
from ._registry import in_reach
from ._registry import in_use
from ._sources.lookup import Named
from ._sources.names import RENAME
from ._sources.names import Names
from ._sources.names import clashes
from ._sources.names import name_of
from ._sources.names import names as names_of
from ._sources.open_tables import keys_at
from ._state import Source
from ._state import state_of


#: What Kubernetes and Docker set in each container for services.
_SERVICE = re.compile(
    r".*_SERVICE_(HOST|PORT(_\w+)?)"
    r"|.*_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?"
)
#: How alike two names are that are meant to be the same.
_NEAR = 0.7


def all_names(source: Source) -> list[Names]:
    """Return the names of all that is known to be read from a source."""
    state = state_of(source)
    found = {
        id(names): names
        for seen in state.loaded.values()
        if (names := seen()) is not None and in_reach(origin(names.tp))
    }
    for section, cls in in_use().items():
        path = tuple(section.split("."))
        try:
            names = names_of(cls, path, state.prefix)
        except ConfigError:
            # It is said when that class is loaded.
            continue
        found[id(names)] = names
    return list(found.values())


def _is_of_a_service(named: Named) -> bool:
    if not named.variable:
        return False
    if named.full.endswith("_PORT"):
        return re.match(r"(tcp|udp|sctp)://", str(named.text)) is not None
    return _SERVICE.fullmatch(named.full) is not None


def is_claimed(source: Source, names: t.Iterable[Names], name: str) -> bool:
    """Tell whether a name without the prefix sets something."""
    short = name.removesuffix("_FILE")
    for each in names:
        if name in each.leaves or short in each.leaves:
            return True
        for table in each.open:
            if name.startswith(table.start):
                path = (*each.section, *table.path)
                keys: dict[str, list[str]] = {}
                for key in keys_at(source, path):
                    keys.setdefault(name_of([key]), []).append(key)
                if table.find(name, keys, name) or table.find(
                    short, keys, name
                ):
                    return True
    return any(
        name.startswith(f"{name_of(path)}_") or name == name_of(path)
        for path in state_of(source).reserved
    )


def stray_variables(source: Source, mine: Names) -> list[Unknown]:
    """
    Return the names that a class should have known.

    Those are nearly one of its own, or are below one of its tables.
    """
    stems = {
        f"{name}_": leaf for name, leaf in mine.leaves.items() if leaf.nested
    }
    stems |= {
        table.start: mine.paths[table.path]
        for table in mine.open
        if table.inner is not None
    }
    section = name_of(mine.section) + "_" if mine.section else ""
    found: list[Unknown] = []
    others: list[Names] | None = None
    for named in _named(source):
        name = named.short
        if is_claimed(source, (mine,), name):
            continue
        stem = max(filter(name.startswith, stems), key=len, default=None)
        near = _near(name, mine, section)
        if stem is None and near is None:
            continue
        if stem and not near and _has_table(source, name, stem):
            continue
        others = all_names(source) if others is None else others
        if is_claimed(source, others, name):
            continue
        below = stems[stem].path if stem else ()
        found.append(
            _unknown(named, dotted((*mine.section, *below)), near, mine)
        )
    return found


def _named(source: Source) -> list[Named]:
    """List what is meant for the source by its name, variables first."""
    found = [
        named
        for lookup in state_of(source).lookups
        if lookup.strict
        for named in lookup.named()
        if not _is_of_a_service(named)
    ]
    variables = [named for named in found if named.variable]
    variables.sort(key=lambda named: named.full)
    return [*variables, *(named for named in found if not named.variable)]


def _has_table(source: Source, name: str, stem: str) -> bool:
    """Tell whether another table of the source fits a name better."""
    return any(
        name.startswith(f"{other}_") and len(other) >= len(stem)
        for key in source
        if is_table(source[key])
        for other in [name_of([str(key)])]
    )


def _near(name: str, mine: Names, section: str) -> str | None:
    import difflib  # noqa: PLC0415 - only when something is wrong

    if not name.startswith(section):
        return None
    known = [x.removeprefix(section) for x in mine.leaves]
    short = name.removeprefix(section)
    found = difflib.get_close_matches(short, known, 1, _NEAR)
    if not found and short.endswith("_FILE"):
        return _near(name.removesuffix("_FILE"), mine, section)
    return f"{section}{found[0]}" if found else None


def _unknown(
    named: Named,
    path: str,
    near: str | None,
    names: Names | None,
) -> Unknown:
    is_file = isinstance(named.text, pathlib.Path)
    what = "secret file" if is_file else "variable"
    hint = None
    if near and names:
        meant = near.lower() if is_file else names.join(near)
        hint = f"Did you mean {meant}?"
    text = f"unknown {what}, it sets nothing"
    return Unknown(path, text, None, named.source, hint)


def unclaimed(source: Source) -> list[Unknown]:
    """Return all that nothing reads, once the whole is known."""
    known = all_names(source)
    found = [*_tables(source, known)]
    every = {name: claim for claim in known for name in claim.leaves}
    import difflib  # noqa: PLC0415 - as above

    for named in _named(source):
        name = named.short
        if not is_claimed(source, known, name):
            near = difflib.get_close_matches(name, every, 1, 0.6)
            hint = near[0] if near else None
            owner = every[hint] if hint else None
            found.append(_unknown(named, "", hint, owner))
    return found


def _tables(source: Source, known: list[Names]) -> t.Iterator[Unknown]:
    claimed: set[Path] = set(state_of(source).reserved)
    for names in known:
        if names.section:
            claimed.add(names.section)
        else:
            claimed |= {(key,) for key in names.top}
    todo: list[tuple[Path, t.Any]] = [((), source)]
    while todo:
        path, value = todo.pop()
        if path in claimed:
            continue
        if is_table(value) and any(x[: len(path)] == path for x in claimed):
            todo += [((*path, str(k)), value[k]) for k in reversed(value)]
        elif path:
            yield _strange(source, path, value, claimed)


def _strange(
    source: Source, path: Path, value: t.Any, claimed: set[Path]
) -> Unknown:
    import difflib  # noqa: PLC0415 - as above

    what = "section" if is_table(value) else "key"
    names = sorted({dotted(each) for each in claimed})
    near = difflib.get_close_matches(dotted(path), names, 1, 0.6)
    hint = (
        f"Did you mean {near[0]!r}?"
        if near
        else f"Known are {', '.join(names)}."
        if names
        else None
    )
    return Unknown(
        dotted(path),
        f"unknown {what}, nothing reads it",
        source=state_of(source).where(path),
        hint=hint,
    )


def check_clashes(source: Source, mine: Names) -> None:
    """
    Refuse a variable that sets a value of another class as well.

    Raises:
        ConfigError: Both are named.
    """
    if mine.prefix is None:
        return
    for other in all_names(source):
        if other is not mine and (found := clashes(mine, other)):
            raise ConfigError(found, RENAME)
