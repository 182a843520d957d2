"""Make of what cattrs found a list of problems with their paths."""

from __future__ import annotations

import typing as t

from cattrs import AttributeValidationNote
from cattrs import BaseValidationError
from cattrs import ClassValidationError
from cattrs import ForbiddenExtraKeysError
from cattrs import IterableValidationNote

from ._errors import MASK
from ._errors import BadValueError
from ._errors import ConfigError
from ._errors import Problem
from ._fields import Field
from ._fields import fields
from ._fields import origin
from ._merge import dig
from ._merge import is_table
from ._secret import Secret
from ._secret import show


Keys: t.TypeAlias = tuple[t.Any, ...]
#: Says where the value at a path came from.
Where: t.TypeAlias = t.Callable[[Keys], str | None]


class Unknown(Problem):
    """An unknown key, which may be only worth a warning."""


def problems(
    error: BaseException,
    data: t.Any,
    where: Where,
    section: Keys = (),
) -> list[Problem]:
    """
    List what is wrong.

    Args:
        error: What the thorough function raised.
        data: What it was given.
        where: Says where the value at a path came from.
        section: The path of the data itself.
    """
    return list(_Diagnosis(data, where, section).walk(error, ()))


class _Diagnosis:
    def __init__(self, data: t.Any, where: Where, section: Keys) -> None:
        self.data = data
        self.where = where
        self.section = section

    def _dotted(self, path: Keys) -> str:
        return dotted((*self.section, *path))

    def walk(self, error: BaseException, path: Keys) -> t.Iterator[Problem]:
        """Follow the groups of cattrs down to what failed."""
        if isinstance(error, BaseValidationError):
            for inner in error.exceptions:
                yield from self._inner(error, inner, path)
        elif isinstance(error, ForbiddenExtraKeysError):
            known = fields(error.cl)
            for key in error.extra_fields:
                yield self._unknown(path, key, known)
        elif isinstance(error, ConfigError):
            yield from error.errors
        else:
            yield self._failed(error, path)

    def _inner(
        self, group: BaseValidationError, error: Exception, path: Keys
    ) -> t.Iterator[Problem]:
        for note in reversed(getattr(error, "__notes__", ())):
            if isinstance(note, AttributeValidationNote):
                field = _field(group.cl, note.name)
                here = (*path, field.key if field else note.name)
                if isinstance(error, KeyError) and self._missing(here):
                    yield self._absent(here, field, fields(group.cl))
                    return
                yield from self.walk(error, here)
                return
            if isinstance(note, IterableValidationNote):
                yield from self.walk(error, (*path, note.index))
                return
        if isinstance(group, ClassValidationError):
            yield from self._of_class(group, error, path)
        else:
            yield from self.walk(error, path)

    def _missing(self, path: Keys) -> bool:
        try:
            dig(self.data, path)
        except LookupError:
            return True
        return False

    def _absent(
        self, path: Keys, field: Field | None, members: list[Field]
    ) -> Problem:
        keys = self._keys(path[:-1])
        known = {item.key for item in members}
        near = _near(path[-1], [key for key in keys if key not in known])
        hint = f"Did you misspell it as {near}?" if near else None
        extra = field.extra.help if field else None
        return Problem(
            self._dotted(path),
            "missing, and it has no default",
            source=self.where(path[:-1]) if len(path) > 1 else None,
            hint=hint or extra,
        )

    def _keys(self, path: Keys) -> list[t.Any]:
        found = dig(self.data, path)
        return list(found) if is_table(found) else []

    def _unknown(self, path: Keys, key: t.Any, known: list[Field]) -> Problem:
        near = _near(str(key), [field.key for field in known])
        hint = (
            f"Did you mean {near}?"
            if near
            else "Known are " + ", ".join(field.key for field in known) + "."
            if known
            else "The class has no fields."
        )
        return Unknown(
            self._dotted((*path, key)),
            "unknown key",
            source=self.where((*path, key)),
            hint=hint,
        )

    def _of_class(
        self, group: ClassValidationError, error: Exception, path: Keys
    ) -> t.Iterator[Problem]:
        """Report what the constructor said, of its field if it names one."""
        if isinstance(error, ForbiddenExtraKeysError | ConfigError):
            yield from self.walk(error, path)
            return
        for argument in error.args[1:]:
            field = _field(group.cl, getattr(argument, "name", None))
            if field is not None:
                yield self._failed(error, (*path, field.key), field)
                return
        secret = _holds_secret(group.cl)
        yield Problem(
            self._dotted(path),
            f"{origin(group.cl).__name__} refuses it"
            + ("" if secret else f": {_text(error)}"),
            source=self.where(path),
        )

    def _failed(
        self,
        error: BaseException,
        path: Keys,
        field: Field | None = None,
    ) -> Problem:
        secret = bool(field and field.secret)
        hint = None
        if isinstance(error, BadValueError):
            expected, hint = error.expected, error.hint
            secret = secret or error.secret
        elif secret:
            expected = "expected another value"
        else:
            expected = _text(error)
        try:
            value = dig(self.data, path)
        except LookupError:
            shown = None
        else:
            secret = secret or isinstance(value, Secret)
            shown = MASK if secret else show(value)
        return Problem(
            self._dotted(path),
            expected,
            shown,
            self.where(path),
            None if secret else hint,
        )


def _text(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "expected less deep nesting"
    text = str(error.args[0]) if error.args else ""
    return text.split("\n")[0][:200] or type(error).__name__


def _field(tp: t.Any, name: t.Any) -> Field | None:
    return next((item for item in fields(tp) if item.name == name), None)


def _holds_secret(tp: t.Any) -> bool:
    from ._env import leaves  # noqa: PLC0415 - it builds on the compiler

    return any(leaf.secret for leaf in leaves(tp))


def _near(key: t.Any, keys: t.Sequence[t.Any]) -> str | None:
    import difflib  # noqa: PLC0415 - only when something is wrong

    names = {str(item).lower().replace("-", "_"): str(item) for item in keys}
    wanted = str(key).lower().replace("-", "_")
    found = difflib.get_close_matches(wanted, names, 1, 0.6)
    return repr(names[found[0]]) if found else None


def dotted(path: Keys) -> str:
    """Write a path as people do."""
    text = ""
    for key in path:
        if isinstance(key, int) and not isinstance(key, bool):
            text += f"[{key}]"
        else:
            word = str(key)
            plain = word.replace("_", "").replace("-", "").isalnum()
            word = word if plain else repr(word)
            text += f".{word}" if text else word
    return text
