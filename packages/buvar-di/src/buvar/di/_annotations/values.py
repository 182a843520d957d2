"""Whether a value of a keyword is of a type."""

from __future__ import annotations

import typing as t

from .fits import members
from .parse import ask
from .parse import is_subclass
from .parse import provided
from .parse import show


def accepts(key: t.Any, value: object) -> bool:  # noqa: PLR0911 - a case each
    """Tell whether a value passed by name is of a type."""
    if key is float:
        # As the type checkers have it.
        return isinstance(value, (float, int))
    if t.is_typeddict(key):
        return isinstance(value, dict)
    if isinstance(key, type) and not getattr(key, "_is_protocol", False):
        return isinstance(value, key)
    if isinstance(key, t.NewType):
        return accepts(key.__supertype__, value)
    origin = t.get_origin(key)
    if origin is t.Literal:
        return value in t.get_args(key)
    if origin is type:
        kinds: list[t.Any] = [
            kind for arg in t.get_args(key) for kind in ask(arg).keys
        ]
        return isinstance(value, type) and (
            not kinds or any(is_subclass(value, cls) for cls in kinds)
        )
    if isinstance(origin, type):
        return accepts(origin, value)
    if getattr(key, "_is_runtime_protocol", False):
        return isinstance(value, key)
    if getattr(key, "_is_protocol", False):
        return all(_has(value, name) for name in members(key))
    return True


def _has(value: object, name: str) -> bool:
    try:
        getattr(value, name)
    except AttributeError:
        return False
    except Exception:  # noqa: BLE001 - a property that fails is there
        return True
    return True


def spoken(value: object) -> str:
    """Say what a value is, in an error."""
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {show(value)}"
    return f"of {show(type(value))}"


def offers(key: t.Any, value: object) -> bool:
    """
    Tell whether a value passed under any other name is surely of a type.

    Type arguments cannot be seen in a value: it has to say them itself, as an
    instance of ``Repo[User]`` or of a subclass of that does.
    """
    if t.is_typeddict(key):
        return False
    if isinstance(key, type):
        if not getattr(key, "_is_protocol", False):
            return isinstance(value, key)
        if key in type(value).__mro__:
            return True
        return bool(
            getattr(key, "_is_runtime_protocol", False)
            and isinstance(value, key)
        )
    if t.get_origin(key) is None or isinstance(key, t.NewType):
        return False
    own = getattr(value, "__orig_class__", type(value))
    return own == key or key in provided(own)


def by_value(key: t.Any) -> bool:
    """Tell whether two values of one class may differ in being of a type."""
    return t.get_origin(key) is not None or (
        isinstance(key, t.NewType) or getattr(key, "_is_protocol", False)
    )
