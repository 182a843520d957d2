"""Which name sets which value: of variables, of files of secrets."""

from __future__ import annotations

import os
import re
import typing as t

from collections.abc import Mapping

import attrs

from buvar.config._errors import ConfigError
from buvar.config._errors import Problem
from buvar.config._errors import config_error
from buvar.config._errors import dotted
from buvar.config._merge import Path
from buvar.config._model.fields import Field
from buvar.config._model.fields import fields
from buvar.config._model.fields import has_fields
from buvar.config._model.registered import registry
from buvar.config._model.types import arguments
from buvar.config._model.types import bare
from buvar.config._model.types import origin
from buvar.config._structure.compile import kept
from buvar.config._structure.unions import is_union

from .open_tables import Open
from .open_tables import Target
from .open_tables import value_type


#: Types whose objects cannot change, so that one may be used many times.
PLAIN: t.Final = frozenset({str, int, float, bool})


def _plain(tp: t.Any) -> bool:
    return isinstance(tp, type) and tp in PLAIN


@attrs.frozen(eq=False)
class Leaf:
    """
    A value that can be set by name.

    Attributes:
        path: The keys that lead to it from the class.
        field: The field itself, the last one on the way.
        table: Whether it is a class or a dict, so that text is parsed and
            merged with what is there.
        nested: Whether it is a class, whose fields have names of their own.
        secret: Whether the value must never be shown.
        optional: Whether the class it belongs to may be missing.
        owner: The class it belongs to.
        attributes: The attributes that lead to it.
        chain: The fields that lead to it, itself the last.
        mixed: Whether the classes of a union disagree on its type.
    """

    path: Path
    field: Field
    table: bool
    nested: bool
    secret: bool
    optional: bool
    owner: t.Any
    attributes: Path
    chain: tuple[Field, ...] = ()
    mixed: bool = False

    @property
    def kind(self) -> type | None:
        """The type of a plain value, which text becomes in one step."""
        field = self.field
        if self.mixed:
            return None
        plain = field.converter is None and field.extra.kind is None
        return field.type if plain and _plain(field.type) else None


def name_of(path: t.Iterable[str]) -> str:
    """Return the name of a variable for a path."""
    return re.sub(r"\W", "_", "_".join(path)).upper()


def leaves(tp: t.Any) -> list[Leaf]:
    """List all that can be set in a class, nested classes included."""
    cache = kept(tp)
    key = ("leaves", tp, registry.version)
    found: list[Leaf] | None = cache.get(key)
    if found is None:
        found = list(_leaves(tp, (), (), (), secret=False, optional=False))
        cache[key] = found
    return found


def _leaves(
    tp: t.Any,
    path: Path,
    attributes: Path,
    above: tuple[t.Any, ...],
    *,
    secret: bool,
    optional: bool,
    chain: tuple[Field, ...] = (),
) -> t.Iterator[Leaf]:
    for field in fields(tp):
        inner = [] if field.converter else classes_of(field.type)
        here = (*path, field.key)
        hidden = secret or field.hidden
        yield Leaf(
            here,
            field,
            bool(inner) or _is_mapping(field.type),
            bool(inner),
            hidden or (field.secret and not inner),
            optional,
            tp,
            (*attributes, field.name),
            (*chain, field),
        )
        for cls in inner:
            # A class within itself would have names without end.
            if cls not in (*above, tp):
                yield from _leaves(
                    cls,
                    here,
                    (*attributes, field.name),
                    (*above, tp),
                    secret=hidden,
                    optional=optional or not field.required,
                    chain=(*chain, field),
                )


def default_of(leaf: Leaf) -> t.Any:
    """
    Return what a value is if nothing is given.

    ``NOTHING`` if there is none, or if only the class can make it.
    """
    value: t.Any = attrs.NOTHING
    for number, field in enumerate(leaf.chain):
        if number == 0 or value is attrs.NOTHING:
            if number and leaf.chain[number - 1].required is False:
                return attrs.NOTHING
            value = field.make_default()
        elif value is None or not has_fields(type(value)):
            return attrs.NOTHING
        elif field.passing:
            value = field.make_default()
        else:
            # A default of another member of a union may lack it.
            value = getattr(value, field.name, attrs.NOTHING)
    return value


def classes_of(tp: t.Any) -> list[t.Any]:
    """Return the classes with fields that a type is, or is a union of."""
    if has_fields(tp):
        return [bare(tp)]
    if not is_union(tp):
        return []
    return [cls for item in arguments(tp) for cls in classes_of(item)]


def _is_mapping(tp: t.Any) -> bool:
    kinds = arguments(tp) if is_union(tp) else (tp,)
    return any(
        isinstance(kind, type) and issubclass(kind, Mapping)
        for kind in map(origin, kinds)
    )


@attrs.define(eq=False)
class Names:
    """
    The names of a class in one section.

    Attributes:
        tp: The class.
        section: Where it is.
        prefix: What variables begin with, ``None`` for no environment.
        leaves: The leaves by their names without the prefix.
        variables: The leaf of each variable, and whether the variable names
            a file to read.
        keys: The variables by what the environment stores them under.
        paths: The leaves by their paths.
        top: The keys of the class itself.
        open: The tables that have keys of their own choice.
        last: What was last found, and what that depends on.
    """

    tp: t.Any
    section: Path
    prefix: str | None
    leaves: dict[str, Leaf]
    variables: dict[str, tuple[Leaf, bool]]
    keys: dict[t.Any, str]
    paths: dict[Path, Leaf]
    top: frozenset[str]
    open: list[Open]
    last: t.Any = None

    def join(self, name: str) -> str:
        """Put the prefix before a name."""
        return f"{self.prefix}_{name}" if self.prefix else name


def names(tp: t.Any, section: Path, prefix: str | None) -> Names:
    """
    Return the names that set the values of a class.

    Raises:
        ConfigError: Two fields claim one name.
    """
    if not has_fields(tp):
        msg = f"{tp!r} is neither a class of attrs nor a dataclass"
        raise config_error(
            msg,
            cure="Decorate it, e.g. with attrs.define.",
        )
    cache = kept(tp)
    encode = getattr(os.environ, "encodekey", str)
    key = ("names", tp, section, prefix, encode, registry.version)
    found: Names | None = cache.get(key)
    if found is None:
        found = cache[key] = _names(tp, section, prefix)
        found.keys.update({encode(name): name for name in found.variables})
    return found


def _names(tp: t.Any, section: Path, prefix: str | None) -> Names:
    all_ = leaves(tp)
    result = Names(
        tp,
        section,
        prefix,
        {},
        {},
        {},
        {leaf.path: leaf for leaf in all_},
        frozenset(leaf.path[0] for leaf in all_),
        [*_open(all_, section)],
    )
    twice: list[Problem] = []
    for leaf in all_:
        name = name_of((*section, *leaf.path))
        other = result.leaves.setdefault(name, leaf)
        if other.path == leaf.path and other.kind is not leaf.kind:
            result.leaves[name] = attrs.evolve(other, mixed=True)
        if other.path != leaf.path:
            twice.append(
                _clash(
                    result.join(name),
                    (*section, *other.path),
                    (*section, *leaf.path),
                )
            )
    if prefix is None:
        return result
    variables = result.variables
    for name, leaf in result.leaves.items():
        variables[result.join(name)] = (leaf, False)
    for name, leaf in result.leaves.items():
        file = f"{result.join(name)}_FILE"
        other, _ = variables.setdefault(file, (leaf, True))
        # A table that has a key `file` cannot come from a file itself.
        if other is not leaf and other.path[:-1] != leaf.path:
            here, there = ((*section, *x.path) for x in (other, leaf))
            twice.append(_clash(file, here, there, is_file=True))
    if twice:
        raise ConfigError(twice, RENAME)
    return result


def _open(all_: list[Leaf], section: Path) -> t.Iterator[Open]:
    for leaf in all_:
        if leaf.nested or leaf.field.converter is not None:
            continue
        inner = value_type(leaf.field.type)
        if inner is None:
            continue
        classes = classes_of(inner)
        targets: dict[str, Target] | None = None
        if classes:
            targets = {
                name_of(below.path): Target(
                    below.path, below.table, below.kind
                )
                for cls in classes
                for below in leaves(cls)
            }
        start = name_of((*section, *leaf.path)) + "_"
        yield Open(start, leaf.path, targets)


def clashes(first: Names, second: Names) -> list[Problem]:
    """Name the variables that set different values of two classes."""
    found: list[Problem] = []
    names = first.variables.keys() & second.variables.keys()
    for name in sorted(names):
        (leaf, is_file), (other, other_is) = (
            first.variables[name],
            second.variables[name],
        )
        here = (*first.section, *leaf.path)
        there = (*second.section, *other.path)
        if is_file:
            here, there = there, here
        if here != there or is_file != other_is:
            same = is_file == other_is
            if is_file and same and name.removesuffix("_FILE") in names:
                # That is said of the variable itself.
                continue
            found.append(_clash(name, here, there, is_file=not same))
    return found


RENAME: t.Final = "Rename one of the two, e.g. with config.var(name=...)."


def _clash(
    name: str, first: Path, second: Path, *, is_file: bool = False
) -> Problem:
    """Say that a variable has two meanings, the second perhaps a file."""
    here, there = dotted(first), dotted(second)
    other = f"the file of {there}" if is_file else there
    text = f"the variable {name} is claimed by {here} and {other}"
    return Problem(there, text)


def normal_prefix(prefix: str | None) -> str | None:
    """
    Return a prefix in upper case, without the underscore it may end in.

    Raises:
        TypeError: It is not text.
        ConfigError: No variable can have it.
    """
    if not isinstance(t.cast("object", prefix), str | None):
        msg = (
            f"env_prefix is text such as 'APP' or None, not {prefix!r}.\n"
            "Pass '' to read variables without a prefix."
        )
        raise TypeError(msg)
    if prefix is None or not prefix:
        return prefix
    if not prefix.isidentifier() or not prefix.strip("_"):
        raise config_error(
            "the prefix of variables is a word of letters, digits and "
            "underscores that does not begin with a digit",
            value=repr(prefix),
            cure=f"Take one such as {_like(prefix)!r}.",
        )
    return prefix.upper().rstrip("_")


def _like(prefix: str) -> str:
    """Return a prefix that is like one which is wrong."""
    return name_of([prefix]).strip("_0123456789") or "APP"
