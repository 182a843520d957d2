"""Write one object down: its call, its end, its place in a layer."""

from __future__ import annotations

import functools

from buvar.components import spi
from buvar.components.spi import CodeName

from ._head import AWAITS
from ._head import Head
from ._nodes import STAGE
from ._nodes import Build
from ._nodes import Const
from ._nodes import Node
from ._provider_kind import Kind
from ._runtime import yielded_twice_error
from ._types import ask
from ._types import checkable


class Body(Head):
    """The lines of single objects."""

    def _build(self, node: Build, depth: int) -> None:
        var, kind = self._var(node), node.adapter.kind
        call = f"{self._callable(node)}({self._args(node)})"
        layer = "stage" if node.level == STAGE else "layer"
        self.awaited |= kind in AWAITS
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
        task = self._name("task")
        who = self._const(node.adapter)
        step, stop, end = f"next({gen})", "StopIteration", f"{gen}.close()"
        error = functools.partial(yielded_twice_error, node.adapter)
        twice = self._const(error, "twice")
        closer = f"partial(close, {gen}, {twice}, {layer}, running_task())"
        if node.adapter.kind is Kind.ASYNC_YIELD:
            step, stop = f"await anext({gen})", "StopAsyncIteration"
            end = f"await {gen}.aclose()"
            closer = f"({gen}, {twice}, {task})"
        self._line(f"if {layer}.{CodeName.BELOW} is None:", depth)
        self._line(f"raise_no_closing_layer({who})", depth + 1, node)
        self._line(f"{gen} = {call}", depth, node)
        self._line("try:", depth)
        self._line(f"{var} = {step}", depth + 1, node)
        self._line(f"except {stop}:", depth)
        self._line(f"raise_bad_result({who}, MISSING)", depth + 1, node)
        if node.adapter.kind is Kind.ASYNC_YIELD:
            self._line("try:", depth)
            self._line(f"{task} = current_task()", depth + 1)
            self._line("except RuntimeError:", depth)
            self._line(f"{task} = None", depth + 1)
            # The usual case of ``defer``, spelled out.
            closers = f"{layer}.{CodeName.CLOSERS}"
            self._line(f"if {closers} is None:", depth)
            self._line(f"{closers} = {closer}", depth + 1)
            self._line("else:", depth)
            depth += 1
        self._line("try:", depth)
        self._line(f"defer({layer}, {closer})", depth + 1)
        self._line("except Ended:", depth)
        self._line(end, depth + 1)
        self._line("raise", depth + 1)

    def _callable(self, node: Build) -> str:
        call = node.adapter.callable(node.bindings)
        return self._const(call, getattr(call, "__name__", "call"))

    def _args(self, node: Build) -> str:
        """Write the arguments; defaults at the end are left to the callee."""
        args: list[str] = []
        positional = [pair for pair in node.args if not pair[0].keyword_only]
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
        if ask(node.adapter.returns).optional:
            tests.append(self._const(type(None), "nothing"))
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
            self._line(f"raise_bad_result({who}, {var})", depth + 1, node)

    def _may_be_a_subclass(self, node: Build) -> bool:
        """Tell whether an object may be of more types than were said."""
        if self._is_layered(node):
            # It is found by what it stands for, and by nothing else.
            return False
        own = self.planner.keys_of(node)[0]
        return isinstance(own, type) and node.adapter.kind is not Kind.CLASS

    def _store(self, node: Build, layer: str, depth: int) -> None:
        """Write how a layer keeps it."""
        var, keys = self._var(node), self.planner.keys_of(node)
        names = [self._const(key) for key in keys]
        for key in keys:
            spi.announce(key)
        if self._key(node) is node.ticket:
            keys = (*keys, node.ticket)
            names.append(self._place(node))
        if node.adapter.kind is Kind.AWAIT:
            # Generators cannot be deferred, others awaited nothing.
            kept = f"{layer}.{CodeName.KEPT}"
            self._line(f"if {kept} is not {layer}_kept:", depth)
            refuse = f"{layer}.{CodeName.REFUSE}"
            self._line(f"{refuse}({self._const(node.type)})", depth + 1)
        for_all = f"stage.{CodeName.KEEP}"
        if self._may_be_a_subclass(node):
            self._line(f"if type({var}) is not {names[0]}:", depth)
            self._check(node, depth + 1)
            more = f"keep({layer}_kept, {var})"
            if layer == "stage":
                more = f"{for_all}(stage_kept, types_of({var}), {var})"
            self._line(more, depth + 1)
        if layer == "stage":
            all_keys = self._const(keys, "keys")
            self._line(f"{for_all}(stage_kept, {all_keys}, {var})", depth)
            return
        items = "".join(f"{layer}_kept[{name}] = " for name in names)
        self._line(f"{items}{var}", depth)
        self._line(f"if {layer}.{CodeName.WATCHED} is not None:", depth)
        self._line(f"{layer}.{CodeName.CHANGED}()", depth + 1)


def _is_default(node: Node) -> bool:
    return isinstance(node, Const) and node.default
