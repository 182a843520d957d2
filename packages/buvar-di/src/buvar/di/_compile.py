"""
Write a plan down as straight-line code and compile it.

The code is what one would write by hand: a coroutine function with a line for
each object. What others may be building at the same time stands in a block of
its own, entered by one task at a time.
"""

from __future__ import annotations

import functools
import itertools
import linecache
import traceback
import typing as t
import weakref

from ._cache import Call
from ._cache import Resolver
from ._deadlock import COMPILED
from ._head import TOP
from ._nodes import Build
from ._nodes import Node
from ._order import Order
from ._plan import Planner
from ._types import show


_NUMBER = itertools.count(1)


def compile_plan(
    planner: Planner,
    nodes: t.Sequence[Node],
    target: t.Any,
    resolve_slow: Call,
    *,
    single: bool,
) -> Resolver:
    """
    Compile what a planner decided for the targets of a call.

    Args:
        planner: What it found out meanwhile.
        nodes: Where the targets come from.
        target: The first of them.
        resolve_slow: Asks once more, when the context answers otherwise.
        single: Return the one target, not a list of all.
    """
    return _Writer(planner).write(nodes, target, resolve_slow, single=single)


class _Writer(Order):
    """Write the function around it all."""

    def write(
        self,
        nodes: t.Sequence[Node],
        target: t.Any,
        resolve_slow: Call,
        *,
        single: bool,
    ) -> Resolver:
        """Write the function, return it compiled."""
        self.order(nodes)
        values = ", ".join(self._value(node) for node in nodes)
        self._line(f"return {values if single else f'[{values}]'}", TOP)
        guards = self._guards()
        head = [
            "async def nject(adapters, given):",
            "    context = current()",
            *self._layers(target, guards),
            *guards,
            *(
                f"    {self.vars[build]} = MISSING"
                for build in self.maybe_assigned
            ),
            "    try:",
        ]
        tail = [
            "    except Exception as error:",
            "        note(error)",
            "        raise",
        ]
        return self._compile(head, tail, resolve_slow)

    def _compile(
        self, head: list[str], tail: list[str], resolve_slow: Call
    ) -> Resolver:
        source = "\n".join((*head, *self.lines, *tail, ""))
        first = self.planner.order[-1].type if self.planner.order else None
        file = f"{COMPILED}{show(first)} {next(_NUMBER)}>"
        code = compile(source, file, "exec")
        lines = {len(head) + n: node for n, node in self.nodes.items()}
        names: dict[str, t.Any] = {
            **self.names,
            "resolve_slow": resolve_slow,
            "note": functools.partial(_note, file, lines),
        }
        exec(code, names)  # noqa: S102 - that is what compiling is
        call = names.pop("nject")
        linecache.cache[file] = (
            len(source),
            None,
            source.splitlines(keepends=True),
            file,
        )
        forget = weakref.finalize(call, linecache.cache.pop, file, None)
        forget.atexit = False
        return Resolver(
            call,
            frozenset(self.planner.absent),
            frozenset(self.planner.unnamed),
        )


def _note(file: str, lines: t.Mapping[int, Build], error: Exception) -> None:
    """Say what was being built when an adapter raised."""
    for frame, line in traceback.walk_tb(error.__traceback__):
        node = lines.get(line)
        if frame.f_code.co_filename != file or node is None:
            continue
        way = [f"{node.adapter.name} ({node.adapter.where})"]
        while node is not None:
            way.insert(0, show(node.type))
            node = node.parent
        error.add_note(f"while injecting {' <- '.join(reversed(way))}")
        return
