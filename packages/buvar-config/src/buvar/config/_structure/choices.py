"""Take one of several values: of a ``Literal``, an ``Enum`` or a ``Flag``."""

from __future__ import annotations

import enum
import typing as t

from buvar.config._errors import BadValueError
from buvar.config._merge import SEQUENCES
from buvar.config._model.registered import is_registered
from buvar.config._model.secret import show
from buvar.config._model.types import arguments

from .registered import registered_hook
from .scalars import SCALARS
from .scalars import to_int
from .text import Text
from .text import parse_list
from .textual import is_textual
from .textual import to_textual


def to_literal(value: t.Any, tp: t.Any) -> t.Any:
    """
    Take one of the values of a ``Literal``.

    What is written as a value of that very type is meant first; then each
    choice takes what its own type takes, in their order.
    """
    choices = arguments(tp)
    plain = str(value) if isinstance(value, Text) else value
    for choice in choices:
        if type(choice) is type(plain) and choice == plain:
            return choice
    for choice in choices:
        if _means(value, choice):
            return choice
    msg = f"expected one of {listed(choices)}"
    raise BadValueError(msg)


def _means(value: t.Any, choice: t.Any) -> bool:
    """Tell whether a value, as the type of a choice takes it, is that."""
    if choice is None:
        return value is None or (
            isinstance(value, Text) and value.strip().lower() in ("", "null")
        )
    if isinstance(choice, enum.Enum):
        try:
            return to_enum(value, type(choice)) is choice
        except BadValueError:
            return False
    return _same(value, choice)


def _same(value: t.Any, wanted: t.Any) -> bool:
    """Tell whether text or plain data says a value, as its type takes it."""
    kind = wanted.__class__
    if isinstance(value, Text) and kind is str:
        return bool(value.strip() == wanted)
    if isinstance(wanted, list | tuple):
        return _same_items(value, t.cast("t.Any", wanted))
    hook = SCALARS.get(kind)
    if is_registered(kind):
        hook = registered_hook(kind)
    elif hook is None and is_textual(kind):
        hook = to_textual
    if hook is None:
        return False
    try:
        return bool(hook(value, kind) == wanted)
    except BadValueError:
        return False


def _same_items(value: t.Any, wanted: t.Sequence[t.Any]) -> bool:
    """Tell whether an array, or text for one, says the items of a value."""
    try:
        items = parse_list(value) if isinstance(value, Text) else value
    except BadValueError:
        return False
    return (
        isinstance(items, list | tuple)
        and len(t.cast("t.Sized", items)) == len(wanted)
        and all(map(_is_item, t.cast("t.Any", items), wanted))
    )


def _is_item(value: t.Any, wanted: t.Any) -> bool:
    same_type = type(value) is type(wanted)
    return value == wanted if same_type else _same(value, wanted)


def listed(choices: t.Iterable[t.Any]) -> str:
    """Name all choices, members as they are written."""
    return ", ".join(
        repr(spelled(item) if isinstance(item, enum.Enum) else item)
        for item in choices
    )


def to_enum(value: t.Any, tp: t.Any) -> t.Any:
    """
    Take a member by its value, or by its name.

    A value may be written as its own type takes it. A ``Flag`` takes several
    members: a number, an array, or text such as ``A|B``.
    """
    if isinstance(value, tp):
        return value
    found = _member(value, tp)
    if found is not None:
        return found
    if issubclass(tp, enum.Flag):
        return _to_flag(value, tp)
    if tp._missing_.__func__ is not enum.Enum._missing_.__func__:  # type: ignore[attr-defined]
        # The class says itself what else it takes.
        try:
            return tp(str(value) if isinstance(value, Text) else value)
        except (ValueError, TypeError):
            pass
    msg = f"expected one of {listed(tp)}"
    raise BadValueError(msg)


def _member(value: t.Any, tp: t.Any) -> t.Any:
    members: dict[str, t.Any] = tp.__members__
    plain = str(value) if isinstance(value, Text) else value
    for member in members.values():
        if type(member.value) is type(plain) and member.value == plain:
            return member
    if isinstance(value, str):
        word = value.strip().lower()
        for name, member in members.items():
            if name.lower() == word:
                return member
    for member in members.values():
        if _same(value, member.value):
            return member
    return None


def _to_flag(value: t.Any, tp: t.Any) -> t.Any:
    """Take members that are joined, by a number or by their names."""
    every = 0
    for member in tp.__members__.values():
        every |= member.value
    try:
        number = to_int(value)
    except BadValueError:
        return tp(_joined(value, tp))
    if number < 0 or number & ~every:
        raise _no_flag(tp)
    return tp(number)


def _joined(value: t.Any, tp: t.Any) -> int:
    items: t.Any = value
    if isinstance(value, str):
        text = value.strip()
        items = (
            parse_list(Text(text))
            if text.startswith("[")
            else text.replace("|", ",").split(",")
        )
    if not isinstance(items, SEQUENCES):
        raise _no_flag(tp)
    result = 0
    for item in t.cast("t.Iterable[t.Any]", items):
        member = item if isinstance(item, tp) else _member(item, tp)
        if member is None:
            raise _no_flag(tp, item)
        result |= member.value
    return result


def _no_flag(tp: t.Any, item: t.Any = None) -> BadValueError:
    names = ", ".join(map(repr, tp.__members__))
    return BadValueError(
        f"expected one or more of {names}, joined by '|', or their number",
        None if item is None else f"There is no {show(item)}.",
    )


def spelled(member: enum.Enum) -> t.Any:
    """Return how a member is written: its value, its name if that is long."""
    simple = isinstance(member.value, str | int | float)
    return member.value if simple else member.name
