"""Types whose objects are made of their own text, such as ``Decimal``."""

from __future__ import annotations

import typing as t

from buvar.config._errors import BadValueError


#: Modules whose classes are made of their own text.
_MODULES: t.Final = {"decimal", "fractions", "ipaddress", "uuid", "zoneinfo"}


def is_textual(cls: type) -> bool:
    """Tell whether the objects of a class are made of their own text."""
    return cls.__module__.partition(".")[0] in _MODULES


def to_textual(value: t.Any, tp: t.Any) -> t.Any:
    """Make an object of its text, or of a number."""
    if isinstance(value, tp):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadValueError(f"expected {named(tp)}")
    return made_by(tp, tp, str(value).strip())


def made_by(tp: t.Any, make: t.Any, value: t.Any) -> t.Any:
    """Have a callable make an object; whatever it raises is a refusal."""
    try:
        return make(value)
    except BadValueError:
        raise
    except Exception as error:
        raise BadValueError(f"expected {named(tp)}") from error


def named(tp: t.Any) -> str:
    """Return the name of a type with its article."""
    name: str = tp.__name__
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
