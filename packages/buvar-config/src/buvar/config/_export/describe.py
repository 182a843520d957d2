"""Describe types and fields in words, for people who write configuration."""

from __future__ import annotations

import datetime as dt
import enum
import inspect
import pathlib
import re
import textwrap
import typing as t

from buvar.config._merge import SEQUENCES
from buvar.config._model.fields import Field
from buvar.config._model.fields import has_fields
from buvar.config._model.registered import registry
from buvar.config._model.secret import Secret
from buvar.config._model.types import arguments
from buvar.config._model.types import bare
from buvar.config._model.types import origin
from buvar.config._structure.choices import spelled
from buvar.config._structure.scalars import URL
from buvar.config._structure.scalars import ByteSize
from buvar.config._structure.unions import is_union


_WORDS: dict[t.Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    bytes: "text",
    dt.datetime: "a date and time",
    dt.date: "a date",
    dt.time: "a time",
    dt.timedelta: "a duration such as 1h30m",
    pathlib.Path: "a path",
    ByteSize: "a size such as 10MB",
    URL: "a URL",
    t.Any: "anything",
    type(None): "nothing",
}


def words(tp: t.Any) -> str:
    """Say what a type takes."""
    tp = bare(tp)
    cls, inner = origin(tp), arguments(tp)
    if tp in _WORDS:
        return _WORDS[tp]
    if is_union(tp):
        kinds = [item for item in inner if item is not type(None)]
        return " or ".join(map(words, kinds))
    if cls is t.Literal:
        return "one of " + ", ".join(map(repr, inner))
    if cls is Secret:
        return words(next(iter(inner), str)) + ", secret"
    return _class_words(cls, tp) if isinstance(cls, type) else "anything"


def _class_words(cls: type, tp: t.Any) -> str:
    if cls in registry:
        return registry[cls].takes
    if issubclass(cls, enum.Flag):
        return "one or more of " + ", ".join(map(repr, cls.__members__))
    if issubclass(cls, enum.Enum):
        return "one of " + ", ".join(repr(spelled(item)) for item in cls)
    if has_fields(tp):
        return "a table"
    if issubclass(cls, SEQUENCES):
        inner = arguments(tp)
        return f"an array of {words(inner[0])}" if inner else "an array"
    return "a table" if issubclass(cls, t.Mapping) else f"a {cls.__name__}"


def _doc(cls: type) -> str:
    """Return the docstring of a class itself, which may be made lazily."""
    text = t.cast("object", cls.__doc__)
    return inspect.cleandoc(text) if isinstance(text, str) else ""


def summary(tp: t.Any) -> str:
    """Return the first sentence of a class's own docstring."""
    cls = origin(tp)
    text = _doc(cls)
    # A dataclass without a docstring is given its signature.
    if text.startswith(f"{cls.__name__}("):
        return ""
    return " ".join(text.split("\n\n")[0].split())


_SECTION = re.compile(
    r"^(?:Args|Arguments|Attributes):\n((?:[ \t]+.*\n?|\n)+)", re.MULTILINE
)
_ENTRY = re.compile(r"^(\w+)[^:\n]*:[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE)


def helps(tp: t.Any, field: Field) -> str:
    """Return what is said of a field: its help, or in the docstring."""
    if field.extra.help:
        return field.extra.help
    for cls in origin(tp).__mro__:
        text = _doc(cls) + "\n"
        for section in _SECTION.findall(text):
            for name, said in _ENTRY.findall(textwrap.dedent(section)):
                if name == field.name:
                    return " ".join(said.split())
    return ""
