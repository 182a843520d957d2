"""List the variables that set the values of a class."""

from __future__ import annotations

import typing as t

import attrs

from buvar.config._model.sensitive import MASK
from buvar.config._registry import Classes
from buvar.config._registry import each
from buvar.config._sources.names import Leaf
from buvar.config._sources.names import default_of
from buvar.config._sources.names import names as names_of
from buvar.config._sources.names import normal_prefix

from .describe import helps
from .describe import words
from .dump import env_text
from .dump import is_confidential
from .dump import to_plain


@attrs.frozen
class Variable:
    """
    A variable of the environment.

    Attributes:
        name: Its name.
        path: The dotted path of the value it sets.
        takes: What it takes, in words.
        help: What is said of the value.
        required: Whether there is no default.
        secret: Whether the value must not be shown; ``NAME_FILE`` may name a
            file instead.
        text: The value as text, ``None`` if there is none.
    """

    name: str
    path: str
    takes: str
    help: str
    required: bool
    secret: bool
    text: str | None = attrs.field(default=None, repr=False)

    def __str__(self) -> str:
        """Render ``NAME=value`` for a shell, a comment if there is none."""
        if self.text is None:
            need = "required" if self.required else "optional"
            return f"# {self.name}=  # {self.takes}, {need}"
        import shlex  # noqa: PLC0415 - only for lists

        text = MASK if self.secret else self.text
        return f"{self.name}={shlex.quote(text)}"


def variables(
    cls: Classes = None,
    section: str | None = None,
    *,
    env_prefix: str = "",
    value: t.Any = None,
) -> list[Variable]:
    """
    List the variables of a class, in the order of its fields.

    Args:
        cls: The class, by default each ``Config`` that has a section, or
            several with their sections, as ``ConfigSource.classes`` returns.
        section: Its section, by default that of the class.
        env_prefix: What the names begin with.
        value: An object to take the values from, by default the defaults.

    Raises:
        ConfigError: Two fields claim one name.
    """
    prefix = normal_prefix(env_prefix)
    return [
        variable
        for kind, path in each(cls, section)
        for variable in _of_class(kind, path, prefix, value)
    ]


def _of_class(
    cls: t.Any, section: tuple[str, ...], prefix: str | None, value: t.Any
) -> t.Iterator[Variable]:
    names = names_of(cls, section, prefix)
    for name, leaf in names.leaves.items():
        if leaf.nested:
            continue
        default = default_of(leaf) if value is None else None
        item = default if value is None else _dig(value, leaf)
        given = item is not None and item is not attrs.NOTHING
        yield Variable(
            names.join(name),
            ".".join((*section, *leaf.path)),
            words(leaf.field.type),
            helps(leaf.owner, leaf.field),
            leaf.field.required and not leaf.optional,
            leaf.secret or (given and is_confidential(item)),
            env_text(to_plain(item)) if given else None,
        )


def _dig(value: t.Any, leaf: Leaf) -> t.Any:
    for name in leaf.attributes:
        value = getattr(value, name, attrs.NOTHING)
    return value
