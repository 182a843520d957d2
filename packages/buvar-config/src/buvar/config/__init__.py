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
from ._files import optional
from ._listing import Variable
from ._listing import variables
from ._provider import Provider
from ._provider import Values
from ._registry import register
from ._sample import sample
from ._scalars import URL
from ._scalars import ByteSize
from ._schema import schema
from ._secret import Secret
from ._section import Config
from ._section import prepare
from ._section import sections
from ._source import ConfigSource
from ._strategy import strategy
from ._watch import Watch


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
