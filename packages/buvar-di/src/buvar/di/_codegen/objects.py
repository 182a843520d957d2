"""Write one object down: its call, its end, its place in a layer."""

from __future__ import annotations

import functools

from buvar.components.spi import CodeName
from buvar.di._annotations.parse import ask
from buvar.di._annotations.parse import checkable
from buvar.di._plan.nodes import LEVELS
from buvar.di._plan.nodes import STAGE
from buvar.di._plan.nodes import Build
from buvar.di._plan.storage import Storage
from buvar.di._registry.provider_kind import Kind

from .expressions import arguments
from .expressions import display
from .lines import Code
from .names import Names
from .runtime import yielded_twice_error


def make(
    names: Names,
    code: Code,
    build: Build,
    storage: Storage | None,
    depth: int,
) -> None:
    """
    Write how an object is built, and kept if it is.

    Args:
        names: The names of the code.
        code: What is written to.
        build: The object.
        storage: How it is kept.
        depth: How far its lines are indented.
    """
    var, kind = names.variable(build), build.adapter.kind
    function = build.adapter.callable(build.bindings)
    name = names.constant(function, getattr(function, "__name__", "call"))
    call = f"{name}({arguments(names, build)})"
    if kind is Kind.YIELD or kind is Kind.ASYNC_YIELD:
        _generator(names, code, build, call, depth)
    else:
        wait = "await " if kind is Kind.AWAIT else ""
        code.line(f"{var} = {wait}{call}", depth, build)
    if storage is None or not storage.more_types:
        _check(names, code, build, depth)
    if storage is not None:
        _store(names, code, build, storage, depth)


def _generator(
    names: Names, code: Code, build: Build, call: str, depth: int
) -> None:
    """Write the start of a generator, which goes on when a layer ends."""
    layer = "stage" if build.level == STAGE else "layer"
    var, gen = names.variable(build), names.new("generator")
    task = names.new("task")
    who = names.constant(build.adapter)
    step, stop, end = f"next({gen})", "StopIteration", f"{gen}.close()"
    error = functools.partial(yielded_twice_error, build.adapter)
    twice = names.fresh(error, "twice")
    closer = f"partial(close, {gen}, {twice}, {layer}, running_task())"
    waits = build.adapter.kind is Kind.ASYNC_YIELD
    if waits:
        step, stop = f"await anext({gen})", "StopAsyncIteration"
        end = f"await {gen}.aclose()"
        closer = f"({gen}, {twice}, {task})"
    code.line(f"if {layer}.{CodeName.BELOW} is None:", depth)
    code.line(f"raise_no_closing_layer({who})", depth + 1, build)
    code.line(f"{gen} = {call}", depth, build)
    code.line("try:", depth)
    code.line(f"{var} = {step}", depth + 1, build)
    code.line(f"except {stop}:", depth)
    code.line(f"raise_bad_result({who}, MISSING)", depth + 1, build)
    if waits:
        code.line("try:", depth)
        code.line(f"{task} = current_task()", depth + 1)
        code.line("except RuntimeError:", depth)
        code.line(f"{task} = None", depth + 1)
        # The usual case of ``defer``, spelled out.
        closers = f"{layer}.{CodeName.CLOSERS}"
        code.line(f"if {closers} is None:", depth)
        code.line(f"{closers} = {closer}", depth + 1)
        code.line("else:", depth)
        depth += 1
    code.line("try:", depth)
    code.line(f"defer({layer}, {closer})", depth + 1)
    code.line("except Ended:", depth)
    code.line(end, depth + 1)
    code.line("raise", depth + 1)


def _check(names: Names, code: Code, build: Build, depth: int) -> None:
    """Write the check that an adapter returned what it says."""
    adapter = build.adapter
    if adapter.kind is Kind.CLASS:
        return
    var, who = names.variable(build), names.constant(adapter)
    tests: list[str] = []
    if ask(adapter.returns).optional:
        tests.append(names.constant(type(None), "nothing"))
    for key in adapter.keys:
        cls = checkable(build.bindings.get(adapter.variable, key))
        if cls is None:
            return
        tests.append(names.constant(cls))
    if tests:
        code.line(f"if not isinstance({var}, {display(tests)}):", depth)
        code.line(f"raise_bad_result({who}, {var})", depth + 1, build)


def _store(
    names: Names, code: Code, build: Build, storage: Storage, depth: int
) -> None:
    """Write how a layer keeps an object."""
    layer, var, keys = LEVELS[build.level], names.variable(build), storage.keys
    places = [names.constant(key) for key in keys]
    if not storage.by_type:
        keys = (*keys, storage.place)
        places.append(place(names, storage))
    if build.adapter.kind is Kind.AWAIT:
        # Generators cannot be deferred, others awaited nothing.
        kept = f"{layer}.{CodeName.KEPT}"
        code.line(f"if {kept} is not {layer}_kept:", depth)
        refuse = f"{layer}.{CodeName.REFUSE}"
        code.line(f"{refuse}({names.constant(build.type)})", depth + 1)
    for_all = f"stage.{CodeName.KEEP}"
    if storage.more_types:
        code.line(f"if type({var}) is not {places[0]}:", depth)
        _check(names, code, build, depth + 1)
        more = f"keep({layer}_kept, {var})"
        if layer == "stage":
            more = f"{for_all}(stage_kept, types_of({var}), {var})"
        code.line(more, depth + 1)
    if layer == "stage":
        all_keys = names.fresh(keys, "keys")
        code.line(f"{for_all}(stage_kept, {all_keys}, {var})", depth)
        return
    items = "".join(f"{layer}_kept[{name}] = " for name in places)
    code.line(f"{items}{var}", depth)
    code.line(f"if {layer}.{CodeName.WATCHED} is not None:", depth)
    code.line(f"{layer}.{CodeName.CHANGED}()", depth + 1)


def place(names: Names, storage: Storage) -> str:
    """Write what an object is looked for by."""
    return names.constant(storage.place, "" if storage.by_type else "ticket")
