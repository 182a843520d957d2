"""Parameters that a call leaves out are filled."""

from __future__ import annotations

import sys
import typing as t

import pytest

from buvar import context
from buvar import di


class Bar: ...


class Foo:
    def __init__(self, bar: Bar, text: str = "x") -> None:
        self.bar = bar
        self.text = text


async def test_inject_fills_what_is_missing() -> None:
    """Arguments that are given stay, the others are resolved."""

    @di.inject
    async def handler(
        number: int, bar: Bar, *, foo: Foo, text: str = "d"
    ) -> t.Any:
        """Handle."""
        return number, bar, foo, text

    di.register(Bar, Foo)
    number, bar, foo, text = await handler(1)
    assert (number, foo.bar, text) == (1, bar, "d")
    own = Bar()
    assert (await handler(1, own, text="y"))[1] is own
    context.add(Bar())
    assert (await handler(1))[1] is context.get(Bar)
    assert handler.__doc__ == "Handle."
    with pytest.raises(di.ResolveError):
        await handler()
    foo = Foo(own)
    assert (await handler(1, own, foo=foo, text="t")) == (1, own, foo, "t")


async def test_defaults_of_two_functions_are_not_mixed_up() -> None:
    """Parameters that look alike keep the default of their own function."""

    @di.inject
    async def one(text: str = "one", many: list[int] = [1]) -> t.Any:  # noqa: B006
        return text, many

    @di.inject
    async def other(text: str = "other", many: list[int] = [2]) -> t.Any:  # noqa: B006
        return text, many

    for _ in range(2):
        assert await one() == ("one", [1])
        assert await other() == ("other", [2])


async def test_methods_and_positional_only_parameters() -> None:
    """What is bound or given by place stays in its place."""

    class Handler:
        @di.inject
        async def get(self, number: int, bar: Bar, /, *rest: int) -> t.Any:
            return number, bar, rest

        @staticmethod
        @di.inject
        async def static(bar: Bar, **options: int) -> t.Any:
            return bar, options

    di.register(Bar)
    number, bar, rest = await Handler().get(1)
    assert (number, type(bar), rest) == (1, Bar, ())
    assert (await Handler().get(1, bar, 2, 3))[2] == (2, 3)
    got, options = await Handler.static(x=1)
    assert (type(got), options) == (Bar, {"x": 1})
    with pytest.raises(TypeError, match=r"\(\) (got an unexpected|too many)"):
        await Handler().get(1, bar, wrong=3)


async def test_forward_references_are_read_when_called() -> None:
    """A name may be defined after the function was decorated."""
    with pytest.raises(di.AnnotationError, match="Late is not defined"):
        await late()
    module = vars(sys.modules[late.__module__])
    module["Late"] = type("Late", (), {})
    di.register(module["Late"])
    try:
        assert type(await late()) is module["Late"]
        assert type(await late()) is module["Late"]
    finally:
        del module["Late"]


@di.inject
async def late(it: Late) -> object:  # type: ignore[name-defined] # noqa: F821
    return it


async def test_a_component_added_later_is_seen() -> None:
    """What was found out before does not hide what is new."""

    @di.inject
    async def handler(bar: Bar) -> Bar:
        return bar

    di.register(Bar)
    first = await handler()
    assert await handler() is not first
    added = context.add(Bar())
    assert await handler() is added
    with context.child():
        upper = context.add(Bar())
        assert await handler() is upper
    assert await handler() is added


async def test_functions_that_return_awaitables() -> None:
    """They are as good as async functions."""

    async def inner(bar: Bar) -> Bar:
        return bar

    @di.inject
    def outer(bar: Bar) -> t.Awaitable[Bar]:
        return inner(bar)

    @di.inject
    def lazy(bar: Bar) -> t.Awaitable[Nowhere]:  # type: ignore[name-defined] # noqa: F821
        return inner(bar)

    di.register(Bar)
    assert type(await outer()) is Bar
    assert type(await lazy()) is Bar


def test_what_is_not_async_is_refused() -> None:
    """The error comes when the function is decorated."""

    def sync(bar: Bar) -> Bar:
        return bar

    async def generator(bar: Bar) -> t.AsyncIterator[Bar]:
        yield bar

    for wrong in (sync, generator):
        with pytest.raises(di.RegisterError, match="async def"):
            di.inject(t.cast("t.Any", wrong))


async def test_any_number_of_forms_of_arguments() -> None:
    """Names of arguments may be data: what is known of them has a bound."""

    @di.inject
    async def handler(bar: Bar, **options: int) -> t.Any:
        return type(bar), options

    di.register(Bar)
    for number in range(100):
        options = {f"name{number}": number}
        assert await handler(**options) == (Bar, options)


async def test_parameters_in_any_place() -> None:
    """What is missing lands in its place, whatever is given, and how."""

    @di.inject
    async def handler(
        first: int, bar: Bar, last: str = "last", *rest: int, foo: Foo
    ) -> t.Any:
        return first, type(bar), last, rest, type(foo)

    di.register(Bar, Foo)
    made, bar = (1, Bar, "last", (), Foo), Bar()
    foo = Foo(bar)
    for _ in range(2):
        assert await handler(1) == made
        assert await handler(first=1) == made
        assert await handler(1, foo=foo) == made
        assert await handler(1, bar=bar) == made
        assert await handler(1, last="x") == (1, Bar, "x", (), Foo)
        assert await handler(1, bar, "x", foo=foo) == (1, Bar, "x", (), Foo)
        assert await handler(1, bar, "x", 2, 3) == (1, Bar, "x", (2, 3), Foo)
