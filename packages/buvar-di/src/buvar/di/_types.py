"""What a type annotation asks for, and what a return type provides."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import types
import typing as t


#: A type to resolve: a class, a generic alias, a ``NewType``, ...
Key: t.TypeAlias = t.Hashable

#: What the type variables of a generic implementation stand for.
Bindings: t.TypeAlias = dict[t.Any, t.Any]

#: Classes in a ``__mro__`` that nobody asks for.
_NO_KEYS: frozenset[t.Any] = frozenset({object, t.Generic, t.Protocol})
#: Aliases of these are the same in ``typing`` and outside of it.
_PLAIN = frozenset({"builtins", "collections", "collections.abc"})


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    """
    Ask for the component of this name: ``Annotated[T, di.Named("x")]``.

    Attributes:
        name: The name the component was added with.
    """

    name: t.Hashable


class Asked(t.NamedTuple):
    """
    An annotation taken apart.

    Attributes:
        keys: The types that will do, in order of preference; none if the
            annotation says nothing, as ``Any`` does.
        optional: ``None`` will do as well.
        named: The name asked for, see ``Named``.
    """

    keys: tuple[Key, ...]
    optional: bool = False
    named: Named | None = None


def ask(annotation: t.Any) -> Asked:
    """Take an annotation apart: ``Optional``, unions, ``Annotated``."""
    if type(annotation) is type and annotation is not _NONE:
        return Asked((annotation,))
    return _ask(annotation)


_NONE = type(None)


def _ask(annotation: t.Any) -> Asked:  # noqa: PLR0911 - a case each
    annotation = unalias(annotation)
    if annotation is t.Any or annotation is inspect.Parameter.empty:
        return Asked(())
    if annotation is None or annotation is _NONE:
        return Asked((), optional=True)
    origin = t.get_origin(annotation)
    if origin is t.Annotated:
        inner = ask(annotation.__origin__)
        names = [m for m in annotation.__metadata__ if isinstance(m, Named)]
        return inner._replace(named=names[-1]) if names else inner
    if origin is t.Union or origin is types.UnionType:
        parts = [ask(member) for member in t.get_args(annotation)]
        keys = dict.fromkeys(key for part in parts for key in part.keys)
        return Asked(tuple(keys), any(part.optional for part in parts))
    if isinstance(annotation, t.TypeVar):
        bound: t.Any = annotation.__bound__
        if annotation.__constraints__:
            bound = t.Union[annotation.__constraints__]  # noqa: UP007 - of a tuple
        return ask(t.Any if bound is None else bound)
    if isinstance(annotation, dataclasses.InitVar):
        return ask(t.cast("t.Any", annotation).type)
    return Asked((normal(annotation),))


def unalias(annotation: t.Any) -> t.Any:
    """Look through ``type X = ...`` statements."""
    while type(annotation).__name__ == "TypeAliasType":
        annotation = annotation.__value__
    return annotation


def normal(annotation: t.Any) -> t.Any:
    """Spell ``typing.List[T]`` and ``list[T]`` the same."""
    origin = t.get_origin(annotation)
    if origin is None or not isinstance(origin, type):
        return annotation
    if origin.__name__ == "Callable" or origin.__module__ not in _PLAIN:
        return annotation
    args = tuple(normal(arg) for arg in t.get_args(annotation))
    return origin[args] if args else origin  # type: ignore[index]


def provided(returns: t.Any) -> tuple[Key, ...]:
    """List the types an object of type ``returns`` is of, nearest first."""
    origin = t.get_origin(returns) or returns
    if not isinstance(origin, type):
        return (returns,)
    mro = tuple(cls for cls in origin.__mro__ if cls not in _NO_KEYS)
    if origin is returns and not hasattr(origin, "__orig_bases__"):
        return mro
    return tuple(dict.fromkeys((*_generic_bases(returns), *mro)))


def _generic_bases(alias: t.Any) -> t.Iterator[Key]:
    """Yield an alias and its parametrised bases: ``Repo[User]``."""
    origin = t.get_origin(alias) or alias
    if alias is not origin:
        yield normal(alias)
    bindings = dict(zip(parameters(origin), t.get_args(alias), strict=False))
    for base in _own_bases(origin):
        base_origin = t.get_origin(base)
        if base_origin not in _NO_KEYS and isinstance(base_origin, type):
            yield from _generic_bases(substitute(base, bindings))
    for base in origin.__bases__:
        if base not in _NO_KEYS and hasattr(base, "__orig_bases__"):
            yield from _generic_bases(base)


def _own_bases(cls: t.Any) -> tuple[t.Any, ...]:
    """Return the parametrised bases a class itself was written with."""
    found: tuple[t.Any, ...] = cls.__dict__.get("__orig_bases__", ())
    return found


def inherited(cls: type) -> Bindings:
    """Return what a class says its bases' type variables stand for."""
    bindings: Bindings = {}
    for alias in _generic_bases(cls):
        found = zip(
            parameters(t.get_origin(alias)), t.get_args(alias), strict=False
        )
        for variable, argument in found:
            if variable is not argument:
                bindings.setdefault(variable, argument)
    return bindings


def parameters(tp: t.Any) -> tuple[t.Any, ...]:
    """Return the free type variables of a type."""
    found: tuple[t.Any, ...] = getattr(tp, "__parameters__", ())
    # A class may have a property of that name.
    return found if type(found) is tuple else ()


def substitute(tp: t.Any, bindings: Bindings) -> t.Any:
    """Put types in the place of type variables."""
    if not bindings:
        return tp
    if isinstance(tp, t.TypeVar):
        return bindings.get(tp, tp)
    free = parameters(tp)
    if not free or isinstance(tp, type):
        return tp
    return tp[tuple(bindings.get(one, one) for one in free)]


def unify(pattern: t.Any, target: t.Any, bindings: Bindings) -> bool:
    """Find out what type variables have to be for two types to be equal."""
    if isinstance(pattern, t.TypeVar):
        if pattern in bindings:
            return bool(bindings[pattern] == target)
        if not _fits(pattern, target):
            return False
        bindings[pattern] = target
        return True
    free = parameters(pattern)
    if not free or t.get_origin(pattern) is None:
        return bool(pattern == target)
    if t.get_origin(pattern) != t.get_origin(target):
        return False
    ours, theirs = t.get_args(pattern), t.get_args(target)
    return len(ours) == len(theirs) and all(
        unify(one, other, bindings)
        for one, other in zip(ours, theirs, strict=True)
    )


def _fits(variable: t.TypeVar, target: t.Any) -> bool:
    if variable.__constraints__:
        return target in variable.__constraints__
    bound = t.get_origin(variable.__bound__) or variable.__bound__
    origin = t.get_origin(target) or target
    if not isinstance(bound, type):
        return True
    return isinstance(origin, type) and is_subclass(origin, bound)


def is_subclass(one: type, other: type) -> bool:
    """Tell whether a class is of another, where that can be asked."""
    if other in one.__mro__:
        return True
    if getattr(other, "_is_protocol", False):
        return False
    try:
        return issubclass(one, other)
    except TypeError:
        return False


def is_virtual(one: t.Any, other: t.Any) -> bool:
    """Tell whether a class was registered with an ABC, ``ABC.register``."""
    if not (isinstance(one, type) and isinstance(other, type)):
        return False
    hook = getattr(other.__subclasshook__, "__func__", None)
    plain = hook is None or getattr(other, "_is_protocol", False)
    return plain and is_subclass(one, other)


def accepts(key: t.Any, value: object) -> bool:  # noqa: PLR0911 - a case each
    """Tell whether a value passed by name is of a type."""
    if key is float:
        # As the type checkers have it.
        return isinstance(value, (float, int))
    if isinstance(key, type) and not getattr(key, "_is_protocol", False):
        return isinstance(value, key)
    if isinstance(key, t.NewType):
        return all_of(key.__supertype__, value)
    origin = t.get_origin(key)
    if origin is t.Literal:
        return value in t.get_args(key)
    if origin is type:
        return isinstance(value, type) and any(
            one is t.Any or (isinstance(one, type) and is_subclass(value, one))
            for one in t.get_args(key)
        )
    if isinstance(origin, type):
        return accepts(origin, value)
    if getattr(key, "_is_runtime_protocol", False):
        return isinstance(value, key)
    return True


def all_of(annotation: t.Any, value: object) -> bool:
    """Tell whether a value is of what an annotation asks for."""
    asked = ask(annotation)
    if value is None and asked.optional:
        return True
    return not asked.keys or any(accepts(key, value) for key in asked.keys)


def offers(key: t.Any, value: object) -> bool:
    """
    Tell whether a value passed under any other name is surely of a type.

    Type arguments cannot be seen in a value: it has to say them itself, as an
    instance of ``Repo[User]`` or of a subclass of that does.
    """
    if isinstance(key, type):
        if not getattr(key, "_is_protocol", False):
            return isinstance(value, key)
        if key in type(value).__mro__:
            return True
        return bool(
            getattr(key, "_is_runtime_protocol", False)
            and isinstance(value, key)
        )
    if t.get_origin(key) is None or isinstance(key, t.NewType):
        return False
    own = getattr(value, "__orig_class__", type(value))
    return own == key or key in provided(own)


def by_value(key: t.Any) -> bool:
    """Tell whether two values of one class may differ in being of a type."""
    return t.get_origin(key) is not None or (
        isinstance(key, t.NewType) or getattr(key, "_is_protocol", False)
    )


def checkable(key: t.Any) -> type | None:
    """Return the class an object of a type is an instance of, if any."""
    while isinstance(key, t.NewType):
        key = key.__supertype__
    cls = t.get_origin(key) or key
    if not isinstance(cls, type) or getattr(cls, "_is_protocol", False):
        return None
    with contextlib.suppress(TypeError):
        isinstance(None, cls)
        return cls
    return None


def show(tp: t.Any) -> str:  # noqa: PLR0911 - a case each
    """Render a type the way its user writes it."""
    asked = tp
    if asked is _NONE or asked is None:
        return "None"
    if isinstance(asked, type) and t.get_origin(asked) is None:
        return asked.__qualname__.rpartition("<locals>.")[2]
    if isinstance(asked, (t.NewType, t.TypeVar)):
        return asked.__name__
    args = t.get_args(asked)
    if t.get_origin(asked) is t.Annotated:
        return f"Annotated[{show(args[0])}, {', '.join(map(repr, args[1:]))}]"
    if isinstance(asked, types.UnionType) or t.get_origin(asked) is t.Union:
        return " | ".join(show(arg) for arg in args)
    origin = t.get_origin(asked)
    if isinstance(origin, type) and args:
        return f"{show(origin)}[{', '.join(map(show, args))}]"
    return repr(asked).replace("typing.", "")
