"""
Write a plan down as straight-line code and compile it.

The code is what one would write by hand: a line for each object. A plan
without awaits becomes a plain function. What others may be building at the
same time stands in a block of its own, entered by one task at a time.
"""

from __future__ import annotations

import functools
import itertools
import linecache
import typing as t
import weakref

from buvar.components import _known

from . import _lifetime
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
            if depth > 1:
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
        var, items = self._var(node), f"{LAYERS[node.level]}_items"
        ticket = self._const(node.ticket, "ticket")
        look = f"{var} = {items}.get({ticket}, MISSING)"
        if node.adapter.kind not in AWAITS:
            # Those are built once on their own.
            for _, arg in node.args:
                if isinstance(arg, Build) and arg.kept:
                    self._need(arg, depth)
        known, self.known = self.known, set(self.known)
        self._line(look, depth)
        if self._waits(node):
            self._claimed(node, look, depth)
        else:
            self._line(f"if {var} is MISSING:", depth)
            for _, arg in node.args:
                self._need(arg, depth + 1)
            self._build(node, depth + 1)
        self.known = known

    def _claimed(self, node: Build, look: str, depth: int) -> None:
        """Write what may wait: one task builds, others wait for it."""
        var, items = self._var(node), f"{LAYERS[node.level]}_items"
        ticket = self._const(node.ticket, "ticket")
        mark, claim = (
            self._const(node.building, "building"),
            self._name("claim"),
        )
        self._line(f"if {mark} in {items}:", depth)
        args = f"{items}, {ticket}, {mark}, {self._const(node.type)}"
        self._line(f"{var} = await wait({args})", depth + 1)
        self._line(f"if {var} is MISSING:", depth)
        self._line(f"{claim} = {items}[{mark}] = [current_task()]", depth + 1)
        self._line("try:", depth + 1)
        for _, arg in node.args:
            self._need(arg, depth + 2)
        if node.adapter.kind not in AWAITS:
            # A call that had no need to wait may have built it meanwhile.
            self._line(look, depth + 2)
            self._line(f"if {var} is MISSING:", depth + 2)
            self._build(node, depth + 3)
        else:
            self._build(node, depth + 2)
        self._line("finally:", depth + 1)
        self._line(f"del {items}[{mark}]", depth + 2)
        self._line(f"if len({claim}) > 1:", depth + 2)
        self._line(f"{claim}[1].set()", depth + 3)

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
        if kind is Kind.YIELD or kind is Kind.ASYNC_YIELD:
            self._generator(node, call, layer, depth)
        else:
            wait = "await " if kind is Kind.AWAIT else ""
            self._line(f"{var} = {wait}{call}", depth, node)
        if not (node.kept and self._may_be_a_subclass(node)):
            self._check(node, depth)
        if node.kept:
            self._store(node, layer, depth)

    def _generator(
        self, node: Build, call: str, layer: str, depth: int
    ) -> None:
        """Write the start of a generator, which goes on when a layer ends."""
        var, gen = self._var(node), self._name("generator")
        who = self._const(node.adapter)
        step, end = f"next({gen}, MISSING)", f"{gen}.close()"
        closer = f"partial(close, {gen}, {who})"
        if node.adapter.kind is Kind.ASYNC_YIELD:
            step, end = f"await anext({gen}, MISSING)", f"await {gen}.aclose()"
            again = functools.partial(_lifetime.twice, node.adapter)
            closer = f"({gen}, {self._const(again, 'twice')})"
        self._line(f"if {layer}.closers is None:", depth)
        self._line(f"closers({layer}, {who})", depth + 1, node)
        self._line(f"{gen} = {call}", depth, node)
        self._line(f"{var} = {step}", depth, node)
        self._line(f"if {var} is MISSING:", depth)
        self._line(f"wrong({who}, MISSING)", depth + 1, node)
        self._line("try:", depth)
        self._line(f"{layer}.closers.append({closer})", depth + 1)
        self._line("except Ended:", depth)
        self._line(end, depth + 1)
        self._line("raise", depth + 1)

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

    def _may_be_a_subclass(self, node: Build) -> bool:
        """Tell whether an object may be of more types than were said."""
        own = self.planner.keys_of(node)[0]
        return isinstance(own, type) and node.adapter.kind is not Kind.CLASS

    def _store(self, node: Build, layer: str, depth: int) -> None:
        """Write what ``layer.add`` does, the types being known already."""
        var, keys = self._var(node), self.planner.keys_of(node)
        names = [self._const(key) for key in keys]
        for key in keys:
            _known.note(key, named=False)
        names.append(self._const(node.ticket, "ticket"))
        items = "".join(f"{layer}_items[{name}] = " for name in names)
        if self._may_be_a_subclass(node):
            # As precise as add(): an instance of a subclass is one of that.
            self._line(f"if type({var}) is not {names[0]}:", depth)
            self._check(node, depth + 1)
            self._line(f"{layer}.add({var})", depth + 1)
        self._line(f"{items}{var}", depth)
        # A view that nobody looked through knows nothing else.
        self._line(f"if {layer}.linked:", depth)
        for name in names[:-1]:
            self._line(f"{layer}.view[{name}] = {var}", depth + 1)
        self._line(f"if {layer}.dependents:", depth)
        self._line(f"empty({layer}.dependents)", depth + 1)


def _is_default(node: Node) -> bool:
    return isinstance(node, Const) and node.default
