"""Make of what cattrs found a list of problems with their paths."""

from __future__ import annotations

import contextlib
import typing as t

import attrs

from cattrs import AttributeValidationNote
from cattrs import BaseValidationError
from cattrs import ForbiddenExtraKeysError
from cattrs import IterableValidationNote

from ._errors import BadValueError
from ._errors import ConfigError
from ._errors import Problem
from ._errors import dotted
from ._errors import reason_of
from ._merge import dig
from ._merge import is_table
from ._model.fields import Field
from ._model.fields import fields
from ._model.fields import has_fields
from ._model.fields import holds_secret
from ._model.secret import Secret
from ._model.secret import show
from ._model.secret import without_words
from ._model.sensitive import MASK
from ._model.sensitive import sounds_secret
from ._model.types import origin
from ._refusals import named_by
from ._refusals import secrets_in
from ._structure.tags import MissingTagError
from ._structure.text import parse_list
from ._structure.text import parse_table


Keys: t.TypeAlias = tuple[t.Any, ...]


class Finder(t.Protocol):
    """What is known of the values beside themselves."""

    def where(self, path: t.Sequence[t.Any], /) -> str | None:
        """Say where the value at a path came from."""
        ...

    def is_confidential(self, path: t.Sequence[t.Any], /) -> bool:
        """Tell whether it came from a file for secrets."""
        ...

    def setting(self, path: t.Sequence[t.Any], /) -> str | None:
        """Say how a missing value is given."""
        ...

    def words(self, data: t.Any, /) -> set[str]:
        """Return the texts that came from files for secrets."""
        ...


#: How cattrs says that a key is wrong and not its value.
_KEY_NOTE: t.Final = "Structuring mapping key"


class Unknown(Problem):
    """An unknown key, which may be only worth a warning."""


def problems(
    error: BaseException,
    data: t.Any,
    finder: Finder,
    section: Keys = (),
    tp: t.Any = None,
) -> list[Problem]:
    """
    List what is wrong.

    Args:
        error: What the thorough function raised.
        data: What it was given.
        finder: Knows where the values came from.
        section: The path of the data itself.
        tp: The class that was asked for.
    """
    return list(_Diagnosis(tp, data, finder, section).walk(error, ()))


class _Diagnosis:
    def __init__(
        self, tp: t.Any, data: t.Any, finder: Finder, section: Keys
    ) -> None:
        self.tp = tp
        self.data = data
        self.finder = finder
        self.where = finder.where
        self.section = section

    def _dotted(self, path: Keys) -> str:
        return dotted((*self.section, *path))

    def walk(
        self, error: BaseException, path: Keys, field: Field | None = None
    ) -> t.Iterator[Problem]:
        """
        Follow the groups of cattrs down to what failed.

        Args:
            error: What was raised.
            path: Where.
            field: The field that is at this path or holds what is.
        """
        if isinstance(error, BaseValidationError):
            for inner in error.exceptions:
                yield from self._inner(error, inner, path, field)
        elif isinstance(error, ForbiddenExtraKeysError):
            for key in sorted(error.extra_fields, key=str):
                yield self._unknown(path, key, _keys(error.cl))
        elif isinstance(error, ConfigError):
            yield from error.errors
        else:
            yield self._failed(error, path, field)

    def _inner(
        self,
        group: BaseValidationError,
        error: Exception,
        path: Keys,
        owner: Field | None,
    ) -> t.Iterator[Problem]:
        for note in reversed(getattr(error, "__notes__", ())):
            if isinstance(note, AttributeValidationNote):
                field = _field(group.cl, note.name)
                here = (*path, field.key if field else note.name)
                if isinstance(error, MissingTagError):
                    yield Problem(
                        self._dotted(here),
                        f"missing, {error.expected}",
                        source=self.where(path),
                    )
                    return
                if isinstance(error, KeyError):
                    yield self._absent(here, field, _keys(group.cl))
                    return
                yield from self.walk(error, here, field)
                return
            if isinstance(note, IterableValidationNote):
                here = (*path, note.index)
                if str(note).startswith(_KEY_NOTE):
                    yield self._bad_key(error, here, owner)
                    return
                yield from self.walk(error, here, owner)
                return
        yield from self._of_class(group, error, path)

    def _bad_key(
        self, error: Exception, path: Keys, owner: Field | None
    ) -> Problem:
        """Report a key as what is wrong, not the value that it has."""
        found = self._failed(error, path[:-1], owner)
        if found.value == MASK:
            return attrs.evolve(found, source=self.where(path))
        return attrs.evolve(
            found,
            expected=f"{found.expected} as the key",
            value=show(path[-1]),
            source=self.where(path),
        )

    def _absent(
        self, path: Keys, field: Field | None, known: list[str]
    ) -> Problem:
        keys = self._keys(path[:-1])
        near = _near(path[-1], [key for key in keys if key not in known])
        hint = f"Did you misspell it as {near}?" if near else None
        extra = field.extra.help if field else None
        lines = [hint or extra, self.finder.setting(path)]
        return Problem(
            self._dotted(path),
            "missing, and it has no default",
            source=self.where(path[:-1]) if len(path) > 1 else None,
            hint="\n".join(filter(None, lines)) or None,
        )

    def _keys(self, path: Keys) -> list[t.Any]:
        try:
            found = self._value(path)
        except LookupError:
            return []
        return list(found) if is_table(found) else []

    def _value(self, path: Keys) -> t.Any:
        """Return what is at a path, also within text that was parsed."""
        node = self.data
        for key in path:
            if isinstance(node, str):
                is_item = isinstance(key, int)
                try:
                    node = parse_list(node) if is_item else parse_table(node)
                except BadValueError:
                    # The items of a named tuple are written without names.
                    raise LookupError(key) from None
            node = dig(node, (key,))
        return node

    def _unknown(self, path: Keys, key: t.Any, known: list[str]) -> Problem:
        near = _near(str(key), known)
        hint = (
            f"Did you mean {near}?"
            if near
            else "Known are " + ", ".join(known) + "."
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
        self, group: BaseValidationError, error: Exception, path: Keys
    ) -> t.Iterator[Problem]:
        """Report what the constructor said, of its field if it names one."""
        if isinstance(error, ForbiddenExtraKeysError | ConfigError):
            yield from self.walk(error, path)
            return
        if (said := self._with_path(group, error, path)) is not None:
            yield said
            return
        field = _field(group.cl, named_by(error, group.cl))
        if field is not None:
            yield self._refused(error, (*path, field.key), field, group.cl)
            return
        yield Problem(
            self._dotted(path),
            f"{origin(group.cl).__name__} refuses it: "
            + self._reason(error, path, group.cl),
            source=self.where(path),
        )

    def _refused(
        self, error: Exception, path: Keys, field: Field, cls: t.Any
    ) -> Problem:
        """Report what a validator said of a value."""
        found = self._failed(error, path, field)
        if found.value == MASK:
            return found
        reason = self._reason(error, path[:-1], cls)
        return attrs.evolve(found, expected=reason)

    def _reason(self, error: Exception, path: Keys, cls: t.Any) -> str:
        """Return the text of an error without the secrets of its class."""
        words = self.finder.words(self.data)
        with contextlib.suppress(LookupError, BadValueError):
            words |= set(secrets_in(cls, self._value(path)))
        return without_words(reason_of(error), words)

    def _with_path(
        self, group: BaseValidationError, error: t.Any, path: Keys
    ) -> Problem | None:
        """Report an error that says where it is, such as that of a log."""
        said = getattr(error, "path", None)
        problem = getattr(error, "problem", None)
        if not (isinstance(said, str) and isinstance(problem, str)):
            return None
        name, *rest = said.split(".")
        field = _field(group.cl, name)
        if field is None or field.secret:
            return None
        here = (*path, field.key, *rest)
        return Problem(
            self._dotted(here),
            problem.removesuffix("."),
            source=self.where(here) or self.where((*path, field.key)),
            hint=getattr(error, "cure", None),
        )

    def _failed(
        self,
        error: BaseException,
        path: Keys,
        field: Field | None = None,
    ) -> Problem:
        secret = field.secret if field else holds_secret(self.tp)
        secret = secret or self.finder.is_confidential(path)
        secret = secret or _sounds_secret_below(path, field)
        hint = None
        if isinstance(error, BadValueError):
            expected, hint = error.expected, error.hint
            secret = secret or error.secret
        elif secret:
            expected = "expected another value"
        else:
            expected = without_words(reason_of(error), ())
        try:
            value = self._value(path)
        except LookupError:
            shown = None
        else:
            secret = secret or isinstance(value, Secret)
            shown = MASK if secret else show(value)
        return Problem(
            self._dotted(path),
            expected,
            shown,
            # An item of a list that is written as text has no place.
            self.where(path) or self.where(path[:-1]),
            None if secret else hint,
        )


def _sounds_secret_below(path: Keys, field: Field | None) -> bool:
    """Tell whether a key without a field, as in a dict, sounds secret."""
    below = path
    if field is not None and field.key in path:
        below = path[path.index(field.key) + 1 :]
    elif has_fields(field and field.type):
        return False
    return any(isinstance(key, str) and sounds_secret(key) for key in below)


def _fields(tp: t.Any) -> list[Field]:
    return fields(tp) if has_fields(tp) else []


def _field(tp: t.Any, name: t.Any) -> Field | None:
    return next((item for item in _fields(tp) if item.name == name), None)


def _keys(tp: t.Any) -> list[str]:
    """Return what a class knows, or a TypedDict."""
    return [item.key for item in _fields(tp)] or [
        *getattr(tp, "__annotations__", ())
    ]


def _near(key: t.Any, keys: t.Sequence[t.Any]) -> str | None:
    import difflib  # noqa: PLC0415 - only when something is wrong

    names = {str(item).lower().replace("-", "_"): str(item) for item in keys}
    wanted = str(key).lower().replace("-", "_")
    found = difflib.get_close_matches(wanted, names, 1, 0.6)
    return repr(names[found[0]]) if found else None
