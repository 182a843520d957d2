"""The fields of a class: their keys, their types, what is said of them."""

from __future__ import annotations

import dataclasses
import enum
import typing as t

import attrs

from .field_options import KEY
from .field_options import Extra
from .registered import is_registered
from .secret import Secret
from .sensitive import sounds_secret
from .types import arguments
from .types import hints
from .types import origin
from .types import substitute
from .types import type_variables


@attrs.frozen(eq=False)
class Field:
    """
    A field, whichever library made it.

    The first attributes are those of ``attrs.Attribute`` that cattrs reads.
    """

    name: str
    alias: str
    type: t.Any
    default: t.Any
    kw_only: bool
    converter: t.Any
    key: str
    extra: Extra
    init: bool = True
    #: Whether only the constructor has it, as an ``InitVar``.
    passing: bool = False

    @property
    def implied(self) -> bool:
        """Whether an empty table is enough, without there being a default."""
        return (
            self.default is attrs.NOTHING
            and self.converter is None
            and makes_itself(self.type)
        )

    @property
    def required(self) -> bool:
        """Whether something has to be given."""
        return self.default is attrs.NOTHING and not self.implied

    @property
    def hidden(self) -> bool:
        """Whether the value is a secret whatever its type says."""
        if self.extra.secret is not None:
            return self.extra.secret
        return sounds_secret(self.key) and _may_hide(self.type, self.key)

    @property
    def secret(self) -> bool:
        """Whether the value must never be shown."""
        return self.hidden or holds_secret(self.type)

    def value_of(self, owner: t.Any) -> t.Any:
        """Return the value that an object has, ``NOTHING`` if it kept none."""
        return attrs.NOTHING if self.passing else getattr(owner, self.name)

    def make_default(self) -> t.Any:
        """Return the default, ``NOTHING`` if only the class can make it."""
        if self.implied:
            return make_empty(self.type)
        if not isinstance(self.default, attrs.Factory):  # type: ignore[arg-type]
            return self.default
        if self.default.takes_self:
            return attrs.NOTHING
        return self.default.factory()


def has_fields(tp: t.Any) -> bool:
    """Tell whether a type is a class whose fields are loaded."""
    cls = origin(tp)
    return (
        isinstance(cls, type)
        and (
            attrs.has(cls)
            or dataclasses.is_dataclass(cls)
            or is_named_tuple(cls)
        )
        and not is_registered(cls)
    )


def is_named_tuple(cls: t.Any) -> bool:
    """Tell whether a class is a tuple whose items have names."""
    return (
        isinstance(cls, type)
        and hasattr(cls, "_field_defaults")
        and issubclass(cls, tuple)
    )


def makes_itself(tp: t.Any, above: tuple[t.Any, ...] = ()) -> bool:
    """Tell whether an empty table is enough to make a class."""
    return (
        has_fields(tp)
        and tp not in above
        and all(
            field.default is not attrs.NOTHING
            or (
                field.converter is None
                and makes_itself(field.type, (*above, tp))
            )
            for field in fields(tp)
        )
    )


def make_empty(tp: t.Any) -> t.Any:
    """Return what an empty table makes, ``NOTHING`` if that is refused."""
    given = {
        field.alias: field.make_default()
        for field in fields(tp)
        if field.implied
    }
    try:
        return origin(tp)(**given)
    except Exception:  # noqa: BLE001 - it is said when it is loaded
        return attrs.NOTHING


def is_secret(tp: t.Any) -> bool:
    """Tell whether a type is, or contains, a ``Secret``."""
    return origin(tp) is Secret or any(map(is_secret, arguments(tp)))


def holds_secret(tp: t.Any, above: tuple[t.Any, ...] = ()) -> bool:
    """Tell whether a type is a secret, or one is somewhere in it."""
    if has_fields(tp):
        return tp not in above and any(
            field.hidden or holds_secret(field.type, (*above, tp))
            for field in fields(tp)
        )
    return origin(tp) is Secret or any(
        holds_secret(item, above) for item in arguments(tp)
    )


def _may_hide(tp: t.Any, key: str) -> bool:
    """Tell whether a type may be that of a secret which has its name."""
    cls = origin(tp)
    if cls is int:
        # Many of them are counted: max_tokens.
        return not key.endswith("s")
    return (
        cls in (str, bytes, t.Any, object)
        or (
            (isinstance(cls, type) and issubclass(cls, str | bytes))
            and not issubclass(cls, enum.Enum)
        )
    ) or any(_may_hide(item, key) for item in arguments(tp))


def fields(tp: t.Any) -> list[Field]:
    """
    Return the fields that the constructor of a class takes.

    Raises:
        ConfigError: The name of a type cannot be resolved.
    """
    cls = origin(tp)
    found = hints(cls)
    variables = type_variables(tp)
    if attrs.has(cls):
        made = _of_attrs(cls, found)
    elif dataclasses.is_dataclass(cls):
        made = _of_dataclass(cls, found)
    else:
        made = _of_named_tuple(cls, found)
    return [
        attrs.evolve(field, type=substitute(field.type, variables))
        for field in made
    ]


def _of_attrs(cls: t.Any, hints: dict[str, t.Any]) -> t.Iterator[Field]:
    for attribute in attrs.fields(cls):
        if not attribute.init:
            continue
        extra = attribute.metadata.get(KEY, Extra())
        tp = hints.get(attribute.name, attribute.type)
        if tp is None or isinstance(tp, str):
            tp = _KINDS.get(extra.kind, t.Any)
        yield Field(
            attribute.name,
            attribute.alias or attribute.name,
            tp,
            attribute.default,
            bool(attribute.kw_only),
            attribute.converter,
            extra.name or attribute.alias or attribute.name,
            extra,
        )


_KINDS: dict[str | None, t.Any] = {"bool": bool, "list": list[t.Any]}


def _of_dataclass(cls: t.Any, hints: dict[str, t.Any]) -> t.Iterator[Field]:
    kept = {field.name for field in dataclasses.fields(cls)}
    # Parameters that are not attributes are known to the class alone.
    members: dict[str, dataclasses.Field[t.Any]] = cls.__dataclass_fields__
    for name, field in members.items():
        tp = hints.get(name, field.type)
        passing = isinstance(tp, dataclasses.InitVar)
        if not field.init or not (passing or name in kept):
            continue
        default: t.Any = attrs.NOTHING
        if field.default is not dataclasses.MISSING:
            default = field.default
        elif field.default_factory is not dataclasses.MISSING:
            default = attrs.Factory(field.default_factory)
        extra = field.metadata.get(KEY, Extra())
        yield Field(
            name,
            name,
            t.cast("t.Any", tp).type if passing else tp,
            default,
            field.kw_only is True,
            None,
            extra.name or name.lstrip("_") or name,
            extra,
            passing=passing,
        )


def _of_named_tuple(cls: t.Any, hints: dict[str, t.Any]) -> t.Iterator[Field]:
    defaults: dict[str, t.Any] = cls._field_defaults
    for name in cls._fields:
        yield Field(
            name,
            name,
            hints.get(name, t.Any),
            defaults.get(name, attrs.NOTHING),
            kw_only=False,
            converter=None,
            key=name,
            extra=Extra(),
        )
