"""Large graphs: long chains, wide layers, many ways to fail."""

from __future__ import annotations

import typing as t

import pytest

from buvar import context
from buvar import di


def needing(needs: t.Sequence[t.Any], name: str) -> type:
    """Make a class whose constructor needs others."""
    names: dict[str, t.Any] = {f"T{n}": one for n, one in enumerate(needs)}
    heads = "".join(f", p{n}: T{n}" for n in range(len(needs)))
    exec(f"def __init__(self{heads}): self.parts = locals()", names)  # noqa: S102
    return type(name, (), {"__init__": names["__init__"]})


def adapter(needs: t.Sequence[t.Any], result: type, prefix: str = "") -> t.Any:
    """Make a function that needs others, maybe an async one."""
    names: dict[str, t.Any] = {f"T{n}": one for n, one in enumerate(needs)}
    names["R"] = result
    heads = ", ".join(f"p{n}: T{n}" for n in range(len(needs)))
    exec(f"{prefix}def make({heads}) -> R: return R()", names)  # noqa: S102
    return names["make"]


@pytest.mark.parametrize("prefix", ["", "async "])
@pytest.mark.parametrize("scope", ["call", "layer"])
async def test_chains_longer_than_the_stack(
    prefix: str, scope: di.Scope
) -> None:
    """A chain of 2,000 is planned, compiled and built."""
    last: list[type] = []
    made: list[t.Any] = []
    for n in range(2_000):
        cls = type(f"C{n}", (), {})
        made.append(adapter(last, cls, prefix))
        last = [cls]
    di.register(*made, scope=scope)
    di.check(last[0])
    async with context.child():
        first = await di.nject(last[0])
        again = await di.nject(last[0])
        assert (first is again) == (scope == "layer")


async def test_what_is_missing_at_the_end_of_a_long_chain() -> None:
    """The path is whole, of the drawing the middle is cut out."""
    chain: list[t.Any] = [int]
    for n in range(1_500):
        chain.append(needing(chain[-1:], f"C{n}"))
    di.register(*chain[1:])
    with pytest.raises(di.ResolveError) as caught:
        await di.nject(chain[-1])
    error = caught.value
    assert error.path == tuple(reversed(chain))
    assert len(error.tree) == 62
    assert "C0 needs p0: int" in error.tree[-2]
    assert "more lines ..." in str(error)
    assert "returns int" in str(error)


async def test_a_failure_met_in_many_ways_is_drawn_once() -> None:
    """Two adapters for each type of a chain are no 2 ** 25 lines."""
    last: t.Any = int
    for n in range(25):
        cls = type(f"C{n}", (), {})
        di.register(adapter([last], cls), adapter([last], cls))
        last = cls
    with pytest.raises(di.ResolveError, match="as above") as caught:
        await di.nject(last)
    assert len(caught.value.path) == 26


@pytest.mark.parametrize("scope", ["call", "layer"])
@pytest.mark.parametrize("rows", [4, 30])
async def test_rows_that_all_need_each_other(
    rows: int, scope: di.Scope
) -> None:
    """Each object is built once, however many ways lead to it."""
    row = [type(f"R0{n}", (), {}) for n in range(3)]
    di.register(*(adapter([], one, "async ") for one in row), scope=scope)
    for number in range(1, rows):
        row = [needing(row, f"R{number}{n}") for n in range(3)]
        di.register(*row, scope=scope)
    async with context.child():
        one, two = t.cast("t.Any", await di.nject(row[0], row[1]))
        assert one.parts["p0"] is two.parts["p0"]


async def test_flat_code_builds_only_what_is_needed() -> None:
    """What the layer has is not built again, nor what only that needs."""
    built: list[int] = []

    class Helper:
        def __init__(self) -> None:
            built.append(0)

    last: list[t.Any] = [Helper]
    made: list[t.Any] = []
    for n in range(20):
        cls = type(f"C{n}", (), {})
        made.append(adapter(last, cls, "async "))
        last = [cls]
    di.register(*made, scope="layer")
    di.register(Helper)
    top = needing(last, "Top")
    other = needing([Helper, *last], "Other")
    di.register(top, other)
    async with context.child() as layer:
        await di.nject(*last)
        assert built == [0]
        # Forget that it is known by its type, as if an ABC were asked for.
        for one in last:
            del layer._kept[one]
            layer._view.pop(one, None)
        await di.nject(top)
        assert built == [0]
        await di.nject(top, other)
        assert built == [0, 0]
