"""What type checkers say of the fields of a section."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import attrs

from buvar import config


def test_defaults() -> None:
    """A default is of the type of its field."""

    @attrs.define
    class Good:
        text: str = config.var("a", help="Some text.")
        number: float = config.var(1)
        maybe: int | None = config.var(None)
        names: list[str] = config.list_var(["a"])
        none: list[str] | None = config.list_var(None)
        flag: bool = config.bool_var(False)
        made: dict[str, int] = config.var(factory=dict[str, int])
        turned: int = config.var("1", converter=int)
        needed: str = config.var(kw_only=True)
        asked: bool = config.bool_var(kw_only=True)

    assert Good(needed="", asked=True).number == 1


def test_wrong_defaults() -> None:
    """One of another type is an error."""

    @attrs.define
    class Bad:
        text: str = config.var(1)  # type: ignore[assignment]
        number: int = config.var("a")  # type: ignore[assignment]
        never: int = config.var(None)  # type: ignore[assignment]
        flag: bool = config.bool_var("yes")  # type: ignore[assignment]
        names: list[str] = config.list_var([1])  # type: ignore[list-item]
        made: int = config.var(factory=str)  # type: ignore[assignment]
        turned: str = config.var("1", converter=int)  # type: ignore[assignment]

    assert Bad is not None
