"""What check() knows of callers: injected functions, and later components."""

from __future__ import annotations

import functools
import gc
import typing as t

import pytest

from buvar import context
from buvar import di


class Request: ...


class WebRequest(Request): ...


class Missing: ...


class User:
    def __init__(self, request: WebRequest) -> None:
        self.request = request


class Base: ...


@di.inject
async def handler(request, missing: Missing):  # type: ignore[no-untyped-def]
    return request, missing


def faults() -> tuple[di.ResolveError, ...]:
    with pytest.raises(di.CheckError) as caught:
        di.check()
    return caught.value.errors


def test_a_handler_whose_parameter_is_missing() -> None:
    """The error names the handler, its file and line, and the parameter."""
    assert di.add_entry_point(handler, positional=1)
    (error,) = faults()
    first = str(error).splitlines()[0]
    assert first.startswith(f"handler ({__file__}:")
    assert first.endswith(" missing: Missing, which cannot be resolved:")
    assert error.target is Missing
    di.register(Missing)
    di.check()


def test_the_same_call_twice_is_one_fault() -> None:
    """A handler of several routes is verified once."""
    for _ in range(2):
        di.add_entry_point(handler, positional=1)
    assert len(faults()) == 1


def test_what_the_caller_passes_is_not_looked_for() -> None:
    """Neither what stands before it, nor what a partial has bound."""
    assert di.add_entry_point(handler, positional=2)
    assert di.add_entry_point(functools.partial(handler, 1), positional=1)
    assert di.add_entry_point(
        functools.partial(handler, missing=Missing()), positional=1
    )
    di.check()
    di.add_entry_point(functools.partial(handler, 1))
    assert len(faults()) == 1


def test_keywords_only_are_not_passed_by_position() -> None:
    """However many arguments there are."""

    @di.inject
    async def named(request: Request, *, missing: Missing) -> None: ...

    di.add_entry_point(named, positional=2)
    assert len(faults()) == 1


def test_where_an_injected_function_is_found() -> None:
    """Behind methods, partials, objects and well-made decorators."""

    class View:
        @di.inject
        async def get(self, missing: Missing) -> None: ...

    class Callable:
        @di.inject
        async def __call__(self, missing: Missing) -> None: ...

    def logged(function: t.Any) -> t.Any:
        @functools.wraps(function)
        async def wrapper(*args: t.Any) -> t.Any:
            return await function(*args)

        return wrapper

    for number, one in enumerate(
        [View().get, Callable(), functools.partial(logged(handler), 1)], 1
    ):
        assert di.add_entry_point(one)
        assert len(faults()) == number
    assert di.add_entry_point(View.get, positional=1)
    assert len(faults()) == 3


@pytest.mark.parametrize(
    "other", [print, Base, Base(), len, 3, lambda: None, Base().__init__, []]
)
def test_other_functions_are_left_alone(other: t.Any) -> None:
    """Every handler may be passed, injected or not."""
    assert di.add_entry_point(other) is False
    di.check()


def test_an_entry_point_ends_with_its_function() -> None:
    """The registry does not keep the handlers of an application alive."""

    @di.inject
    async def local(missing: Missing) -> None: ...

    di.add_entry_point(local)
    assert len(faults()) == 1
    del local
    gc.collect()
    di.check()


def test_an_annotation_that_cannot_be_evaluated() -> None:
    """It is a fault of the handler that has it."""

    @di.inject
    async def wrong(it: Nowhere) -> None: ...  # type: ignore[name-defined] # noqa: F821

    di.add_entry_point(wrong)
    (error,) = faults()
    assert "wrong (" in str(error)
    assert "Nowhere is not defined" in str(error)


def test_a_number_of_arguments_is_not_negative() -> None:
    """That would be a mistake of the caller."""
    with pytest.raises(ValueError, match="positional"):
        di.add_entry_point(handler, positional=-1)


def test_what_a_request_brings_is_taken_as_there() -> None:
    """An adapter that needs the request is fine, and so are its bases."""

    def base(request: Request) -> Base:
        raise AssertionError

    di.register(User, scope="layer")
    di.register(base)
    assert len(faults()) == 2
    di.expect(WebRequest)
    di.check()


def test_what_a_request_brings_with_a_name() -> None:
    """A name that is expected is asked for with that name only."""

    def base(user: t.Annotated[User, di.Named("x")]) -> Base:
        raise AssertionError

    def other(user: t.Annotated[User, di.Named("y")]) -> Missing:
        raise AssertionError

    di.register(base, other)
    di.expect(t.Annotated[User, di.Named("x")])
    (error,) = faults()
    assert error.target is Missing


def test_a_request_ends_before_the_stage() -> None:
    """What is kept in the stage must not need it."""
    di.expect(WebRequest)
    di.register(User, scope="stage")
    (error,) = faults()
    assert isinstance(error, di.ScopeError)


async def test_asking_outside_of_a_request() -> None:
    """The hint says where the request is, not to register one."""
    di.expect(WebRequest)
    di.register(User)
    with pytest.raises(di.ResolveError, match="only within a layer of"):
        await di.nject(User)
    with context.child() as layer:
        layer.add(WebRequest())
        assert isinstance((await di.nject(User)).request, WebRequest)


def test_a_copy_of_a_registry_knows_the_same() -> None:
    """And what it learns later is its own."""
    di.expect(WebRequest)
    di.register(User)
    di.add_entry_point(handler, positional=1)
    twin = di.buvar_adapters.get().copy()
    di.expect(Missing)
    di.check()
    token = di.buvar_adapters.set(twin)
    try:
        assert [one.target for one in faults()] == [Missing]
    finally:
        di.buvar_adapters.reset(token)
