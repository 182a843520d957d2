"""Compile plans, and say what was built when the code fails."""

from __future__ import annotations

import functools
import itertools
import linecache
import traceback
import typing as t
import weakref

from buvar.components import spi
from buvar.di._annotations.parse import show
from buvar.di._plan.nodes import Build
from buvar.di._plan.nodes import Node
from buvar.di._plan.plan import Plan
from buvar.di._registry.compiled import Call
from buvar.di._registry.compiled import Resolver

from .deadlock import COMPILED
from .emit import emit
from .schedule import schedule


_NUMBER = itertools.count(1)


def compile_plan(
    plan: Plan, target: t.Any, resolve_slow: Call, *, single: bool
) -> Resolver:
    """
    Compile a plan: first a schedule is made of it, then code of that.

    Args:
        plan: Where everything comes from.
        target: The first of the targets.
        resolve_slow: Asks once more, when the context answers otherwise.
        single: Return the one target, not a list of all.
    """
    for storage in plan.storage.values():
        for key in storage.keys:
            spi.announce(key)
    emitted = emit(schedule(plan), target, single=single)
    first = plan.order[-1].type if plan.order else None
    file = f"{COMPILED}{show(first)} {next(_NUMBER)}>"
    code = compile(emitted.source, file, "exec")
    names: dict[str, t.Any] = {
        **emitted.values,
        "resolve_slow": resolve_slow,
        "note": functools.partial(_note, plan.order, file, emitted.builds),
    }
    exec(code, names)  # noqa: S102 - that is what compiling is
    call = names.pop("nject")
    linecache.cache[file] = (
        len(emitted.source),
        None,
        emitted.source.splitlines(keepends=True),
        file,
    )
    forget = weakref.finalize(call, linecache.cache.pop, file, None)
    forget.atexit = False
    return Resolver(call, plan.absent, plan.unnamed)


def _note(
    order: t.Iterable[Build],
    file: str,
    builds: t.Mapping[int, Build],
    error: Exception,
) -> None:
    """
    Say what was being built when an adapter raised.

    Args:
        order: All that the code builds.
        file: The code.
        builds: What is built, by the number of the line.
        error: Gets a note.
    """
    for frame, line in traceback.walk_tb(error.__traceback__):
        build = builds.get(line)
        if frame.f_code.co_filename == file and build is not None:
            way = " <- ".join((_title(build), *_way(order, build)))
            error.add_note(f"while injecting {way}")
            return


def _title(build: Build) -> str:
    return f"{build.adapter.name} ({build.adapter.where})"


def _way(order: t.Iterable[Build], build: Build) -> t.Iterator[str]:
    """Yield the type that is built, and those that need it."""
    needed_by: dict[Node, Build] = {}
    for other in order:
        for need in other.needs:
            needed_by.setdefault(need, other)
    step: Build | None = build
    while step is not None:
        yield show(step.type)
        step = needed_by.get(step)
