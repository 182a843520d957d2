"""What a plan rests on, noted while it is made."""

from __future__ import annotations

import typing as t

from .nodes import Guard


class Premises:
    """
    All that would have to be planned anew if it changed.

    Attributes:
        guards: Each question to the context, and whether there was an
            answer.
        collected: The same for all components of some types: whether the
            plan rests on there being some, or none, ``None`` if it does not
            matter.
        rests_on: The components that conditions have read: others may decide
            anew.
        absent: Types that nothing was ever added under.
        unnamed: Types that nothing was ever added under with a name.
        by_value: The next call may look the same and mean another thing, as
            where a keyword is judged by its value: its plan is not kept.
    """

    def __init__(self) -> None:
        self.guards: dict[Guard, bool] = {}
        self.collected: dict[Guard, bool | None] = {}
        self.rests_on: dict[Guard, t.Any] = {}
        self.absent: set[t.Any] = set()
        self.unnamed: set[t.Any] = set()
        self.by_value = False

    def include(self, others: Premises) -> None:
        """Rest on what something else rests on, too."""
        self.guards.update(others.guards)
        self.collected.update(others.collected)
        self.absent |= others.absent
        self.unnamed |= others.unnamed
        self.by_value |= others.by_value
