"""Dicts that code passes."""

from __future__ import annotations

import typing as t

from collections.abc import Mapping

import attrs

from .layer import Layer


@attrs.define(eq=False)
class Mapped:
    """A dict, which stays as it is."""

    data: Mapping[t.Any, t.Any]

    @property
    def name(self) -> str:
        """What errors call it."""
        return "code"

    def load(self) -> list[Layer]:
        """Return the dict."""
        return [Layer(self.data, self.name)]

    def stamp(self) -> None:
        """Say that there is never anything new."""
