"""Write a JSON Schema of a class or of all sections, for editors."""

from __future__ import annotations

import datetime as dt
import enum
import pathlib
import typing as t

import attrs

from buvar.config._merge import SEQUENCES
from buvar.config._merge import is_array
from buvar.config._merge import is_table
from buvar.config._model.fields import Field
from buvar.config._model.fields import fields
from buvar.config._model.fields import has_fields
from buvar.config._model.fields import is_secret
from buvar.config._model.registered import registry
from buvar.config._model.secret import Secret
from buvar.config._model.types import arguments
from buvar.config._model.types import bare
from buvar.config._model.types import origin
from buvar.config._registry import Classes
from buvar.config._registry import each
from buvar.config._structure.scalars import URL
from buvar.config._structure.scalars import ByteSize
from buvar.config._structure.unions import is_union

from .describe import helps
from .describe import summary
from .dump import is_confidential
from .dump import to_plain


Schema: t.TypeAlias = dict[str, t.Any]

_TEXT: Schema = {"type": "string"}
_PLAIN: dict[t.Any, Schema] = {
    str: _TEXT,
    bytes: _TEXT,
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {
        "anyOf": [
            {"type": "boolean"},
            {"enum": [0, 1]},
            {
                "type": "string",
                "pattern": "(?i)^(1|0|true|false|yes|no|on|off)$",
            },
        ]
    },
    type(None): {"type": "null"},
    dt.datetime: {"type": "string", "format": "date-time"},
    dt.date: {"type": "string", "format": "date"},
    dt.time: {"type": "string", "format": "time"},
    dt.timedelta: {"type": ["string", "number"]},
    pathlib.Path: _TEXT,
    ByteSize: {"type": ["integer", "string"]},
    URL: {"type": "string", "format": "uri"},
    Secret: {},
}


def schema(cls: Classes = None, section: str | None = None) -> Schema:
    """
    Return the JSON Schema of what a class is loaded from.

    Args:
        cls: The class, by default each ``Config`` that has a section, or
            several with their sections, as ``ConfigSource.classes`` returns.
        section: Its section, by default that of the class.
    """
    writer = _Writer()
    root: Schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
    }
    for kind, path in each(cls, section):
        node = root
        for key in path:
            properties = node.setdefault("properties", {})
            node = properties.setdefault(key, {"type": "object"})
        node.update(writer.table(kind))
        if not path:
            # The tables of others are beside what belongs to this class.
            node["additionalProperties"] = {"type": "object"}
    if writer.definitions:
        root["$defs"] = writer.definitions
    return root


class _Writer:
    def __init__(self) -> None:
        self.definitions: Schema = {}
        self._names: dict[t.Any, str] = {}

    def table(self, tp: t.Any) -> Schema:
        """Describe a class."""
        members = fields(tp)
        found: Schema = {
            "type": "object",
            "properties": {f.key: self._field(tp, f) for f in members},
            "additionalProperties": False,
        }
        required = [field.key for field in members if field.required]
        if required:
            found["required"] = required
        if said := summary(tp):
            found["description"] = said
        return found

    def _field(self, tp: t.Any, field: Field) -> Schema:
        found: Schema = {}
        if not field.converter:
            found |= self.type(field.type)
        if field.extra.kind == "list":
            found = {"anyOf": [found, _TEXT]}
        if said := helps(tp, field):
            found["description"] = said
        default = field.make_default()
        if field.hidden or is_secret(field.type):
            found["writeOnly"] = True
        given = default is not attrs.NOTHING and default is not None
        if given and not field.secret and not is_confidential(default):
            found["default"] = _json(to_plain(default))
        return found

    def type(self, tp: t.Any) -> Schema:  # noqa: PLR0911 - a table of kinds
        """Describe a type."""
        tp = bare(tp)
        cls, inner = origin(tp), arguments(tp)
        if tp in _PLAIN:
            return _PLAIN[tp]
        if cls in registry:
            return {"description": registry[cls].takes}
        if has_fields(tp):
            return self._reference(tp)
        if is_union(tp):
            return {"anyOf": [self.type(item) for item in inner]}
        if cls is Secret:
            return self.type(inner[0])
        if cls is t.Literal:
            return {
                "enum": [None if x is None else to_plain(x) for x in inner]
            }
        return self._class(cls, inner) if isinstance(cls, type) else {}

    def _class(self, cls: t.Any, inner: tuple[t.Any, ...]) -> Schema:
        if issubclass(cls, enum.Flag):
            return {"type": ["integer", "string", "array"]}
        if issubclass(cls, enum.Enum):
            return {"enum": [to_plain(item) for item in cls]}
        if issubclass(cls, SEQUENCES):
            return self._array(cls, inner)
        if issubclass(cls, t.Mapping):
            found: Schema = {"type": "object"}
            if inner:
                found["additionalProperties"] = self.type(inner[1])
            return found
        return {}

    def _array(self, cls: t.Any, inner: tuple[t.Any, ...]) -> Schema:
        found: Schema = {"type": "array"}
        if cls is tuple and inner and inner[-1] is not ...:
            found["prefixItems"] = [self.type(item) for item in inner]
            found["minItems"] = found["maxItems"] = len(inner)
        elif inner:
            found["items"] = self.type(inner[0])
        return found

    def _reference(self, tp: t.Any) -> Schema:
        name = self._names.get(tp)
        if name is None:
            base = name = origin(tp).__name__
            while name in self.definitions:
                name = f"{base}{len(self.definitions)}"
            self._names[tp] = name
            self.definitions[name] = {}
            self.definitions[name] = self.table(tp)
        return {"$ref": f"#/$defs/{name}"}


def _json(value: t.Any) -> t.Any:
    if is_table(value):
        return {key: _json(item) for key, item in value.items()}
    if is_array(value):
        return [_json(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
