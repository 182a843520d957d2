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

from buvar.components import _known

from ._head import AWAITS
from ._head import LAYERS
from ._head import Head
from ._kind import Kind
from ._nodes import STAGE
from ._nodes import Build
from ._nodes import Const
from ._nodes import Node
from ._plan import Planner
from ._types import checkable
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


class _Writer(Head):
    """Write the body: a line for each object."""

    def write(self, nodes: t.Sequence[Node], *, single: bool) -> Resolver:
        """Write the function, return it compiled."""
        if self.is_async:
            self._async(nodes)
        else:
            for build in self.planner.order:
                self._build(build, 1)
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

    # --- the body ---------------------------------------------------------

    def _async(self, nodes: t.Sequence[Node]) -> None:
        for node in nodes:
            self._need(node, 1)

    def _need(self, node: Node, depth: int) -> None:
        """Write what a value needs, and the value, unless it is there."""
        if not isinstance(node, Build) or node in self.known:
            return
        if node in self.maybe:
            self._line(f"if {self._var(node)} is MISSING:", depth)
            self._block(node, depth + 1)
        elif node.kept:
            self.maybe.append(node)
            self._once(node, depth)
        else:
            if depth > 1:
                self.maybe.append(node)
            for _, arg in node.args:
                self._need(arg, depth)
            self._build(node, depth)
        self.known.add(node)

    def _block(self, node: Build, depth: int) -> None:
        """Write a value where it is not sure to be reached."""
        known, self.known = self.known, set(self.known)
        if node.kept:
            self._once(node, depth)
        else:
            for _, arg in node.args:
                self._need(arg, depth)
            self._build(node, depth)
        self.known = known

    def _once(self, node: Build, depth: int) -> None:
        """Write what is built for a layer: once, whoever asks meanwhile."""
        var, layer = self._var(node), LAYERS[node.level]
        ticket = self._const(node.ticket, "ticket")
        look = f"{var} = {layer}.items.get({ticket}, MISSING)"
        if node.adapter.kind not in AWAITS:
            # Those are built once on their own.
            for _, arg in node.args:
                if isinstance(arg, Build) and arg.kept:
                    self._need(arg, depth)
        known, self.known = self.known, set(self.known)
        waits = self._waits(node)
        self._line(look, depth)
        building = f"{layer}.items"
        if waits:
            mark = self._const(node.building, "building")
            building = f"{layer}.items[{mark}]"
            self._line(f"if {mark} in {layer}.items:", depth)
            args = f"{layer}.items, {ticket}, {mark}, {self._const(node.type)}"
            self._line(f"{var} = await wait({args})", depth + 1)
        self._line(f"if {var} is MISSING:", depth)
        depth += 1
        if waits:
            self._line(f"{building} = [current_task()]", depth)
            self._line("try:", depth)
            depth += 1
        for _, arg in node.args:
            self._need(arg, depth)
        if waits and node.adapter.kind not in AWAITS:
            # A call that had no need to wait may have built it meanwhile.
            self._line(look, depth)
            self._line(f"if {var} is MISSING:", depth)
            self._build(node, depth + 1)
        else:
            self._build(node, depth)
        if waits:
            self._line("finally:", depth - 1)
            self._line(f"for event in {layer}.items.pop({mark})[1:]:", depth)
            self._line("event.set()", depth + 1)
        self.known = known

    def _waits(self, node: Build) -> bool:
        """Tell whether others may run while something is built."""
        todo: list[Build] = [node]
        for one in todo:
            if one.adapter.kind in AWAITS:
                return True
            todo += [
                arg
                for _, arg in one.args
                if isinstance(arg, Build) and arg not in self.known
            ]
        return False

    def _build(self, node: Build, depth: int) -> None:
        var, kind = self._var(node), node.adapter.kind
        call = f"{self._callable(node)}({self._args(node)})"
        layer = "stage" if node.level == STAGE else "layer"
        if kind is Kind.AWAIT:
            call = f"await {call}"
        elif kind is Kind.YIELD or kind is Kind.ASYNC_YIELD:
            ends, gen = self._name("ends"), self._name("generator")
            who = self._const(node.adapter)
            self._line(f"{ends} = closers({layer}, {who})", depth, node)
            self._line(f"{gen} = {call}", depth, node)
            step, stop, end = f"next({gen})", "StopIteration", "close"
            if kind is Kind.ASYNC_YIELD:
                step = f"await {gen}.__anext__()"
                stop, end = "StopAsyncIteration", "aclose"
            self._line("try:", depth)
            self._line(f"{var} = {step}", depth + 1, node)
            self._line(f"except {stop}:", depth)
            self._line(f"wrong({who}, MISSING)", depth + 1, node)
            self._line(f"{ends}.append(partial({end}, {gen}, {who}))", depth)
            call = ""
        if call:
            self._line(f"{var} = {call}", depth, node)
        self._check(node, depth)
        if node.kept:
            self._store(node, layer, depth)

    def _callable(self, node: Build) -> str:
        call = node.adapter.callable(node.bindings)
        return self._const(call, getattr(call, "__name__", "call"))

    def _args(self, node: Build) -> str:
        """Write the arguments; defaults at the end are left to the callee."""
        args: list[str] = []
        positional = [one for one in node.args if not one[0].keyword_only]
        while positional and _is_default(positional[-1][1]):
            positional.pop()
        args += [self._value(arg) for _, arg in positional]
        args += [
            f"{param.name}={self._value(arg)}"
            for param, arg in node.args
            if param.keyword_only and not _is_default(arg)
        ]
        return ", ".join(args)

    def _check(self, node: Build, depth: int) -> None:
        """Write the check that an adapter returned what it says."""
        if node.adapter.kind is Kind.CLASS:
            return
        var, who = self._var(node), self._const(node.adapter)
        tests: list[str] = []
        for key in node.adapter.keys:
            cls = checkable(node.bindings.get(node.adapter.variable, key))
            if cls is None:
                tests = []
                break
            tests.append(self._const(cls))
        if tests:
            classes = ", ".join(tests)
            if len(tests) > 1:
                classes = f"({classes})"
            self._line(f"if not isinstance({var}, {classes}):", depth)
            self._line(f"wrong({who}, {var})", depth + 1, node)

    def _store(self, node: Build, layer: str, depth: int) -> None:
        """Write what ``layer.add`` does, the types being known already."""
        var, keys = self._var(node), self.planner.keys_of(node)
        for key in keys:
            _known.note(key, named=False)
            name = self._const(key)
            self._line(
                f"{layer}.items[{name}] = {layer}.view[{name}] = {var}", depth
            )
        ticket = self._const(node.ticket, "ticket")
        self._line(f"{layer}.items[{ticket}] = {var}", depth)
        own = keys[0]
        if isinstance(own, type) and node.adapter.kind is not Kind.CLASS:
            # As precise as add(): an instance of a subclass is one of that.
            self._line(f"if type({var}) is not {self._const(own)}:", depth)
            self._line(f"{layer}.add({var})", depth + 1)
        self._line(f"if {layer}.dependents:", depth)
        self._line(f"empty({layer}.dependents)", depth + 1)


def _is_default(node: Node) -> bool:
    return isinstance(node, Const) and node.default
