"""Annotations that are text, or that Python 3.14 defers: one rule for both."""

from __future__ import annotations

import linecache
import sys
import textwrap
import types
import typing as t

import pytest

from buvar import di


FUTURE = "from __future__ import annotations\n"
#: What is not evaluated when a function is made: text, or a deferred one.
FORMS = [FUTURE] if sys.version_info < (3, 14) else [FUTURE, ""]


@pytest.fixture(params=FORMS, ids=lambda form: form.strip() or "deferred")
def module(
    request: pytest.FixtureRequest,
) -> t.Iterator[t.Callable[[str], t.Any]]:
    """Make a module whose annotations are evaluated late."""
    made: list[str] = []

    def make(source: str) -> t.Any:
        source = request.param + textwrap.dedent(source)
        found = types.ModuleType(f"deferred_{len(sys.modules)}")
        path = f"{found.__name__}.py"
        lines = source.splitlines(keepends=True)
        linecache.cache[path] = (len(source), None, lines, path)
        found.__file__ = path
        sys.modules[found.__name__] = found
        made.append(found.__name__)
        exec(  # noqa: S102 - its annotations are those of the form
            compile(source, path, "exec", dont_inherit=True), vars(found)
        )
        return found

    yield make
    for name in made:
        del sys.modules[name]
        linecache.cache.pop(f"{name}.py")


HIDDEN = """
    import dataclasses
    import typing as t
    import attrs
    if t.TYPE_CHECKING:
        from decimal import Decimal
    class Dep: ...
    class Plain:
        def __init__(self, dep: Dep, it: {0}): ...
    @dataclasses.dataclass
    class Data:
        dep: Dep
        it: {0}
    @dataclasses.dataclass(slots=True)
    class Slots:
        dep: Dep
        it: {0}
    @attrs.define
    class Attrs:
        dep: Dep
        _it: {0}
    class Tuple(t.NamedTuple):
        dep: Dep
        it: {0}
    class Call:
        def __call__(self, dep: Dep, it: {0}) -> Plain: ...
    call = Call()
"""


@pytest.mark.parametrize(
    "annotation",
    [
        "Decimal",
        "Decimal | None",
        "Dep | Decimal",
        "list[Decimal]",
        "t.Optional[Decimal]",
        "dict[str, Dep | Decimal]",
        "t.Callable[[Dep], Decimal]",
    ],
)
@pytest.mark.parametrize(
    "name", ["Plain", "Data", "Slots", "Attrs", "Tuple", "call"]
)
def test_errors_show_the_annotation_of_the_user(
    module: t.Callable[[str], t.Any], annotation: str, name: str
) -> None:
    """Whatever Python makes of it while a name is missing."""
    pytest.importorskip("attrs")
    made = module(HIDDEN.format(annotation))
    di.register(made.Dep, getattr(made, name))
    with pytest.raises(di.CheckError) as caught:
        di.check()
    text = str(caught.value)
    assert f"annotation {annotation!r}" in text
    assert "Decimal is imported under TYPE_CHECKING only" in text
    assert "__annotationlib" not in text


async def test_names_that_come_later(
    module: t.Callable[[str], t.Any],
) -> None:
    """A name is looked up again when it is needed."""
    made = module(
        """
        class Dep: ...
        class Plain:
            def __init__(self, it: Later | Dep, other: dict[str, Later] = {}):
                self.it = it
        def make(dep: Dep) -> list[Later]:
            return [dep]
        """
    )
    di.register(made.Dep, made.Plain, made.make)
    made.Later = type("Later", (), {})
    assert type((await di.nject(made.Plain)).it) is made.Dep
    assert type((await di.nject(list[made.Later]))[0]) is made.Dep


async def test_what_is_local_to_a_function(
    module: t.Callable[[str], t.Any],
) -> None:
    """Its classes mean what they mean there, from wherever it is asked."""
    made = module(
        """
        from buvar import di
        def outer():
            class Local: ...
            class Uses:
                class Inner: ...
                def __init__(self, local: Local | Inner, inner: Inner):
                    self.parts = (local, inner)
            di.register(Local, Uses, Uses.Inner)
            return Local, Uses
        """
    )
    local, uses = made.outer()
    found = await di.nject(uses)
    assert [type(one) for one in found.parts] == [local, uses.Inner]


async def test_text_behind_an_alias(module: t.Callable[[str], t.Any]) -> None:
    """What an alias holds as text has names of its own."""
    made = module(
        """
        import typing as t
        class Hidden: ...
        Alias = t.List["Hidden"]
        def make(it: Hidden) -> Alias:
            return [it]
        """
    )
    di.register(made.make, made.Hidden)
    assert len(await di.nject(list[made.Hidden])) == 1


async def test_names_within_a_lambda(module: t.Callable[[str], t.Any]) -> None:
    """It sees globals only, so all names are there."""
    made = module(
        """
        import typing as t
        class Dep: ...
        def make(it: t.Annotated[Dep, (lambda: Dep)()]) -> list[Dep]:
            return [it]
        """
    )
    di.register(made.make, made.Dep)
    assert len(await di.nject(list[made.Dep])) == 1


async def test_an_injected_function(module: t.Callable[[str], t.Any]) -> None:
    """Its annotations are read when it is called, not when it is made."""
    made = module(
        """
        import typing as t
        from buvar import di
        if t.TYPE_CHECKING:
            from decimal import Decimal
        class Dep: ...
        @di.inject
        async def handler(dep: Dep, it: Later | None = None): return dep
        @di.inject
        async def hidden(dep: Dep, it: Dep | Decimal): return dep
        """
    )
    di.register(made.Dep)
    made.Later = type("Later", (), {})
    assert type(await made.handler()) is made.Dep
    with pytest.raises(di.AnnotationError, match=r"'Dep \| Decimal'"):
        await made.hidden()


async def test_a_callable_object_of_another_module(
    module: t.Callable[[str], t.Any],
) -> None:
    """Its names are those of the module of its class."""
    made = module(
        """
        class Request: ...
        class Answer:
            def __init__(self, request): self.request = request
        class Call:
            class Own: ...
            def __call__(self, request: Request, own: Own) -> Answer:
                return Answer(request)
            def other(self, answer: Answer) -> list[Answer]:
                return [answer]
        call = Call()
        """
    )
    di.register(made.Request, made.Call.Own, made.call, made.call.other)
    (answer,) = await di.nject(list[made.Answer])
    assert type(answer.request) is made.Request
