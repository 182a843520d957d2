"""
Typed configuration: one source, many sections.

A ``ConfigSource`` merges dicts, files, secrets, the environment and the
command line. ``load`` makes typed objects of it, or says all that is wrong at
once and where each value came from. A subclass of ``Config`` names its
section, and is then injected wherever its class is asked for.
"""

from __future__ import annotations

from ._errors import ConfigError
from ._errors import Problem
from ._explain import Explained
from ._explain import Explanation
from ._export.sample import sample
from ._export.schema import schema
from ._export.strategy import strategy
from ._export.variables import Variable
from ._export.variables import variables
from ._model.field_options import bool_var
from ._model.field_options import list_var
from ._model.field_options import metadata
from ._model.field_options import var
from ._model.registered import register
from ._model.secret import Secret
from ._plugin import Config
from ._plugin import prepare
from ._plugin import sections
from ._reload import Watch
from ._source import ConfigSource
from ._sources.named_by import NamedBy
from ._sources.provider import Provider
from ._sources.provider import Texts
from ._sources.provider import Values
from ._sources.toml_files import optional
from ._structure.scalars import URL
from ._structure.scalars import ByteSize


__all__ = [
    "URL",
    "ByteSize",
    "Config",
    "ConfigError",
    "ConfigSource",
    "Explained",
    "Explanation",
    "NamedBy",
    "Problem",
    "Provider",
    "Secret",
    "Texts",
    "Values",
    "Variable",
    "Watch",
    "bool_var",
    "list_var",
    "metadata",
    "optional",
    "prepare",
    "register",
    "sample",
    "schema",
    "sections",
    "strategy",
    "var",
    "variables",
]
