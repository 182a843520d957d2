"""Read which parameters of a function come from the request."""

from __future__ import annotations

import inspect
import sys
import types
import typing as t

from buvar_aiohttp._errors import ParameterError

from ._marks import Body
from ._marks import Mark
from ._marks import Path
from ._marks import Query


_MARKS: t.Final = (Path, Query, Body)
_EMPTY: t.Final = inspect.Parameter.empty


class Param(t.NamedTuple):
    """
    A parameter that comes from the request.

    Attributes:
        name: Its name.
        type: What it is converted to.
        mark: Where it comes from.
        default: What it is if the client has left it out, else
            ``inspect.Parameter.empty``.
    """

    name: str
    type: t.Any
    mark: Mark
    default: t.Any

    @property
    def key(self) -> str:
        """The name that the client knows it by."""
        name = None if isinstance(self.mark, Body) else self.mark.name
        return self.name if name is None else name


def signature_of(function: t.Any) -> inspect.Signature:
    """Return a signature; annotations that cannot be evaluated stay."""
    options: dict[str, t.Any] = {}
    if sys.version_info >= (3, 14):  # pragma: no cover - of one version
        import annotationlib  # noqa: PLC0415

        options["annotation_format"] = annotationlib.Format.FORWARDREF
    return inspect.signature(function, **options)


def names_of(function: t.Any, frame: types.FrameType) -> dict[str, t.Any]:
    """
    Collect what annotations may name: the module, and what is local.

    Args:
        function: The function.
        frame: Where it was decorated.
    """
    function = inspect.unwrap(function)
    names: dict[str, t.Any] = dict(getattr(function, "__globals__", {}))
    local: list[dict[str, t.Any]] = []
    place = frame.f_code.co_qualname
    outer: types.FrameType | None = frame
    home: str = getattr(function, "__qualname__", "")
    while outer is not None:
        place = outer.f_code.co_qualname
        if outer is frame or home.startswith(f"{place}.<locals>."):
            local.append(dict(outer.f_locals))
        outer = outer.f_back
    for frame_names in reversed(local):
        names.update(frame_names)
    return names


def params_of(function: t.Any, names: dict[str, t.Any]) -> list[Param]:
    """
    Return the parameters that come from the request.

    Raises:
        ParameterError: One is marked in a way that makes no sense.
    """
    found: list[Param] = []
    for parameter in signature_of(function).parameters.values():
        tp = _evaluated(parameter.annotation, names)
        if t.get_origin(tp) is not t.Annotated:
            continue
        inner, *metadata = t.get_args(tp)
        marks: list[t.Any] = [
            mark() if mark in _MARKS else mark
            for mark in metadata
            if isinstance(mark, _MARKS) or _is_mark_class(mark)
        ]
        if not marks:
            continue
        if len(marks) > 1:
            raise ParameterError(
                function,
                parameter.name,
                "it is marked twice",
                "keep one of Path(), Query() and Body().",
            )
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise ParameterError(
                function,
                parameter.name,
                "it can be given by position only",
                "put it behind the slash, as the request is given first.",
            )
        found.append(Param(parameter.name, inner, marks[0], parameter.default))
    bodies = [param for param in found if isinstance(param.mark, Body)]
    if len(bodies) > 1:
        raise ParameterError(
            function,
            bodies[1].name,
            f"{bodies[0].name} is the body already",
            "make one class of both.",
        )
    return found


def _is_mark_class(mark: t.Any) -> bool:
    return isinstance(mark, type) and issubclass(mark, _MARKS)


def _evaluated(annotation: t.Any, names: dict[str, t.Any]) -> t.Any:
    """Evaluate an annotation; what cannot be is left to injection."""
    if isinstance(annotation, t.ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        try:
            return eval(annotation, names)  # noqa: S307 - as typing does
        except Exception:  # noqa: BLE001 - injection says what is wrong
            return annotation
    return annotation


def is_required(param: Param) -> bool:
    """Tell whether a parameter has no default."""
    return param.default is _EMPTY
