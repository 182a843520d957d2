"""Which keys of a ``TypedDict`` are required, also where that is text."""

from __future__ import annotations

import typing as t

from .types import hints
from .types import origin
from .types import substitute
from .types import type_variables


#: What may be said of a key, around its type; the last from Python 3.13 on.
_OF_KEYS: t.Final = (
    t.Required,
    t.NotRequired,
    getattr(t, "ReadOnly", t.Required),
)


def is_typed_dict(tp: t.Any) -> bool:
    """Tell whether a type is a ``TypedDict``, of whichever library."""
    return hasattr(origin(tp), "__required_keys__")


def typed_dict_keys(tp: t.Any) -> tuple[dict[str, t.Any], frozenset[str]]:
    """
    Return the types of the keys, and the keys that are required.

    Python looks for ``NotRequired`` when it makes the class, and does not
    see it in an annotation that is text, as all are below ``from __future__
    import annotations``.

    Raises:
        ConfigError: The name of a type cannot be resolved.
    """
    cls, variables = origin(tp), type_variables(tp)
    required = set(cls.__required_keys__)
    types: dict[str, t.Any] = {}
    for key, hint in hints(cls).items():
        inner, said = hint, _said(hint)
        while said is not None:
            if t.get_origin(said) is t.Required:
                required.add(key)
            elif t.get_origin(said) is t.NotRequired:
                required.discard(key)
            inner = t.get_args(said)[0]
            said = _said(inner)
        types[key] = substitute(inner, variables)
    return types, frozenset(required)


def _said(hint: t.Any) -> t.Any:
    """Return what is said of a key, ``None`` if there is only a type."""
    if t.get_origin(hint) is t.Annotated:
        hint = t.get_args(hint)[0]
    return hint if t.get_origin(hint) in _OF_KEYS else None


def is_misread(tp: t.Any) -> bool:
    """Tell whether Python did not see which keys are required."""
    return is_typed_dict(tp) and (
        typed_dict_keys(tp)[1] != origin(tp).__required_keys__
    )


def read_again(tp: t.Any) -> t.Any:
    """Return a ``TypedDict`` of the same keys that Python understands."""
    types, required = typed_dict_keys(tp)
    keys = {
        key: t.Required[kind] if key in required else t.NotRequired[kind]
        for key, kind in types.items()
    }
    # Made by a call, as a checker knows none whose keys are computed.
    make: t.Any = t.TypedDict
    return make(origin(tp).__name__, keys)
