"""Say more of a field than its type does."""

# ruff: noqa: A002 - `help` is what the contract calls it

from __future__ import annotations

import copy
import typing as t

import attrs

from .sensitive import MASK


T = t.TypeVar("T")

#: Under this key a field's metadata keeps what follows.
KEY: t.Final = "buvar.config"


@attrs.frozen
class Extra:
    """The options of a field that ``var`` takes beside its default."""

    name: str | None = None
    help: str | None = None
    secret: bool | None = None
    kind: t.Literal["bool", "list"] | None = None


def metadata(
    *,
    name: str | None = None,
    help: str | None = None,
    secret: bool | None = None,
) -> dict[t.Any, t.Any]:
    """
    Say more of a field of a dataclass: ``field(metadata=metadata(...))``.

    Args:
        name: The key in files, by default the name of the field.
        help: A sentence for samples and lists.
        secret: Whether the value must never be shown; by default that is
            so of text with a name such as ``password``. The ``repr`` of a
            dataclass cannot be told: annotate the field with ``Secret``, or
            say ``field(repr=False)``.
    """
    return {KEY: Extra(name, help, secret)}


@t.overload
def var(
    default: T,
    *,
    name: str | None = None,
    help: str | None = None,
    converter: None = None,
    validator: t.Any = None,
    factory: None = None,
    secret: bool | None = None,
    **options: t.Any,
) -> T: ...
@t.overload
def var(
    *,
    name: str | None = None,
    help: str | None = None,
    converter: None = None,
    validator: t.Any = None,
    factory: t.Callable[[], T],
    secret: bool | None = None,
    **options: t.Any,
) -> T: ...
@t.overload
def var(
    default: t.Any = ...,
    *,
    name: str | None = None,
    help: str | None = None,
    converter: t.Callable[[t.Any], T],
    validator: t.Any = None,
    factory: t.Callable[[], t.Any] | None = None,
    secret: bool | None = None,
    **options: t.Any,
) -> T: ...
@t.overload
def var(
    *,
    name: str | None = None,
    help: str | None = None,
    converter: t.Any = None,
    validator: t.Any = None,
    factory: None = None,
    secret: bool | None = None,
    **options: t.Any,
) -> t.Any: ...
def var(
    default: t.Any = attrs.NOTHING,
    *,
    name: str | None = None,
    help: str | None = None,
    converter: t.Any = None,
    validator: t.Any = None,
    factory: t.Callable[[], t.Any] | None = None,
    secret: bool | None = None,
    **options: t.Any,
) -> t.Any:
    """
    Define a field of an attrs class.

    Args:
        default: The value if there is none; without it one is required. A
            list, dict or set is copied for each instance.
        name: The key in files, by default the name of the field.
        help: A sentence for samples and lists.
        converter: Makes the value, instead of the annotated type.
        validator: Called with the instance, the attribute and the value.
        factory: Makes the default anew for each instance.
        secret: Whether the value must never be shown; by default that is
            so of text with a name such as ``password``.
        options: More options of ``attrs.field``.
    """
    return _field(
        Extra(name, help, secret),
        default,
        converter=converter,
        validator=validator,
        factory=factory,
        **options,
    )


@t.overload
def bool_var(
    default: T,
    *,
    name: str | None = None,
    help: str | None = None,
    **options: t.Any,
) -> T: ...
@t.overload
def bool_var(
    *,
    name: str | None = None,
    help: str | None = None,
    **options: t.Any,
) -> bool: ...
def bool_var(
    default: t.Any = attrs.NOTHING,
    *,
    name: str | None = None,
    help: str | None = None,
    **options: t.Any,
) -> t.Any:
    """Define a field that is true or false, also without an annotation."""
    return _field(Extra(name, help, kind="bool"), default, **options)


@t.overload
def list_var(
    default: t.Iterable[T],
    *,
    name: str | None = None,
    help: str | None = None,
    **options: t.Any,
) -> list[T]: ...
@t.overload
def list_var(
    default: None = None,
    *,
    name: str | None = None,
    help: str | None = None,
    **options: t.Any,
) -> t.Any: ...
def list_var(
    default: t.Any = attrs.NOTHING,
    *,
    name: str | None = None,
    help: str | None = None,
    **options: t.Any,
) -> t.Any:
    """
    Define a field that is a list; files may write it as ``"a, b"`` as well.

    A default list is copied for each instance.
    """
    if isinstance(default, list | tuple | set):
        items = list(t.cast("t.Iterable[t.Any]", default))
        default, options["factory"] = attrs.NOTHING, lambda: list(items)
    return _field(Extra(name, help, kind="list"), default, **options)


#: What one object may change for the next.
_MUTABLE: t.Final = (list, dict, set, bytearray)


def _masked(_: object) -> str:
    return repr(MASK)


def _field(extra: Extra, default: t.Any, **options: t.Any) -> t.Any:
    if options.get("factory") is None and isinstance(default, _MUTABLE):
        # Each object has a copy of its own.
        mutable, default = t.cast("object", default), attrs.NOTHING
        options["factory"] = lambda: copy.deepcopy(mutable)
    options["metadata"] = {**(options.get("metadata") or {}), KEY: extra}
    if extra.secret:
        options.setdefault("repr", _masked)
    if options.get("factory") is None:
        options.pop("factory", None)
        options["default"] = default
    return attrs.field(**options)
