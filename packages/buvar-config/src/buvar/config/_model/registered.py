"""Types of the user's own, and how they are read and written."""

from __future__ import annotations

import typing as t

import attrs

from buvar.config._errors import config_error

from .types import origin


T = t.TypeVar("T")


@attrs.frozen
class Registered:
    """
    How a type is read and written.

    Attributes:
        load: Makes an object of plain data.
        dump: Makes plain data of an object.
        takes: What it takes, in words.
    """

    load: t.Callable[[t.Any], t.Any]
    dump: t.Callable[[t.Any], t.Any]
    takes: str


class _Registry(dict[t.Any, Registered]):
    """
    The types that were registered.

    Attributes:
        version: Changes with each, so that what was compiled is made anew.
    """

    version = 0


registry = _Registry()


def register(
    tp: type[T],
    load: t.Callable[[t.Any], T],
    *,
    dump: t.Callable[[T], t.Any] = str,
    takes: str | None = None,
) -> None:
    """
    Say how a type of your own is loaded, wherever it stands in a class.

    Args:
        tp: The type; subclasses of it are not meant.
        load: Called with what a file or dict holds, with text if it comes
            from a variable, and returns an object. A ``ValueError`` or
            ``TypeError`` of it becomes a problem with the path of the value.
        dump: Returns what ``load`` takes, for samples and lists.
        takes: What is taken, in words, e.g. ``"a color such as #ff0000"``.

    Raises:
        ConfigError: It is not a class.

    Example:
        >>> import attrs, fractions
        >>> from buvar import config
        >>> class Color(tuple): ...
        >>> config.register(
        ...     Color, lambda text: Color(bytes.fromhex(text)), takes="a color"
        ... )
        >>> @attrs.define
        ... class Page:
        ...     ink: Color
        >>> config.ConfigSource({"ink": "ff0000"}).load(Page)
        Page(ink=(255, 0, 0))
    """
    if not isinstance(t.cast("object", tp), type):
        msg = f"{tp!r} is not a class"
        raise config_error(msg, cure="Register the class of the objects.")
    registry[tp] = Registered(load, dump, takes or _words(tp))
    registry.version += 1


def _words(tp: type) -> str:
    name = tp.__name__
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def is_registered(tp: t.Any) -> bool:
    """Tell whether a type was registered itself."""
    return bool(registry) and origin(tp) in registry
