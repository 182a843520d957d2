"""Overrides, by the keys that are looked up for a type."""

from __future__ import annotations

import typing as t

from buvar.di._annotations.parse import Key
from buvar.di._annotations.parse import ask
from buvar.di._annotations.parse import is_type
from buvar.di._errors import ResolveError


def block_of(fakes: t.Mapping[t.Any, t.Any]) -> dict[Key, t.Any]:
    """
    Return the objects of a block that overrides, by what is looked up.

    Raises:
        ResolveError: A key is not a type, so nothing asks for it.
    """
    return {
        key: fake
        for target, fake in fakes.items()
        for key in _asked_by(target)
    }


def _asked_by(key: t.Any) -> list[t.Any]:
    """Return what is looked up where a type is asked for, as it is spelled."""
    asked = ask(key)
    if not asked.keys or not all(map(is_type, asked.keys)):
        text = f"{key!r} cannot be overridden: it is not a type."
        raise ResolveError(
            key, (text,), (key,), ("override the type that is asked for",)
        )
    if asked.named is None:
        return list(asked.keys)
    return [t.Annotated[tp, asked.named] for tp in asked.keys]
