"""A text that was given for a value, and what it stands for."""

from __future__ import annotations

import contextlib
import typing as t

import attrs

from ._errors import BadValueError
from ._errors import Problem
from ._merge import Path
from ._merge import dig
from ._merge import is_table
from ._scalars import to_bool
from ._scalars import to_float
from ._scalars import to_int
from ._scalars import to_str
from ._text import Text
from ._text import parse_table


@attrs.frozen
class Given:
    """
    A text given for a value.

    Attributes:
        path: Where it belongs, from the class.
        text: The text.
        source: Who gave it.
        table: Whether it has to be parsed to be merged.
        kind: What plain type it is for.
        file: Whether it was read from a file.
        problem: Why it was not.
    """

    path: Path
    text: Text
    source: str
    table: bool = False
    kind: type | None = None
    file: bool = False
    problem: Problem | None = None

    def holds(self, rest: Path) -> bool:
        """Tell whether a value below its path is of this text."""
        data = self.data if rest else None
        if not is_table(data):
            return True
        try:
            dig(data, rest)
        except LookupError:
            return False
        return True

    @property
    def value(self) -> t.Any:
        """The text as a plain value, if it is one, else as it is."""
        hook = _HOOKS.get(self.kind)
        if hook is not None:
            with contextlib.suppress(BadValueError):
                return hook(self.text)
        return self.text

    @property
    def data(self) -> t.Any:
        """The text, or the table it says."""
        return _table_or_text(self.text) if self.table else self.text


_HOOKS: dict[type | None, t.Callable[[t.Any], t.Any]] = {
    str: to_str,
    int: to_int,
    float: to_float,
    bool: to_bool,
}


def as_data(text: Text) -> t.Any:
    """Return a text as untyped data: a table if it looks like one."""
    if text.lstrip().startswith("{"):
        return _table_or_text(text)
    return str(text)


def _table_or_text(text: Text) -> t.Any:
    try:
        return parse_table(text)
    except BadValueError:
        # The field's own hook says what is wrong with it.
        return text
