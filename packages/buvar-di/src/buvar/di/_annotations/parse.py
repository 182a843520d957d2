"""The types that an annotation asks for, and that a return type provides."""

from __future__ import annotations

import contextlib
import inspect
import sys
import types
import typing as t

from .generics import Bindings
from .generics import arguments
from .generics import defaults
from .generics import opened
from .generics import parameters
from .generics import substitute
from .spelling import normal
from .spelling import unalias


#: A type to resolve: a class, a generic alias, a ``NewType``, ...
Key: t.TypeAlias = t.Hashable

#: Classes in a ``__mro__`` that nobody asks for.
_NO_KEYS: frozenset[t.Any] = frozenset({object, t.Generic, t.Protocol})
#: What is not a type although it is a class.
_NO_TYPES = frozenset({type(None), inspect.Parameter.empty})


class Named:
    """
    Ask for the component of this name: ``Annotated[T, di.Named("x")]``.

    Attributes:
        name: The name the component was added with.
    """

    __slots__ = ("name",)
    __match_args__ = ("name",)

    def __init__(self, name: t.Hashable) -> None:
        self.name: t.Final = name

    def __eq__(self, other: object) -> bool:
        """Tell whether it is the same name."""
        return isinstance(other, Named) and self.name == other.name

    def __hash__(self) -> int:
        """Hash it by its name."""
        return hash((Named, self.name))

    def __repr__(self) -> str:
        """Show how it is written."""
        return f"Named(name={self.name!r})"


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
    if type(annotation) is type and annotation not in _NO_TYPES:
        return Asked((annotation,))
    return _ask(annotation)


def _ask(annotation: t.Any) -> Asked:  # noqa: PLR0911 - a case each
    annotation = unalias(annotation)
    if annotation is t.Any or annotation is inspect.Parameter.empty:
        return Asked(())
    if annotation is None or annotation is type(None):
        return Asked((), optional=True)
    origin = t.get_origin(annotation)
    if origin is t.Annotated:
        inner = ask(annotation.__origin__)
        names = [m for m in annotation.__metadata__ if isinstance(m, Named)]
        return inner._replace(named=names[-1]) if names else inner
    if origin is t.Union or origin is types.UnionType:
        parts = [ask(member) for member in t.get_args(annotation)]
        keys = dict.fromkeys(key for part in parts for key in part.keys)
        names = [part.named for part in parts if part.named is not None]
        return Asked(
            tuple(keys),
            any(part.optional for part in parts),
            names[0] if names else None,
        )
    if isinstance(annotation, t.TypeVar):
        bound = bound_of(annotation)
        if annotation.__constraints__:
            bound = t.Union[annotation.__constraints__]  # noqa: UP007 - of a tuple
        return ask(t.Any if bound is None else bound)
    # Whoever has an ``InitVar`` has imported the module.
    data: t.Any = sys.modules.get("dataclasses")
    if data is not None and isinstance(annotation, data.InitVar):
        return ask(annotation.type)
    return Asked((normal(annotation),))


def bound_of(variable: t.TypeVar) -> t.Any:
    """Return what a type variable is bound to, a forward reference too."""
    # What is not there yet, or not at run time, is bound to nothing.
    with contextlib.suppress(NameError):
        bound: t.Any = variable.__bound__
        if not isinstance(bound, t.ForwardRef):
            return bound
        names = vars(sys.modules[variable.__module__])
        return eval(bound.__forward_arg__, names)  # noqa: S307 - as typing does
    return None


def provided(returns: t.Any) -> tuple[Key, ...]:
    """List the types an object of type ``returns`` is of, nearest first."""
    origin = returns
    if not isinstance(returns, type):
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
    bindings = arguments(alias)
    written: set[t.Any] = set()
    for base in _own_bases(origin):
        base_origin = t.get_origin(base)
        if base_origin not in _NO_KEYS and isinstance(base_origin, type):
            written.add(base_origin)
            yield from _generic_bases(substitute(base, bindings))
    for base in origin.__bases__:
        if base not in _NO_KEYS and hasattr(base, "__orig_bases__"):
            yield from _generic_bases(
                base if base in written else with_defaults(base)
            )


def with_defaults(cls: t.Any) -> t.Any:
    """Say what a bare generic class means, if its variables have defaults."""
    free = parameters(cls)
    found = defaults(free)
    if not free or isinstance(cls, t.TypeVar) or len(found) < len(free):
        return cls
    return substitute(opened(cls), found)


def derived(cls: type) -> t.Iterator[type]:
    """Yield the classes that inherit from a generic one."""
    seen: set[type] = set()
    todo = _subclasses(cls)
    while todo:
        subclass = todo.pop()
        if subclass not in seen:
            seen.add(subclass)
            todo += _subclasses(subclass)
            if hasattr(subclass, "__orig_bases__"):
                yield subclass


def _subclasses(cls: type) -> list[type]:
    # Of those of Python, such as tuple and Sequence, there is no end.
    return cls.__subclasses__() if hasattr(cls, "__orig_bases__") else []


def _own_bases(cls: t.Any) -> tuple[t.Any, ...]:
    """Return the parametrised bases a class itself was written with."""
    found: tuple[t.Any, ...] = cls.__dict__.get("__orig_bases__", ())
    return found


def inherited(cls: type) -> Bindings:
    """Return what a class says its bases' type variables stand for."""
    bindings: Bindings = {}
    for alias in _generic_bases(cls):
        for variable, argument in arguments(alias).items():
            if variable is not argument:
                bindings.setdefault(variable, argument)
    return bindings


def is_subclass(cls: type, other: type) -> bool:
    """Tell whether a class is of another, where that can be asked."""
    if other in cls.__mro__:
        return True
    if getattr(other, "_is_protocol", False):
        return False
    try:
        return issubclass(cls, other)
    except TypeError:
        return False


def is_virtual(cls: t.Any, other: t.Any) -> bool:
    """Tell whether a class was registered with an ABC, ``ABC.register``."""
    if not (isinstance(cls, type) and isinstance(other, type)):
        return False
    hook = getattr(other.__subclasshook__, "__func__", None)
    plain = hook is None or getattr(other, "_is_protocol", False)
    return plain and is_subclass(cls, other)


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


def is_type(key: t.Any) -> bool:
    """Tell whether something may be asked for: it is a type, or like one."""
    return isinstance(key, (type, t.NewType, t.TypeVar)) or (
        t.get_origin(key) is not None or type(key).__module__ == "typing"
    )


def show(tp: t.Any) -> str:  # noqa: PLR0911 - a case each
    """Render a type the way its user writes it."""
    if tp is type(None) or tp is None:
        return "None"
    if tp is ...:
        return "..."
    if tp.__class__ in (list, tuple):
        return f"[{', '.join(map(show, tp))}]"
    origin, args = t.get_origin(tp), t.get_args(tp)
    if isinstance(tp, type) and origin is None:
        return tp.__qualname__.rpartition("<locals>.")[2]
    if isinstance(tp, (t.NewType, t.TypeVar)):
        return tp.__name__
    if origin is t.Annotated:
        return f"Annotated[{show(args[0])}, {', '.join(map(repr, args[1:]))}]"
    if isinstance(tp, types.UnionType) or origin is t.Union:
        return " | ".join(show(arg) for arg in args)
    if isinstance(origin, type) and args:
        return f"{show(origin)}[{', '.join(map(show, args))}]"
    return repr(tp).replace("typing.", "")
