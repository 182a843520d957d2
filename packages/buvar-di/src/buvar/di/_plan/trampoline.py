"""Plan chains of dependencies that are longer than the stack is deep."""

from __future__ import annotations

import typing as t

from .failures import Failure
from .nodes import Node


#: A step of planning: it yields the step it needs the result of. So a chain
#: of dependencies may be longer than Python's stack is deep.
Steps: t.TypeAlias = t.Generator[t.Any, t.Any, Node | Failure]


def run(step: Steps) -> Node | Failure:
    """Take a step, and before all those that it needs."""
    steps, result = [step], None
    while steps:
        try:
            needed = steps[-1].send(result)
        except StopIteration as end:
            steps.pop()
            result = end.value
        else:
            steps.append(needed)
            result = None
    return t.cast("Node | Failure", result)
