"""
What reads which name: a variable, a file of the secrets folder, a table.

What a class cannot know, others may read. So a name that is nearly right, or
that is below a table of a class, is refused when that class is loaded; all
others when the whole is known, by ``ConfigSource.check_unknown``.
"""

from __future__ import annotations

import os
import re
import typing as t

from ._diagnose import Unknown
from ._env import RENAME
from ._env import Names
from ._env import clashes
from ._env import name_of
from ._env import names as names_of
from ._errors import ConfigError
from ._errors import dotted
from ._merge import Path
from ._merge import is_table
from ._merged import Merged
from ._open import keys_at
from ._sections import in_reach
from ._sections import in_use
from ._types import origin


#: What Kubernetes and Docker set in each container for services.
_SERVICE = re.compile(
    r".*_SERVICE_(HOST|PORT(_\w+)?)"
    r"|.*_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?"
)
#: How alike two names are that are meant to be the same.
_NEAR = 0.7


def all_names(source: Merged) -> list[Names]:
    """Return the names of all that is known to be read from a source."""
    found = {
        id(names): names
        for seen in source.loaded.values()
        if (names := seen()) is not None and in_reach(origin(names.tp))
    }
    for section, cls in in_use().items():
        path = tuple(section.split("."))
        try:
            names = names_of(cls, path, source.env_prefix)
        except ConfigError:
            # It is said when that class is loaded.
            continue
        found[id(names)] = names
    return list(found.values())


def _variables(source: Merged) -> list[str]:
    """List the variables that have the prefix."""
    if not source.env_prefix:
        return []
    start = f"{source.env_prefix}_"
    return sorted(
        name
        for name in os.environ
        if name.startswith(start) and not _is_of_a_service(name)
    )


def _is_of_a_service(name: str) -> bool:
    if name.endswith("_PORT"):
        return re.match(r"(tcp|udp|sctp)://", os.environ[name]) is not None
    return _SERVICE.fullmatch(name) is not None


def is_claimed(source: Merged, names: t.Iterable[Names], name: str) -> bool:
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
        for path in source.reserved
    )


def stray_variables(source: Merged, mine: Names) -> list[Unknown]:
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
    for shown, name in _given(source):
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
            _unknown(shown, dotted((*mine.section, *below)), near, mine)
        )
    return found


def _given(source: Merged) -> list[tuple[str, str]]:
    """List variables and secret files: as they are shown, and their names."""
    prefix = f"{source.env_prefix}_" if source.env_prefix else ""
    found = [
        (f"${name}", name.removeprefix(prefix)) for name in _variables(source)
    ]
    found += [
        (str(file), name.removeprefix(prefix))
        for name, file in source.secret_files.items()
    ]
    return found


def _has_table(source: Merged, name: str, stem: str) -> bool:
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
    shown: str,
    path: str,
    near: str | None,
    names: Names | None,
) -> Unknown:
    what = "variable" if shown.startswith("$") else "secret file"
    hint = None
    if near and names:
        meant = names.join(near) if what == "variable" else near.lower()
        hint = f"Did you mean {meant}?"
    return Unknown(path, f"unknown {what}, it sets nothing", None, shown, hint)


def unclaimed(source: Merged) -> list[Unknown]:
    """Return all that nothing reads, once the whole is known."""
    known = all_names(source)
    found = [*_tables(source, known)]
    every = {name: claim for claim in known for name in claim.leaves}
    import difflib  # noqa: PLC0415 - as above

    for shown, name in _given(source):
        if not is_claimed(source, known, name):
            near = difflib.get_close_matches(name, every, 1, 0.6)
            hint = near[0] if near else None
            owner = every[hint] if hint else None
            found.append(_unknown(shown, "", hint, owner))
    return found


def _tables(source: Merged, known: list[Names]) -> t.Iterator[Unknown]:
    claimed: set[Path] = set(source.reserved)
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
    source: Merged, path: Path, value: t.Any, claimed: set[Path]
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
        source=source.where(path),
        hint=hint,
    )


def check_clashes(source: Merged, mine: Names) -> None:
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
