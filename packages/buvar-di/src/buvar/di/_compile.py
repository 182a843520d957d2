"""
Write a plan down as straight-line code and compile it.

The code is what one would write by hand: a line for each object. A plan
without awaits becomes a plain function. What others may be building at the
same time stands in a block of its own, entered by one task at a time.
"""

from __future__ import annotations

import itertools
import linecache
import typing as t
import weakref

from ._nodes import Build
from ._nodes import Node
from ._order import Order
from ._plan import Planner
from ._types import show


_NUMBER = itertools.count(1)


class Resolver(t.NamedTuple):
    """Compiled code, and what it rests on."""

    call: t.Callable[..., t.Any]
    is_async: bool
    absent: frozenset[t.Any]
    unnamed: frozenset[t.Any]
    lines: dict[int, Build]
    source: str


def compile_plan(
    planner: Planner, nodes: t.Sequence[Node], *, single: bool
) -> Resolver:
    """Compile what a planner decided for the targets of a call."""
    return _Writer(planner).write(nodes, single=single)


class _Writer(Order):
    """Write the function around it all."""

    def write(self, nodes: t.Sequence[Node], *, single: bool) -> Resolver:
        """Write the function, return it compiled."""
        self.order(nodes)
        values = ", ".join(self._value(node) for node in nodes)
        self._line(f"return {values if single else f'[{values}]'}", 1)
        head = ["async def resolve(context, given):"]
        if not self.is_async:
            head = ["def resolve(context, given):"]
        head += self._layers() + self._guards()
        head += [f"    {self.vars[one]} = MISSING" for one in self.maybe]
        return self._compile(head)

    def _compile(self, head: list[str]) -> Resolver:
        source = "\n".join((*head, *self.lines, ""))
        first = self.planner.order[-1].type if self.planner.order else None
        file = f"<buvar.di {show(first)} {next(_NUMBER)}>"
        code = compile(source, file, "exec")
        names = dict(self.names)
        exec(code, names)  # noqa: S102 - that is what compiling is
        call = names.pop("resolve")
        lines = source.splitlines(keepends=True)
        linecache.cache[file] = (len(source), None, lines, file)
        forget = weakref.finalize(call, linecache.cache.pop, file, None)
        forget.atexit = False
        return Resolver(
            call,
            self.is_async,
            frozenset(self.planner.absent),
            frozenset(self.planner.unnamed),
            {len(head) + n: node for n, node in self.nodes.items()},
            source,
        )
