"""Write a sample file of a class or of all sections."""

from __future__ import annotations

import textwrap
import typing as t

import attrs

from buvar.config._model.fields import Field
from buvar.config._model.fields import fields
from buvar.config._registry import Classes
from buvar.config._registry import each
from buvar.config._sources.names import classes_of

from .describe import helps
from .describe import summary
from .describe import words
from .dump import is_confidential
from .dump import to_plain
from .dump import toml_key
from .dump import toml_value


NOTHING: t.Final[t.Any] = attrs.NOTHING


def sample(
    cls: Classes = None,
    section: str | None = None,
    *,
    value: t.Any = None,
    reveal: bool = False,
) -> str:
    """
    Return TOML with the defaults, which loads equal when it is read back.

    What is required or has no default is a comment. Comments come from
    ``help`` and docstrings.

    Args:
        cls: The class, by default each ``Config`` that has a section, or
            several with their sections, as ``ConfigSource.classes`` returns.
        section: Its section, by default that of the class.
        value: An object to write instead of the defaults.
        reveal: Whether to write the secrets of that object.
    """
    lines: list[str] = []
    for kind, path in each(cls, section):
        writer = _Writer(reveal=reveal)
        writer.table(kind, path, NOTHING if value is None else value)
        lines += writer.lines
    return "\n".join(lines).strip("\n") + "\n"


class _Writer:
    def __init__(self, *, reveal: bool) -> None:
        self.reveal = reveal
        self.lines: list[str] = []

    def table(
        self,
        tp: t.Any,
        path: tuple[str, ...],
        value: t.Any,
        above: tuple[t.Any, ...] = (),
        *,
        hidden: bool = False,
    ) -> None:
        """Write a class, its own values before the tables in it."""
        self._comment(summary(tp))
        if path:
            self.lines.append(f"[{'.'.join(map(toml_key, path))}]")
        tables: list[tuple[Field, t.Any, t.Any]] = []
        for field in fields(tp):
            item = _value(field, value)
            inner = _class_of(field, item)
            if inner is None or inner in (*above, tp):
                self._value(tp, field, item, hidden=hidden or field.secret)
            else:
                tables.append((field, inner, item))
        self.lines.append("")
        for field, inner, item in tables:
            self._comment(helps(tp, field))
            if item is None:
                here = ".".join(map(toml_key, (*path, field.key)))
                self.lines += [f"# [{here}] may be left out", ""]
            else:
                self.table(
                    inner,
                    (*path, field.key),
                    item,
                    (*above, tp),
                    hidden=hidden or field.hidden,
                )

    def _value(
        self, tp: t.Any, field: Field, item: t.Any, *, hidden: bool
    ) -> None:
        self._comment(helps(tp, field))
        key = toml_key(field.key)
        if item is NOTHING:
            need = "required" if field.required else "optional"
            self.lines.append(f"# {key} = ({words(field.type)}, {need})")
        elif item is None:
            self.lines.append(f"# {key} = ({words(field.type)}, optional)")
        elif (hidden or is_confidential(item)) and not self.reveal:
            self.lines.append(f"# {key} = (secret, has a default)")
        else:
            self.lines.append(f"{key} = {toml_value(to_plain(item))}")

    def _comment(self, text: str) -> None:
        self.lines += [f"# {line}" for line in textwrap.wrap(text, 77)]


def _value(field: Field, owner: t.Any) -> t.Any:
    if owner is not NOTHING:
        item = field.value_of(owner)
        return field.make_default() if field.passing else item
    return field.make_default()


def _class_of(field: Field, item: t.Any) -> t.Any:
    """Return the class that is written as a table of its own."""
    found = [] if field.converter else classes_of(field.type)
    if item is NOTHING:
        return found[0] if found and field.required else None
    for cls in found:
        if item is None or isinstance(item, t.get_origin(cls) or cls):
            return cls
    return None
