"""Whatever types and functions are called, the compiled code is right."""

from __future__ import annotations

import typing as t

import pytest

from buvar import context
from buvar import di


class Out:
    def __init__(self, *parts: t.Any) -> None:
        self.parts = parts


@pytest.mark.parametrize("scope", ["call", "layer"])
@pytest.mark.parametrize(
    "name",
    [
        *("", "1x", "a b", "x-y", "'", "print\n", "\u2028", "f('os')"),
        *("class", "None", "await", "match", "_", "__class__"),
        *("\ufb01", "\u00dcn\u00efc\u00f6de", "\u212b", "\u00b2", "\u0660"),
        *("given", "adapters", "context", "note", "error", "nject"),
        *("resolve_slow", "any_present", "raise_bad_result"),
        *("isinstance", "type", "next", "anext", "Exception", "MISSING"),
        *("StopIteration", "partial", "layer", "items", "close"),
    ],
)
async def test_names_of_types_and_functions(name: str, scope: t.Any) -> None:
    """A name that is no identifier, or one that the code itself uses."""
    cls: t.Any = type(name, (), {})
    needs: t.Any = type(name, (), {})

    async def make() -> t.AsyncIterator[t.Any]:
        yield cls()

    def user(one: t.Any) -> t.Any:
        return needs()

    make.__annotations__["return"] = t.AsyncIterator[cls]
    user.__annotations__ = {"one": cls, "return": needs}
    for function in (make, user):
        function.__name__ = function.__qualname__ = name
    di.register(make, user, scope=scope)
    async with context.child():
        for _ in range(2):
            assert type(await di.nject(needs)) is needs
            assert type(await di.nject(cls)) is cls


@pytest.mark.parametrize(
    "name", ["given", "adapters", "context", "\u00dcn\u00ef", "type", "_"]
)
async def test_names_of_parameters(name: str) -> None:
    """Any identifier will do, by position and by name."""
    names: dict[str, t.Any] = {"Out": Out}
    exec(  # noqa: S102 - the name is a parameter
        f"def make(*, {name}: int, x: str) -> Out: return Out(x, {name})",
        names,
    )
    di.register(names["make"])
    made = await di.nject(Out, **{name: 3, "x": "a"})
    assert made.parts == ("a", 3)
