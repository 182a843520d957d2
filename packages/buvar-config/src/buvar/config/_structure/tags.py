"""Fields that say which class of a union a table is for."""

from __future__ import annotations

import typing as t

import attrs

from cattrs import AttributeValidationNote
from cattrs import ClassValidationError

from buvar.config._errors import BadValueError
from buvar.config._model.fields import Field
from buvar.config._model.fields import fields
from buvar.config._model.fields import has_fields
from buvar.config._model.types import arguments
from buvar.config._model.types import bare
from buvar.config._model.types import origin

from .choices import listed
from .choices import to_literal


Member: t.TypeAlias = tuple[t.Any, t.Callable[[t.Any, t.Any], t.Any]]


#: Untyped, as cattrs says less of them than a strict checker wants.
_note: t.Any = AttributeValidationNote
_refusal: t.Any = ClassValidationError


class MissingTagError(KeyError):
    """
    There is no tag, and no class does without.

    Attributes:
        expected: All tags.
    """

    def __init__(self, expected: str) -> None:
        super().__init__(expected)
        self.expected = expected


@attrs.frozen(eq=False)
class Tag:
    """
    A key that all classes of a union have with values of their own.

    Attributes:
        key: The key.
        fields: The field of each class.
    """

    key: str
    fields: dict[t.Any, Field]

    def choose(
        self,
        members: list[Member],
        table: t.Mapping[t.Any, t.Any],
        value: t.Any,
    ) -> list[Member]:
        """
        Return the members that a table may be for.

        Raises:
            ClassValidationError: There is none; it is about the tag.
        """
        others = [item for item in members if item[0] not in self.fields]
        if self.key in table:
            given = table[self.key]
            for kind, field in self.fields.items():
                if _takes(field, given):
                    return [item for item in members if item[0] == kind]
            # A class without a tag, or a dict, may take anything.
            found = [item for item in others if _takes_table(item[0])]
        else:
            found = [
                item
                for item in members
                if item[0] not in self.fields
                or not self.fields[item[0]].required
                or _is_of(value, item[0])
            ]
            if not any(_takes_table(kind) for kind, _ in found):
                found = []
        if found:
            return found
        raise self._error(missing=self.key not in table)

    def _error(self, *, missing: bool) -> Exception:
        choices = [
            choice
            for field in self.fields.values()
            for choice in arguments(field.type)
        ]
        expected = f"expected one of {listed(choices)}"
        cls, field = next(iter(self.fields.items()))
        error: Exception = (
            MissingTagError(expected) if missing else BadValueError(expected)
        )
        error.add_note(_note(f"the tag {self.key}", field.name, field.type))
        refused: Exception = _refusal("the tag is wrong", [error], cls)
        return refused


def _takes(field: Field, value: t.Any) -> bool:
    try:
        to_literal(value, field.type)
    except BadValueError:
        return False
    return True


def _takes_table(kind: t.Any) -> bool:
    cls = origin(kind)
    return (
        has_fields(kind)
        or cls in (t.Any, object)
        or (isinstance(cls, type) and issubclass(cls, t.Mapping))
    )


def _is_of(value: t.Any, kind: t.Any) -> bool:
    """Tell whether a default, which a table lies over, is of a class."""
    return isinstance(getattr(value, "base", None), origin(kind))


def tag_of(kinds: list[t.Any]) -> Tag | None:
    """Return what tells the classes of a union apart, if something does."""
    classes = [kind for kind in kinds if has_fields(kind)]
    if len(classes) < 2:  # noqa: PLR2004 - one needs no tag
        return None
    by_class = {
        kind: {field.key: field for field in fields(kind)} for kind in classes
    }
    for key in by_class[classes[0]]:
        found = {
            kind: attrs.evolve(by_key[key], type=bare(by_key[key].type))
            for kind, by_key in by_class.items()
            if key in by_key and origin(by_key[key].type) is t.Literal
        }
        choices: list[t.Any] = [
            (choice.__class__, choice)
            for field in found.values()
            for choice in set(arguments(field.type))
        ]
        if len(found) == len(classes) and len(set(choices)) == len(choices):
            return Tag(key, found)
    return None
