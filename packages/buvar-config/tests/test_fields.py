"""What ``var`` and its siblings, converters and validators do."""

from __future__ import annotations

import dataclasses
import types
import typing as t

import attr
import attrs
import pytest

from buvar import config


def _length(value: str) -> int:
    return len(value)


def fail(source: config.ConfigSource, cls: type) -> config.ConfigError:
    with pytest.raises(config.ConfigError) as caught:
        source.load(cls)
    return caught.value


def test_unannotated_fields() -> None:
    """``bool_var`` and ``list_var`` need no annotation."""

    @attr.s
    class Old:
        flag = config.bool_var()
        words = config.list_var(["a"])
        other = attr.ib(default=None)

    source = config.ConfigSource({"flag": "off", "words": "x, y", "other": 1})

    assert source.load(Old) == Old(flag=False, words=["x", "y"], other=1)
    assert Old(flag=True).words is not Old(flag=True).words


def test_list_var_elements() -> None:
    """The elements of a list that is written as text have their type."""

    @attrs.define
    class Ports:
        ports: list[int] = config.list_var()
        more: list[int] | None = config.list_var(None)

    source = config.ConfigSource({"ports": "1, 2", "more": [3]})

    assert source.load(Ports) == Ports([1, 2], [3])


def test_converter_takes_the_raw_value() -> None:
    """A converter makes the value instead of the annotated type."""

    @attrs.define
    class Level:
        level: int = config.var(converter=_length)
        parts: tuple[str, ...] = attrs.field(converter=tuple, default=())
        table: dict[str, int] = attrs.field(converter=dict, factory=dict)

    source = config.ConfigSource(
        {"level": "abc"}, overrides=["parts=a,b", "table={a=1}"]
    )

    assert source.load(Level) == Level("abc", ["a", "b"], {"a": 1})


def test_converter_fails() -> None:
    """What a converter refuses is an error of its field."""

    @attrs.define
    class Level:
        level: int = config.var(converter=int)

    error = fail(config.ConfigSource({"level": "x"}), Level)

    assert [one.path for one in error.errors] == ["level"]
    assert "expected what int takes" in str(error)


@pytest.mark.skipif(
    not hasattr(attrs, "Converter"), reason="attrs is older than 24.1"
)
def test_converter_that_takes_self() -> None:
    """A converter that needs the instance is left to the class."""

    @attrs.define
    class Level:
        base: int
        level: int = attrs.field(
            converter=attrs.Converter(
                lambda value, self: int(value) + self.base, takes_self=True
            )
        )

    assert (
        config.ConfigSource({"base": 1, "level": "2"}).load(Level).level == 3
    )
    error = fail(config.ConfigSource({"base": 1, "level": "x"}), Level)
    assert "Level refuses it" in str(error)


def test_init_false() -> None:
    """A field that the constructor does not take is no key."""

    @attrs.define
    class Made:
        a: int
        b: int = attrs.field(init=False, default=5)

    assert config.ConfigSource({"a": 1}).load(Made).b == 5
    assert "b: unknown key" in str(
        fail(config.ConfigSource({"a": 1, "b": 2}), Made)
    )


def test_secret_field_hides() -> None:
    """A secret field shows itself neither in repr nor in errors."""

    @attrs.define
    class Login:
        user: str
        pin: int = config.var(secret=True)
        word: str = config.var(
            "", secret=True, validator=attrs.validators.max_len(3)
        )

    source = config.ConfigSource({"user": "me", "pin": "5"})
    assert "5" not in repr(source.load(Login))
    assert "***" in str(source.explain(Login))

    error = fail(config.ConfigSource({"user": "me", "pin": "geheim"}), Login)
    assert "geheim" not in f"{error}{error!r}{error.errors}"
    error = fail(
        config.ConfigSource({"user": "", "pin": 1, "word": "geheim"}), Login
    )
    assert "geheim" not in f"{error}{error!r}{error.errors}"


def test_any_annotation() -> None:
    """``bool_var`` and ``list_var`` say what an annotation leaves open."""

    @attrs.define
    class Open:
        flag: t.Any = config.bool_var()
        words: t.Any = config.list_var()

    source = config.ConfigSource({"flag": "off", "words": "x, y"})

    assert source.load(Open) == Open(flag=False, words=["x", "y"])


def test_item_of_a_written_list() -> None:
    """What is wrong in a list that a file writes as text is shown."""

    @attrs.define
    class Ports:
        ports: list[int] = config.list_var()

    error = fail(config.ConfigSource({"ports": "1, x"}), Ports)

    assert str(error.errors[0]) == (
        "ports[1]: expected a whole number, not 'x' (code)"
    )


@attrs.define
class Tree:
    name: str = ""
    children: list[Tree] = config.list_var([])
    hidden: Tree = config.var(None, secret=True)


def test_fields_of_the_class_itself() -> None:
    """Fields of its own kind are fields like any other."""
    children = [types.MappingProxyType({"name": "a"})]
    source = config.ConfigSource(
        {"children": children, "hidden": {"name": "c"}}, overrides=["name=b"]
    )

    assert source.load(Tree) == Tree("b", [Tree("a")], Tree("c"))


def load_inner(value: dict[str, object]) -> object:
    return config.ConfigSource(value).load(Tree)


def test_converter_of_this_package() -> None:
    """What such a converter says is said as it is."""

    @attrs.define
    class Limits:
        size: int = config.var(0, converter=config.ByteSize.parse)
        tree: object = config.var(None, converter=load_inner)
        count: int = config.var(0, converter=int)
        table: dict[str, int] = config.var({}, converter=dict)
        name: str = config.var("", converter=str.upper)

    source = config.ConfigSource({"tree": {"name": 5}, "size": "5X"})
    texts = config.ConfigSource(overrides=["count=5", "table=x", "name=a"])

    assert "a size in bytes" in str(fail(source, Limits))
    assert "name: expected text, not 5" in str(fail(source, Limits))
    error = fail(texts, Limits)
    assert [one.path for one in error.errors] == ["table"]
    assert "a JSON object" in error.errors[0].expected


def test_what_failed_once() -> None:
    """A converter that fails only once is asked a second time."""
    failures = [ValueError("not yet")]

    def convert(value: str) -> str:
        if failures:
            raise failures.pop()
        return value

    cls = attrs.make_class("Late", {"x": attrs.field(converter=convert)})

    assert config.ConfigSource({"x": "a"}).load(cls).x == "a"


def test_dataclass_init_false() -> None:
    """A field of a dataclass that the constructor does not take is no key."""

    @dataclasses.dataclass
    class Made:
        a: int
        b: int = dataclasses.field(init=False, default=5)

    assert config.ConfigSource({"a": 1}).load(Made).b == 5
    assert "b: unknown key" in str(
        fail(config.ConfigSource({"a": 1, "b": 2}), Made)
    )


def test_annotation_that_is_broken() -> None:
    """An annotation that is no type is an error with its class."""

    @attrs.define
    class Broken:
        a: "int |"  # type: ignore[valid-type]  # noqa: F722

    error = fail(config.ConfigSource({"a": 1}), Broken)

    assert "the annotations of" in str(error)
    assert "Broken cannot be resolved" in str(error)
