"""
Write down in which order objects are built.

Nested: what is built for a layer, and may have to wait, stands in a block with
all that only it needs, entered by one task at a time. Flat: first is found out
what is needed, then one after the other is built; for what is nested deeper
than Python allows.
"""

from __future__ import annotations

import typing as t

from buvar.components.spi import CodeName

from ._body import Body
from ._head import AWAITS
from ._head import LAYERS
from ._head import TOP
from ._nodes import STAGE
from ._nodes import Build
from ._nodes import Node
from ._nodes import parts


#: Python nests 20 blocks, a level here takes one of them and two indents.
_DEEP = 12


class Order(Body):
    """The lines of all objects."""

    def order(self, nodes: t.Sequence[Node]) -> None:
        """Write all that the targets need."""
        builds = self.planner.order
        waits = self.is_async or any(
            build.kept and build.level == STAGE for build in builds
        )
        if waits and _depth(builds) <= _DEEP:
            for node in nodes:
                for part in parts(node):
                    self._need(part, TOP)
        elif waits or any(map(self._may_be_there, builds)):
            self._flat(nodes)
        else:
            for build in builds:
                self._build(build, TOP)

    def _may_be_there(self, node: Build) -> bool:
        """
        Tell whether it may have been built although its type is absent.

        That is so where an adapter is found by an ABC its class was
        registered with: what it built before is not known as one.
        """
        return node.kept and node.type not in self.planner.own_keys(node)

    # --- nested -----------------------------------------------------------

    def _need(self, node: Node, depth: int) -> None:
        """Write what a value needs, and the value, unless it is there."""
        if not isinstance(node, Build) or node in self.assigned:
            return
        if node in self.maybe_assigned:
            self._line(f"if {self._var(node)} is MISSING:", depth)
            # Not sure to be reached, so what is built there is not known.
            assigned, self.assigned = self.assigned, set(self.assigned)
            self._write(node, depth + 1)
            self.assigned = assigned
        else:
            if depth > TOP:
                self.maybe_assigned.append(node)
            self._write(node, depth)
        self.assigned.add(node)

    def _write(self, node: Build, depth: int) -> None:
        """Write a value, what it needs first."""
        if node.kept:
            self._once(node, depth)
        else:
            for arg in node.needs:
                self._need(arg, depth)
            self._build(node, depth)

    def _once(self, node: Build, depth: int) -> None:
        """Write what is built for a layer: once, whoever asks meanwhile."""
        var = self._var(node)
        if node.adapter.kind not in AWAITS:
            # Those are built once on their own.
            for arg in node.needs:
                if isinstance(arg, Build) and arg.kept:
                    self._need(arg, depth)
        waits, is_new = self._waits(node), self._is_new(node)
        if is_new and not waits:
            for arg in node.needs:
                self._need(arg, depth)
            self._build(node, depth)
            return
        assigned, self.assigned = self.assigned, set(self.assigned)
        if waits:
            if not is_new:
                self._line(f"{var} = {self._get(node)}", depth)
                self._line(f"if {var} is MISSING:", depth)
            self._claim(node, depth if is_new else depth + 1)
            self._build_claimed(node, depth)
        else:
            self._unless_there(node, depth)
        self.assigned = assigned

    def _unless_there(self, node: Build, depth: int) -> None:
        """Write a value, and what it needs, unless the layer has it."""
        var, items = self._var(node), f"{LAYERS[node.level]}_kept"
        place = self._place(node)
        self._line(f"if {place} in {items}:", depth)
        self._line(f"{var} = {items}[{place}]", depth + 1)
        if self.awaited and self._key(node) is not node.ticket:
            # What was added meanwhile is as good: it would have been taken.
            added = f"{LAYERS[node.level]}.{CodeName.ITEMS}"
            self._line(f"elif {place} in {added}:", depth)
            self._line(f"{var} = {added}[{place}]", depth + 1)
        self._line("else:", depth)
        for arg in node.needs:
            self._need(arg, depth + 1)
        self._build(node, depth + 1)

    def _get(self, node: Build) -> str:
        """Write the question for what may have been built before."""
        items = f"{LAYERS[node.level]}_kept"
        return f"{items}.get({self._place(node)}, MISSING)"

    def _claim(self, node: Build, depth: int) -> None:
        """
        Write who builds what may wait: one call, others wait for it.

        A call claims it by its keywords, which no other call has: the dict
        takes one of them only, also where threads ask at the same time.
        """
        var, kept = self._var(node), f"{LAYERS[node.level]}_kept"
        place = self._place(node)
        mark = self._const(node.building, "building")
        args = f"{kept}, {place}, {mark}, given, {self._const(node.type)}"
        self._line(f"if {kept}.setdefault({mark}, given) is not given:", depth)
        self._line(f"{var} = await wait({args})", depth + 1)
        self._line(f"elif {place} in {kept}:", depth)
        # It has been built just before that.
        self._line(f"{var} = {kept}[{place}]", depth + 1)
        self._line(f"release({kept}, {mark}, given)", depth + 1)
        self._line("else:", depth)
        self._line(f"{var} = MISSING", depth + 1)
        self.awaited = True

    def _build_claimed(self, node: Build, depth: int) -> None:
        """Write what the call does that has claimed it."""
        var, kept = self._var(node), f"{LAYERS[node.level]}_kept"
        mark = self._const(node.building, "building")
        self._line(f"if {var} is MISSING:", depth)
        self._line("try:", depth + 1)
        for arg in node.needs:
            self._need(arg, depth + 2)
        if node.adapter.kind in AWAITS or node.level == STAGE:
            self._build(node, depth + 2)
        else:
            # A call that had no need to wait may have built it meanwhile.
            self._unless_there(node, depth + 2)
        self._line("finally:", depth + 1)
        self._line(f"{kept}.pop({mark}, None)", depth + 2)
        self._line("if given:", depth + 2)
        self._line("wake(given)", depth + 3)

    def _waits(self, node: Build) -> bool:
        """
        Tell whether others may run while something is built.

        Other threads may, where they share it: the layer of the stage.
        """
        if node.level == STAGE:
            return True
        todo: dict[Node, None] = {node: None}
        while todo:
            needed, _ = todo.popitem()
            if not isinstance(needed, Build):
                continue
            if needed.adapter.kind in AWAITS or (
                needed.kept and needed.level == STAGE
            ):
                return True
            inner = (arg for arg in needed.needs if arg not in self.assigned)
            todo.update(dict.fromkeys(inner))
        return False

    # --- flat -------------------------------------------------------------

    def _flat(self, nodes: t.Sequence[Node]) -> None:
        builds = self.planner.order
        wanted = self._wanted(nodes)
        self.assigned.update(builds)
        for node in builds:
            depth = TOP
            if wanted[node] != "True":
                self._line(f"if {wanted[node]}:", depth)
                depth += 1
            self._write(node, depth)

    def _wanted(self, nodes: t.Sequence[Node]) -> dict[Build, str]:
        """Write what finds out which objects are needed, from the top."""
        needs: dict[Node, list[str]] = {
            part: ["True"] for node in nodes for part in parts(node)
        }
        wanted: dict[Build, str] = {}
        for node in reversed(self.planner.order):
            reasons = list(dict.fromkeys(needs.get(node, ())))
            flag = "True" if "True" in reasons else " or ".join(reasons)
            if len(reasons) > 1 and flag != "True":
                flag = self._name("wanted")
                self._line(f"{flag} = {' or '.join(reasons)}", TOP)
            wanted[node] = missing = flag
            if node.kept:
                missing = self._name("missing")
                items = f"{LAYERS[node.level]}_kept"
                test = f"{self._place(node)} not in {items}"
                if flag != "True":
                    test = f"{flag} and {test}"
                self._line(f"{missing} = {test}", TOP)
            for arg in node.needs:
                needs.setdefault(arg, []).append(missing)
        return wanted


def _depth(builds: t.Iterable[Build]) -> int:
    """Count the objects in the longest chain."""
    depths: dict[Node, int] = {}
    for node in builds:
        inner = (depths.get(arg, 0) for arg in node.needs)
        depths[node] = 1 + max(inner, default=0)
    return max(depths.values(), default=0)
