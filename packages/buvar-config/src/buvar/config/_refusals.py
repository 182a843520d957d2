"""Find out which field a class refused, and which secrets it may quote."""

from __future__ import annotations

import contextlib
import typing as t

import attrs

from ._errors import BadValueError
from ._merge import is_table
from ._model.fields import fields
from ._model.fields import has_fields
from ._model.fields import holds_secret
from ._model.secret import Secret
from ._model.secret import texts
from ._model.types import arguments
from ._model.types import origin
from ._structure.text import parse_table
from ._structure.unions import is_union


def named_by(error: BaseException, cls: t.Any) -> str | None:
    """
    Return the name of the field whose validator failed.

    It is handed the attribute; some put it into their error, too.
    """
    for argument in error.args[1:]:
        name = getattr(argument, "name", None)
        if isinstance(argument, attrs.Attribute):
            return name if isinstance(name, str) else None
    known = {id(item) for item in getattr(origin(cls), "__attrs_attrs__", ())}
    trace = error.__traceback__
    while trace is not None and known:
        code, names = trace.tb_frame.f_code, trace.tb_frame.f_locals
        # With the arguments come those that are named by stars.
        given = [names.get(name) for name in code.co_varnames[:_MOST]]
        for value in [*given, *_items(given)]:
            if id(value) in known:
                return str(t.cast("t.Any", value).name)
        trace = trace.tb_next
    return _asked_again(error, cls)


def _asked_again(error: BaseException, cls: t.Any) -> str | None:
    """Call the validators that an object in the making was given to."""
    trace = error.__traceback__
    while trace is not None:
        owner = trace.tb_frame.f_locals.get("self")
        if trace.tb_frame.f_code.co_name == "__init__" and isinstance(
            owner, origin(cls)
        ):
            return _first_refusing(error, owner)
        trace = trace.tb_next
    return None


def _first_refusing(error: BaseException, owner: t.Any) -> str | None:
    for attribute in getattr(owner, "__attrs_attrs__", ()):
        if attribute.validator is None or not hasattr(owner, attribute.name):
            continue
        try:
            value = getattr(owner, attribute.name)
            attribute.validator(owner, attribute, value)
        except type(error) as again:
            if again.args == error.args:
                return str(attribute.name)
        except Exception:  # noqa: BLE001, S112 - another one failed
            continue
    return None


_MOST: t.Final = 12


def _items(values: list[t.Any]) -> list[t.Any]:
    return [
        item
        for value in values
        if isinstance(value, tuple)
        for item in t.cast("t.Any", value)[:_MOST]
    ]


def secrets_in(cls: t.Any, data: t.Any) -> t.Iterator[str]:
    """List the secrets in the data of a class."""
    if isinstance(data, str):
        data = parse_table(data)
    if not is_table(data):
        return
    for field in fields(cls) if has_fields(cls) else ():
        value = data.get(field.key)
        if value is None:
            value = field.make_default()
            if value is attrs.NOTHING or not field.secret:
                continue
        if field.hidden:
            yield from texts(value)
        else:
            yield from _of_type(field.type, value)


def _of_type(tp: t.Any, value: t.Any) -> t.Iterator[str]:
    if not holds_secret(tp):
        return
    if has_fields(tp):
        with contextlib.suppress(BadValueError):
            yield from secrets_in(tp, value)
    elif origin(tp) is Secret or not arguments(tp):
        yield from texts(value)
    elif is_union(tp):
        for kind in arguments(tp):
            yield from _of_type(kind, value)
    else:
        yield from texts(value)
