"""Read the parameters and the return type of an implementation."""

from __future__ import annotations

import functools
import inspect
import sys
import types
import typing as t

from ._errors import AnnotationError
from ._kind import class_of
from ._types import Asked
from ._types import ask


EMPTY: t.Final = inspect.Parameter.empty

_INIT: t.Any = object.__init__
_NEW: t.Any = object.__new__

#: The names an annotation is looked up in, nearest first.
Scopes: t.TypeAlias = list[t.Mapping[str, t.Any]]


class Param(t.NamedTuple):
    """A parameter, its annotation taken apart."""

    name: str
    annotation: t.Any
    asked: Asked
    default: t.Any
    keyword_only: bool

    def ask(self, annotation: t.Any) -> Asked:
        """Take an annotation apart that is in the place of this one."""
        return _ask(annotation, self.default)


def _ask(annotation: t.Any, default: t.Any) -> Asked:
    """Take an annotation apart; a default ``None`` is a value too."""
    asked = ask(annotation)
    return asked._replace(optional=True) if default is None else asked


def function_of(implementation: t.Any) -> t.Any:
    """Return the function whose annotations count."""
    built = class_of(implementation)
    if built is not None:
        cls = t.get_origin(built) or built
        init: t.Any = getattr(cls, "__init__")  # noqa: B009
        new: t.Any = cls.__new__
        return new if init is _INIT and new is not _NEW else init
    if isinstance(implementation, functools.partial):
        return function_of(implementation.func)
    if isinstance(implementation, (types.FunctionType, types.MethodType)):
        return inspect.unwrap(implementation)
    if inspect.isbuiltin(implementation):
        return implementation
    if hasattr(implementation, "__wrapped__"):
        return inspect.unwrap(implementation)
    return type(implementation).__call__


def raw(function: t.Any) -> dict[str, t.Any]:
    """Return annotations without evaluating what cannot be yet."""
    if sys.version_info >= (3, 14):  # pragma: no cover - on others
        import annotationlib  # noqa: PLC0415 - only there from 3.14 on

        return annotationlib.get_annotations(
            function, format=annotationlib.Format.FORWARDREF
        )
    return getattr(function, "__annotations__", None) or {}


def signature(implementation: t.Any) -> list[inspect.Parameter]:
    """Return the parameters that can be filled."""
    function, skip = implementation, 0
    if not isinstance(implementation, functools.partial) and class_of(
        implementation
    ):
        function, skip = function_of(implementation), 1
        if function is _INIT:
            return []
    if sys.version_info >= (3, 14):  # pragma: no cover - on others
        import annotationlib  # noqa: PLC0415 - only there from 3.14 on

        found = inspect.signature(
            function, annotation_format=annotationlib.Format.FORWARDREF
        )
    else:
        found = inspect.signature(function)
    return [
        one
        for one in list(found.parameters.values())[skip:]
        if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]


def scopes_of(implementation: t.Any, frame: types.FrameType) -> Scopes:
    """Collect the names that an implementation's annotations may mean."""
    function = function_of(implementation)
    function = getattr(function, "__func__", function)
    free = getattr(getattr(function, "__code__", None), "co_freevars", ())
    cells = getattr(function, "__closure__", None) or ()
    closure: dict[str, t.Any] = {
        name: cell.cell_contents
        for name, cell in zip(free, cells, strict=False)
        if cell != _EMPTY_CELL
    }
    parameters: tuple[t.Any, ...] = (
        *getattr(function, "__type_params__", ()),
        *getattr(implementation, "__type_params__", ()),
    )
    place: str = getattr(function, "__qualname__", "")
    mro = _mro(implementation)
    local = _locals(place, frame)
    if mro and "<locals>" not in place:
        local = _locals(mro[0].__qualname__, frame)
    names: dict[str, t.Any] = getattr(function, "__globals__", {})
    # As the compiler would: the body of the class, what is local to a
    # function, the module.
    home = place.rpartition(".")[0]
    classes = [cls for cls in mro if cls.__qualname__ == home]
    classes = classes or _named(home, [*local, names])
    near = local if "<locals>" in place else []
    scopes: Scopes = [closure, {one.__name__: one for one in parameters}]
    scopes += [*map(_nested, classes), *near, names]
    for cls in mro:
        module = sys.modules.get(cls.__module__)
        scopes.append({cls.__name__: cls})
        scopes += [vars(module)] if module else []
        scopes.append(_nested(cls))
    return scopes + local


def _mro(implementation: t.Any) -> tuple[type, ...]:
    """Return the classes that a constructor or a method may be of."""
    owner = class_of(implementation)
    owner = t.get_origin(owner) or owner
    if owner is None and isinstance(implementation, types.MethodType):
        owner = implementation.__self__
        owner = owner if isinstance(owner, type) else type(owner)
    mro: tuple[type, ...] = getattr(owner, "__mro__", ())
    return mro[:-1]


def _named(home: str, scopes: Scopes) -> list[t.Any]:
    """Find the class that a function was written in."""
    first, *rest = home.rpartition("<locals>.")[2].split(".")
    found = next((one[first] for one in scopes if first in one), None)
    for name in rest:
        found = getattr(found, name, None)
    return [found] if isinstance(found, type) else []


def _nested(cls: type) -> dict[str, t.Any]:
    """Return the classes written in a class."""
    return {
        name: one for name, one in vars(cls).items() if isinstance(one, type)
    }


_EMPTY_CELL = types.CellType()


def _locals(place: str, frame: types.FrameType) -> Scopes:
    """Copy the locals of the registering frame and of the defining one."""
    found: Scopes = []
    while "<locals>" in place:
        place = place.rpartition(".<locals>")[0]
        outer: types.FrameType | None = frame
        while outer is not None:
            if outer.f_code.co_qualname == place:
                found.append(dict(outer.f_locals))
                break
            outer = outer.f_back
    return [*found, dict(frame.f_locals), frame.f_globals]


class _Names(dict[str, t.Any]):
    """Several scopes as one dict, for ``eval``."""

    def __init__(self, scopes: Scopes) -> None:
        super().__init__()
        self.scopes = scopes

    def __missing__(self, name: str) -> t.Any:
        for scope in self.scopes:
            if name in scope:
                return scope[name]
        raise KeyError(name)

    def every(self) -> set[str]:
        return {name for scope in self.scopes for name in scope}


def evaluate(annotation: t.Any, find: t.Callable[[], Scopes]) -> t.Any:
    """
    Evaluate an annotation that is, or holds, a string.

    Raises:
        AnnotationError: It cannot be evaluated.
    """
    if type(annotation) is type or annotation is EMPTY:
        return annotation
    scopes = find()
    names = _Names(scopes)

    def carrier() -> None: ...

    if isinstance(annotation, t.ForwardRef):
        annotation = annotation.__forward_arg__
    carrier.__annotations__ = {"it": annotation}
    try:
        return t.get_type_hints(carrier, {}, names, include_extras=True)["it"]
    except NameError as error:
        text = annotation if isinstance(annotation, str) else repr(annotation)
        reason = _missing_name(error.name or "", names, scopes)
        raise AnnotationError(text, reason) from error
    except Exception as error:
        text = annotation if isinstance(annotation, str) else repr(annotation)
        raise AnnotationError(text, str(error)) from error


def _missing_name(name: str, names: _Names, scopes: Scopes) -> str:
    import ast  # noqa: PLC0415 - only errors need it
    import difflib  # noqa: PLC0415

    for scope in scopes:
        module = sys.modules.get(str(scope.get("__name__")))
        try:
            tree = ast.parse(inspect.getsource(module)) if module else None
        except (OSError, TypeError, SyntaxError):
            continue
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(
                node.test
            ):
                imported = {
                    (one.asname or one.name).partition(".")[0]
                    for line in node.body
                    if isinstance(line, (ast.Import, ast.ImportFrom))
                    for one in line.names
                }
                if name in imported:
                    return (
                        f"{name} is imported under TYPE_CHECKING only; "
                        "import it at run time, injection reads annotations"
                    )
    alike = difflib.get_close_matches(name, names.every(), 1)
    return f"{name} is not defined" + (
        f"; did you mean {alike[0]}?" if alike else ""
    )


def params_of(
    implementation: t.Any, find: t.Callable[[], Scopes]
) -> tuple[Param, ...]:
    """Read the parameters that can be filled, their types evaluated."""
    found: list[Param] = []
    for one in signature(implementation):
        tp = one.annotation
        if not isinstance(tp, type):
            tp = evaluate(tp, find)
        asked, by_name = _ask(tp, one.default), one.kind is one.KEYWORD_ONLY
        found.append(Param(one.name, tp, asked, one.default, by_name))
    return tuple(found)
