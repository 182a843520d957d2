"""Keywords that nothing takes are a mistake of the caller."""

from __future__ import annotations

import typing as t

from unittest import mock

import pytest

from buvar import context
from buvar import di


class Greeter: ...


class Request: ...


class Shop:
    def __init__(self, greeter: Greeter, size: int = 1) -> None:
        self.greeter = greeter
        self.size = size


class Mall:
    def __init__(self, shop: Shop, other: Shop | None = None) -> None:
        self.shop = shop


async def refused(*targets: t.Any, **keywords: t.Any) -> di.KeywordError:
    with pytest.raises(di.KeywordError) as caught:
        await di.nject(*targets, **keywords)
    return caught.value


@pytest.mark.parametrize("target", [Shop, Mall])
@pytest.mark.parametrize(
    ("keywords", "hint"),
    [
        ({"greeter": mock.MagicMock()}, "greeter is of MagicMock, not of Gre"),
        ({"greeter": "text"}, "the keyword greeter is of str, not of Greeter"),
        ({"greeter": Greeter}, "keyword greeter is the class Greeter, not of"),
        ({"greeter": None}, "the keyword greeter is None, not of Greeter"),
        ({"size": "big"}, "the keyword size is of str, not of int"),
        ({"gretter": "text"}, "called gretter; did you mean greeter?"),
        ({"sice": 3.0}, "no parameter is called sice; did you mean size?"),
    ],
)
async def test_what_no_parameter_takes(
    target: t.Any, keywords: dict[str, t.Any], hint: str
) -> None:
    """The error names the parameters that may have been meant."""
    di.register(Shop, Greeter, Mall)
    for _ in range(2):
        error = await refused(target, **keywords)
        assert error.keywords == tuple(keywords)
        assert error.target is target
        assert hint in error.hints[0]
        assert "- Shop has " in str(error)
        assert f"[{__file__}:" in str(error)


async def test_nothing_alike() -> None:
    """Then the parameters that there are are listed."""
    di.register(Shop, Greeter)
    error = await refused(Shop, quite="other", really=b"")
    assert error.keywords == ("quite", "really")
    assert "nothing takes the keywords quite, really." in str(error)
    assert error.hints[0].endswith("did you mean greeter or size?")
    error = await refused(Greeter, quite="other")
    assert error.hints == (
        "leave out the keyword quite: there are no parameters",
    )


async def test_the_value_is_not_shown() -> None:
    """It may be a secret."""
    di.register(Shop, Greeter)
    assert "geheim" not in str(await refused(Shop, greeter="geheim"))


async def test_mocks_that_say_what_they_are() -> None:
    """With a spec it is one of the class, else an override takes it."""
    di.register(Shop, Greeter)
    fake = mock.MagicMock(spec=Greeter)
    assert (await di.nject(Shop, greeter=fake)).greeter is fake
    with di.override({Greeter: (other := mock.MagicMock())}):
        assert (await di.nject(Shop)).greeter is other
    await refused(Shop, greeter=mock.MagicMock())


async def test_what_poses_as_another_class() -> None:
    """Each value is judged on its own, though the class is the same."""

    class Proxy:
        def __init__(self, cls: type) -> None:
            self.cls = cls

        @property
        def __class__(self) -> t.Any:
            return self.cls

        @__class__.setter
        def __class__(self, cls: type) -> None: ...

    di.register(Shop, Greeter)
    proxy: t.Any = Proxy(Greeter)
    assert (await di.nject(Shop, greeter=proxy)).greeter is proxy
    await refused(Shop, greeter=Proxy(bytes))


async def test_what_is_kept_needs_it_no_more() -> None:
    """The same call again finds what the first one built."""

    def session(request: Request) -> Shop:
        return Shop(Greeter())

    di.register(session, scope="layer")
    request = Request()
    async with context.child():
        shop = await di.nject(Shop, request=request)
        assert await di.nject(Shop, request=request) is shop
        assert await di.nject(Shop, other=request) is shop
        await refused(Shop, request="text")


async def test_another_adapter_would_have_taken_it() -> None:
    """Who gives all that either of two needs made no mistake."""

    def named(text: str) -> Shop:
        return Shop(Greeter())

    def sized(number: int) -> Shop:
        return Shop(Greeter(), number)

    di.register(named, sized)
    assert (await di.nject(Shop, text="a", number=3)).size == 3


async def test_a_default_is_taken_in_place_of_it() -> None:
    """Where what would take it cannot be built, as something else lacks."""

    class Part:
        def __init__(self, name: str, missing: Request) -> None: ...

    class Whole:
        def __init__(self, part: Part | None = None) -> None:
            self.part = part

    di.register(Part, Whole)
    assert (await di.nject(Whole, name="x")).part is None
    await refused(Whole, part=3)
    await refused(Whole, name=3)


async def test_a_component_or_an_override_comes_first() -> None:
    """It is of the right type, so it is the order that decides."""
    di.register(Shop)
    greeter = context.add(Greeter())
    assert (await di.nject(Shop, other=Greeter())).greeter is greeter
    with di.override({Shop: (shop := object())}):
        assert await di.nject(Shop, greeter=Greeter()) is shop


async def test_one_of_several_targets_takes_it() -> None:
    """Each keyword is for all targets of a call."""
    di.register(Shop, Greeter)
    context.add(b"bytes")
    _, shop = await di.nject(bytes, Shop, size=3)
    assert shop.size == 3
    error = await refused(bytes, Shop, sizes="")
    assert error.target == (bytes, Shop)


async def test_names_that_are_asked_for() -> None:
    """Annotated[T, Named("x")] takes the keyword x, and its own name."""

    def make(greeter: t.Annotated[Greeter, di.Named("x")]) -> Shop:
        return Shop(greeter)

    di.register(make)
    greeter = Greeter()
    assert (await di.nject(Shop, x=greeter)).greeter is greeter
    assert (await di.nject(Shop, greeter=greeter)).greeter is greeter
    context.add(greeter, name="x")
    await refused(Shop, y=greeter)


async def test_a_failure_names_the_keyword_as_well() -> None:
    """A name that is spelled wrong may be why something is missing."""
    di.register(Shop)
    with pytest.raises(di.ResolveError) as caught:
        await di.nject(Shop, gretter="text")
    assert "no parameter is called gretter; did you mean greeter?" in (
        caught.value.hints
    )


def test_check_looks_at_its_keywords() -> None:
    """They are those that nject will get."""
    di.register(Shop, Greeter)
    di.check(Shop, size=3)
    di.check(size=3)
    with pytest.raises(di.CheckError, match="nothing takes the keyword sizes"):
        di.check(Shop, sizes="")
    with pytest.raises(di.CheckError, match="nothing takes the keyword sizes"):
        di.check(sizes="")


T = t.TypeVar("T")


async def test_generic_adapters_that_need_ever_more() -> None:
    """Each needs the same one for another type, without an end."""

    def unwrap(items: list[T]) -> T:
        raise AssertionError

    di.register(unwrap)
    with pytest.raises(di.ResolveError, match="for a new type each time"):
        await di.nject(Greeter)

    def wrap(item: Greeter | None = None) -> Request:
        return Request()

    di.register(wrap)
    await refused(Request, it=3)
