"""Keys of a ``TypedDict`` that may be left out, however that is written."""

from __future__ import annotations

import typing as t

import attrs
import pytest

from buvar import config


T = t.TypeVar("T")


class Limits(t.TypedDict):
    most: int
    least: t.NotRequired[int]
    words: t.Annotated[t.NotRequired[list[str]], "some"]


class Base(t.TypedDict, total=False):
    name: t.Required[str]
    port: int


class Derived(Base):
    more: t.NotRequired[float]
    inner: t.NotRequired[Limits]


class Box(t.TypedDict, t.Generic[T]):
    item: T
    spare: t.NotRequired[T]


#: The same without text: Python itself sees what is required.
class Plain(t.TypedDict):
    most: int
    least: t.NotRequired[int]


@attrs.define
class Shop:
    limits: Limits
    derived: list[Derived] = attrs.field(factory=list)
    box: Box[int] | None = None
    plain: Plain | None = None


def load(**data: t.Any) -> Shop:
    return config.ConfigSource({"limits": {"most": 1}, **data}).load(Shop)


def test_left_out() -> None:
    """What is ``NotRequired`` may be missing, else it has its type."""
    assert load().limits == {"most": 1}
    limits = {"most": "2", "least": "3", "words": ["a"]}
    assert load(limits=limits).limits == {
        "most": 2,
        "least": 3,
        "words": ["a"],
    }
    found = load(
        derived=[{"name": "a"}, {"name": "b", "more": "1.5", "inner": limits}],
        box={"item": "1", "spare": "2"},
        plain={"most": 1},
    )
    assert found.derived[0] == {"name": "a"}
    assert found.derived[1]["more"] == 1.5
    assert found.derived[1]["inner"]["least"] == 3
    assert found.box == {"item": 1, "spare": 2}
    assert found.plain == {"most": 1}


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        ({"limits": {"least": 1}}, "limits.most: missing"),
        ({"limits": {"most": 1, "least": "x"}}, "limits.least: expected a"),
        ({"derived": [{"port": 1}]}, "derived[0].name: missing"),
        ({"box": {"item": "x"}}, "box.item: expected a whole number"),
        ({"limits": {"most": 1, "last": 1}}, "limits.last: unknown key"),
    ],
    ids=str,
)
def test_what_is_wrong(data, wrong) -> None:
    """What is required has to be there, and each key has its type."""
    with pytest.raises(config.ConfigError) as caught:
        load(**data)

    assert len(caught.value.errors) == 1
    assert wrong in str(caught.value)
