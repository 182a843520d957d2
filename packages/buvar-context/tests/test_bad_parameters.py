"""A parameter that cannot be filled is named, with its plugin."""

from __future__ import annotations

import contextlib
import functools

import pytest

from buvar import plugin


class Foo: ...


async def no_annotation(something):
    return


async def no_component(something: Foo):
    return


async def no_such_name(something: NotDefined):  # noqa: F821
    return


async def union(something: Foo | int):
    return


async def within(something: list[NotDefined]):  # noqa: F821
    return


async def in_text(something: list["NotDefined"]):  # noqa: F821, UP037
    return


async def optional(something: NotDefined | None = None):  # noqa: F821
    return


@pytest.mark.parametrize(
    ("prepare", "text"),
    [
        (no_annotation, "it has no annotation"),
        (no_component, "There is no component"),
        (no_such_name, "'NotDefined' cannot be evaluated"),
        (union, "There is no component"),
        (within, "'list[NotDefined]' cannot be evaluated"),
        (in_text, "cannot be evaluated"),
        (optional, "'NotDefined | None' cannot be evaluated"),
    ],
)
def test_parameter(stage_error, prepare, text):
    """A parameter that cannot be filled is named with its plugin."""
    error = stage_error(prepare)
    assert isinstance(error, plugin.ParameterError)
    assert error.parameter == "something"
    assert prepare.__name__ in error.plugin
    assert text in str(error)
    line = prepare.__code__.co_firstlineno
    assert (error.file, error.line) == (__file__, line)
    assert f"It is defined in {__file__}:{line}." in str(error)
    assert str(error).endswith(error.cure)
    assert ("TYPE_CHECKING" in error.cure) == ("evaluated" in text)


def test_annotations_that_python_evaluates(stage_error, tmp_path):
    """Without a future import as well, names are looked up late."""
    file = tmp_path / "plain.py"
    file.write_text(SOURCE)
    names: dict[str, object] = {"__name__": "plain"}
    exec(compile(SOURCE, str(file), "exec"), names)  # noqa: S102
    for name in ("one", "within", "called"):
        error = stage_error(names[name])
        assert isinstance(error, plugin.ParameterError)
        assert "NameError: name 'NotThere' is not defined." in str(error)
        assert error.file == str(file)
        assert "TYPE_CHECKING" in error.cure
    plugin.stage(names["fine"])
    # Whether it can be injected is known only if buvar.di is there.
    with contextlib.suppress(plugin.WorkError):
        plugin.supervised(names["one"])


SOURCE = """
import sys
import typing as t
from buvar import plugin
if t.TYPE_CHECKING:
    from elsewhere import NotThere
later = sys.version_info >= (3, 14)
async def fine(one: t.Annotated["plugin.Loader", 1], two: "Later" = None): ...
if later:
    async def one(it: NotThere): ...
    async def within(it: list[t.Annotated[NotThere, 1]]): ...
else:
    async def one(it: "NotThere"): ...
    async def within(it: "list[t.Annotated[NotThere, 1]]"): ...
class Called:
    async def __call__(self, it: t.Optional["NotThere"]): ...
called = Called()
class Later: ...
"""


def test_parameters_that_can_be_filled():
    """Local classes, defaults, options and positions are understood."""

    class Local: ...

    local = Local()

    async def prepare(
        load: plugin.Loader,
        /,
        mine: Local,
        untyped=1,
        *args,
        default: Foo = 2,
        optional: Foo | None = None,
        missing: Foo | None = 3,
        either: Foo | Local,
        absent: Foo | None,
        **kwargs,
    ):
        assert mine is either is local
        assert (untyped, default, optional, missing) == (1, 2, None, 3)
        assert absent is None

    plugin.stage(prepare, components={Local: {None: local}})


def test_methods_and_wrapped_functions_have_parameters():
    """Annotations are those of the function that was written."""

    class Callable:
        async def __call__(self, load: plugin.Loader): ...

        async def method(self, load: plugin.Loader): ...

    def wrapped(func):
        @functools.wraps(func)
        async def wrapper(*args, **kwargs):
            return await func(*args, **kwargs)

        return wrapper

    async def written(load: plugin.Loader, text="x"): ...

    plugin.stage(
        Callable(),
        Callable().method,
        wrapped(written),
        functools.partial(written, text="y"),
    )


def test_forward_references_and_closures():
    """Annotations that are text are understood where they were written."""

    class Local: ...

    local = Local()

    def make(kind: type):
        async def prepare(mine: kind, other: plugin.Loader):
            assert isinstance(mine, kind)
            assert isinstance(other, plugin.Loader)

        return prepare

    async def broken(something: Local.missing): ...

    plugin.stage(make(Local), components={Local: {None: local}})
    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(broken)
    assert "AttributeError" in str(info.value.exceptions[0])


def test_a_variable_that_is_not_bound_yet(stage_error):
    """A closure over what is assigned later cannot be evaluated."""

    async def prepare(something: Later): ...

    def keep():
        return Later

    assert "NameError" in str(stage_error(prepare))
    Later = Foo  # noqa: N806
    assert keep() is Foo
