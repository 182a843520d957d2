"""Which conditions hold, for one plan."""

from __future__ import annotations

import typing as t

from buvar.di._annotations.signature import Param
from buvar.di._registry.adapter import Adapter
from buvar.di._registry.condition import Condition
from buvar.di._registry.registry import Adapters

from .deciding import UndecidedError
from .deciding import holds
from .failures import Attempt
from .failures import Failure
from .nodes import Build
from .nodes import Item
from .nodes import Layers
from .nodes import Node
from .nodes import look_up
from .nodes import parts
from .premises import Premises


class Planning(t.Protocol):
    """A ``Planner``, as conditions see it."""

    adapters: Adapters
    layers: Layers
    given: t.Collection[t.Any]
    expected: t.Collection[tuple[t.Any, t.Hashable]]
    premises: Premises

    def param(self, param: Param) -> Node | Failure: ...


class Verdicts:
    """
    Says why an adapter is left out, if its condition is false.

    Each condition is asked once for a plan. What it reads from the context is
    what the plan rests on: with another component there is another plan.

    Args:
        plan: The plan.
        make: Makes one for the parameters of a condition, which are seen as
            from the call, but have nothing of its keywords.
    """

    def __init__(
        self, plan: Planning, make: t.Callable[..., Planning]
    ) -> None:
        self._plan = plan
        self._make = make
        self._found: dict[Condition, Attempt | None] = {}

    def __call__(self, adapter: Adapter) -> Attempt | None:
        """Return the attempt to use an adapter that is left out."""
        condition: Condition | None = adapter.when
        if condition is None:
            return None
        if condition not in self._found:
            # What is needed to decide about itself is left out meanwhile.
            reason = f"its condition needs itself: {condition.name}"
            self._found[condition] = Attempt(adapter, reason)
            self._found[condition] = self._ask(adapter, condition)
        found = self._found[condition]
        return found and found._replace(adapter=adapter)

    def is_out(self, adapter: Adapter) -> bool:
        """Tell whether an adapter is left out, rather than undecided."""
        found = self(adapter)
        return found is not None and not found.undecided

    def reason(self, adapter: Adapter) -> str | None:
        """Say in a line why an adapter is left out, if it is."""
        attempt = self(adapter)
        if attempt is None:
            return None
        return attempt.reason or (
            f"its condition cannot be decided: {attempt.condition}"
        )

    def _ask(self, adapter: Adapter, condition: Condition) -> Attempt | None:
        ours = self._plan
        plan = self._make(
            ours.adapters,
            ours.layers[0],
            {},
            ours.given,
            ours.expected,
            left_out=self,
        )
        nodes: list[Node] = []
        for param in condition.params:
            node = plan.param(param)
            if isinstance(node, Failure):
                self._take(plan, nodes)
                return Attempt(
                    adapter,
                    "",
                    param,
                    node,
                    undecided=True,
                    condition=condition.name,
                )
            nodes.append(node)
        self._take(plan, nodes)
        undecided = False
        try:
            is_used = holds(condition, nodes, plan.layers)
        except UndecidedError as error:
            reason = f"its condition cannot be decided, as {error}"
            undecided = not error.later
        else:
            if is_used:
                return None
            reason = "it is left out, as its condition is false"
        reason = f"{reason}: {condition.name}"
        return Attempt(adapter, reason, undecided=undecided)

    def _take(self, plan: Planning, nodes: t.Iterable[Node]) -> None:
        """Rest the plan on what a condition read."""
        ours = self._plan.premises
        ours.include(plan.premises)
        todo = list(nodes)
        while todo:
            node = todo.pop()
            if isinstance(node, Item):
                item = look_up(node.guard, plan.layers)
                ours.rests_on[node.guard] = item
            elif isinstance(node, Build):
                todo += node.needs
            else:
                todo += [part for part in parts(node) if part is not node]
