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
from ._field_options import bool_var
from ._field_options import list_var
from ._field_options import metadata
from ._field_options import var
from ._listing import Variable
from ._listing import variables
from ._registry import register
from ._reload import Watch
from ._sample import sample
from ._scalars import URL
from ._scalars import ByteSize
from ._schema import schema
from ._secret import Secret
from ._section import Config
from ._section import prepare
from ._section import sections
from ._source import ConfigSource
from ._sources.provider import Provider
from ._sources.provider import Texts
from ._sources.provider import Values
from ._sources.toml_files import optional
from ._strategy import strategy


__all__ = [
    "URL",
    "ByteSize",
    "Config",
    "ConfigError",
    "ConfigSource",
    "Explained",
    "Explanation",
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
