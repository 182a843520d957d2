"""Values that do not show themselves."""

from __future__ import annotations

import re
import typing as t

from .sensitive import MASK
from .sensitive import sounds_secret
from .sensitive import without_secrets_in


T = t.TypeVar("T")


class Secret(t.Generic[T]):
    """
    A value that is masked wherever it could be printed.

    Args:
        value: What is kept.

    Example:
        >>> password = Secret("hunter2")
        >>> print(password, [password])
        *** [Secret('***')]
        >>> password.reveal()
        'hunter2'
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """Return the value itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Secret):
            theirs = t.cast(t.Any, other)._value
            return bool(self._value == theirs)
        return NotImplemented

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)


def without_secrets(value: t.Any) -> t.Any:
    """Copy dicts, with what sounds like a secret masked."""
    if isinstance(value, str):
        return without_secrets_in(value)
    if not isinstance(value, dict):
        return value
    return {
        key: MASK if sounds_secret(key) else without_secrets(item)
        for key, item in t.cast("t.Any", value).items()
    }


def texts(value: t.Any) -> t.Iterator[str]:
    """List what single values are written as, however deep they are."""
    if isinstance(value, Secret):
        value = t.cast("t.Any", value).reveal()
    if isinstance(value, dict):
        for item in t.cast("t.Any", value).values():
            yield from texts(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in t.cast("t.Any", value):
            yield from texts(item)
    elif isinstance(value, bytes):
        yield value.decode(errors="replace")
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def without_words(text: str, words: t.Iterable[str]) -> str:
    """Mask texts that are secrets, in whatever case they are repeated."""
    for word in sorted(words, key=len, reverse=True):
        for form in {word, word.strip(), repr(word)[1:-1]} - {""}:
            pattern = re.escape(form)
            if len(form) < _SHORT:
                # A letter alone is in every other word.
                pattern = rf"(?<!\w){pattern}(?!\w)"
            text = re.sub(pattern, MASK, text, flags=re.IGNORECASE)
    return without_secrets_in(text)


_SHORT: t.Final = 4


def show(value: t.Any) -> str:
    """Render a value for an error, shortened, containers by their size."""
    if isinstance(value, dict):
        return _sized("table", "key", len(t.cast("t.Sized", value)))
    if isinstance(value, list | tuple | set | frozenset):
        return _sized("array", "item", len(t.cast("t.Sized", value)))
    if isinstance(value, str):
        text = without_secrets_in(str(value))
        return repr(text if len(text) <= _MOST else text[:_MOST] + "...")
    if isinstance(value, int) and value.bit_length() > _MOST:
        return "a very large integer"
    try:
        text = without_secrets_in(repr(value))
    except Exception:  # noqa: BLE001 - it is somebody else's repr
        text = f"<{type(value).__qualname__}>"
    return text if len(text) <= _MOST else text[:_MOST] + "..."


_MOST = 60


def _sized(what: str, unit: str, number: int) -> str:
    if number == 0:
        return f"an empty {what}"
    article = "an" if what[0] in "aeiou" else "a"
    return f"{article} {what} of {number} {unit}{'' if number == 1 else 's'}"
