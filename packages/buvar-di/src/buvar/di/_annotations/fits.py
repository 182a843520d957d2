"""
What a type variable may stand for, as a type checker sees it.

Classes are compared by inheritance, protocols by their members, what is built
of other types by its parts. Where a running program cannot know, as where
names are missing, everything fits: injection then asks for the type itself.
"""

from __future__ import annotations

import collections.abc
import types
import typing as t

from .evaluate import raw
from .generics import parameters
from .parse import bound_of
from .parse import is_subclass
from .parse import provided
from .spelling import PLAIN
from .spelling import normal


#: A number of one type is as good as one of another, as type checkers say.
_PROMOTED: t.Final[dict[t.Any, tuple[type, ...]]] = {
    float: (int,),
    complex: (float, int),
}
#: What only gives out what it holds may hold something more special.
_COVARIANT: t.Final = frozenset(
    {
        tuple,
        type,
        frozenset,
        collections.abc.AsyncGenerator,
        collections.abc.AsyncIterable,
        collections.abc.AsyncIterator,
        collections.abc.Awaitable,
        collections.abc.Collection,
        collections.abc.Container,
        collections.abc.Coroutine,
        collections.abc.Generator,
        collections.abc.ItemsView,
        collections.abc.Iterable,
        collections.abc.Iterator,
        collections.abc.KeysView,
        collections.abc.Mapping,
        collections.abc.Reversible,
        collections.abc.Sequence,
        collections.abc.Set,
        collections.abc.ValuesView,
    }
)


def fits(variable: t.TypeVar, target: t.Any) -> bool:
    """Tell whether a type variable may stand for a type."""
    if variable.__constraints__:
        # It stands for one of them exactly, not for what is derived from it.
        return normal(target) in map(normal, variable.__constraints__)
    bound = bound_of(variable)
    return bound is None or is_assignable(target, bound)


def is_assignable(target: t.Any, bound: t.Any) -> bool:  # noqa: PLR0911 - a case each
    """Tell whether an object of one type is one of another as well."""
    target, bound = _plain(target), _plain(bound)
    if target == bound or bound is object or _is_any(target, bound):
        return True
    if _is_union(target):
        return all(
            is_assignable(member, bound) for member in t.get_args(target)
        )
    if _is_union(bound):
        return any(
            is_assignable(target, member) for member in t.get_args(bound)
        )
    if t.get_origin(target) is t.Literal:
        return _are_literals(t.get_args(target), bound)
    if isinstance(target, t.NewType):
        return is_assignable(target.__supertype__, bound)
    if isinstance(bound, t.NewType) or t.get_origin(bound) is t.Literal:
        return False
    return _is_derived(target, bound)


def _is_any(*types: t.Any) -> bool:
    """Tell whether one of them says nothing: ``Any``, a type variable."""
    return any(
        tp in (t.Any, t.Never, ...) or isinstance(tp, t.TypeVar)
        for tp in types
    )


def _plain(tp: t.Any) -> t.Any:
    """Take off what says nothing about the type of an object."""
    tp = normal(tp)
    while t.get_origin(tp) is t.Annotated:
        tp = normal(tp.__origin__)
    if tp is t.LiteralString:
        return str
    return type(None) if tp is None else tp


def _is_union(tp: t.Any) -> bool:
    return t.get_origin(tp) in (t.Union, types.UnionType)


def _are_literals(values: tuple[t.Any, ...], bound: t.Any) -> bool:
    if t.get_origin(bound) is t.Literal:
        known: list[t.Any] = [
            (type(literal), literal) for literal in t.get_args(bound)
        ]
        return all((type(value), value) in known for value in values)
    return all(is_assignable(type(value), bound) for value in values)


def _is_derived(target: t.Any, bound: t.Any) -> bool:
    """Compare classes, and then what they say of their arguments."""
    own, other = t.get_origin(target) or target, t.get_origin(bound) or bound
    if not (isinstance(own, type) and isinstance(other, type)):
        return not isinstance(other, type)
    if any(is_subclass(own, base) for base in _PROMOTED.get(other, ())):
        return True
    if t.is_typeddict(other):
        return _has_keys(own, other)
    if not is_subclass(own, other):
        return getattr(other, "_is_protocol", False) and _has_members(
            own, other
        )
    if bound is other:
        return True
    bases = [base for base in provided(target) if t.get_origin(base) is other]
    if not bases and own.__module__ in PLAIN:
        # Classes of Python do not say what their bases' arguments are.
        bases = [target]
    # Of what has no arguments nothing is known, such as of a bare list.
    return not any(map(t.get_args, bases)) or any(
        _are_like(base, bound) for base in bases
    )


def _are_like(own: t.Any, bound: t.Any) -> bool:
    """Compare the arguments of two types of one class."""
    origin = t.get_origin(bound)
    ours, theirs = t.get_args(own), t.get_args(bound)
    if t.get_origin(own) is tuple:
        ours, theirs = _items(ours, theirs, is_tuple=origin is tuple)
    lists = (tuple, list)
    if any(isinstance(arg, lists) for arg in (*ours, *theirs)):
        # Parameters of functions are left to type checkers.
        return True
    variables = parameters(origin)
    return len(ours) == len(theirs) and all(
        _is_like(
            own_arg,
            other,
            variables[number] if number < len(variables) else None,
            covariant=origin in _COVARIANT,
        )
        for number, (own_arg, other) in enumerate(
            zip(ours, theirs, strict=True)
        )
    )


def _items(
    ours: tuple[t.Any, ...], theirs: tuple[t.Any, ...], *, is_tuple: bool
) -> tuple[tuple[t.Any, ...], tuple[t.Any, ...]]:
    """
    Have one type, of any number of items, stand as often as there are items.

    That is ``tuple[T, ...]``, or ``Sequence[T]`` which is not a tuple.
    """
    if theirs[-1:] == (...,) or (len(theirs) == 1 and not is_tuple):
        ours = tuple(arg for arg in ours if arg is not ...)
        return ours, theirs[:1] * len(ours)
    return ours, theirs


def _is_like(
    own: t.Any, other: t.Any, variable: t.Any, *, covariant: bool
) -> bool:
    own, other = _plain(own), _plain(other)
    if own == other or _is_any(own, other):
        return True
    if covariant or getattr(variable, "__covariant__", False):
        return is_assignable(own, other)
    if getattr(variable, "__contravariant__", False):
        return is_assignable(other, own)
    # A type checker reads it from the body of the class.
    return bool(getattr(variable, "__infer_variance__", False)) and (
        is_assignable(own, other) or is_assignable(other, own)
    )


def _has_keys(own: t.Any, other: t.Any) -> bool:
    if not t.is_typeddict(own):
        return False
    ours: frozenset[str] = own.__required_keys__
    theirs: frozenset[str] = other.__required_keys__
    return theirs <= ours and other.__optional_keys__ <= {
        *ours,
        *own.__optional_keys__,
    }


#: What every object has, only to refuse: it is not declared for type checkers.
_NEVER: t.Final = frozenset({"__lt__", "__le__", "__gt__", "__ge__"})


def _has_members(own: type, protocol: t.Any) -> bool:
    return all(_has(own, name) for name in members(protocol))


def _has(own: type, name: str) -> bool:
    for cls in own.__mro__:
        if cls is object and name in _NEVER:
            return False
        if name in vars(cls):
            # "__hash__ = None" says that there is none.
            return vars(cls)[name] is not None
        if name in raw(cls):
            return True
        # What a method sets on itself.
        init = getattr(vars(cls).get("__init__"), "__code__", None)
        set_on_self: t.Any = vars(cls).get("__static_attributes__")
        if name in (set_on_self or getattr(init, "co_names", ())):
            return True
    return False


def members(protocol: t.Any) -> set[str]:
    """List the members that a protocol asks for."""
    # Older Pythons have it under another name.
    read: t.Any = getattr(t, "get_protocol_members", None)
    read = read or getattr(t, "_get_protocol_attrs")  # noqa: B009
    # With "__eq__" in its body a class has "__hash__ = None".
    return {
        name
        for name in read(protocol)
        if getattr(protocol, name, name) is not None
    }
