"""
Evaluate annotations: by one rule, however they are written.

An annotation is taken as Python gives it if all its names are there. Text, as
under ``from __future__ import annotations``, and what Python 3.14 defers are
evaluated with the names of the scopes around, in one flat dict: Python copies
the dict, so one that computes its items would lose them.
"""

from __future__ import annotations

import inspect
import re
import sys
import typing as t

from buvar.di._errors import AnnotationError

from .scopes import Scopes


EMPTY: t.Final = inspect.Parameter.empty

_NAME: t.Final = re.compile(r"[^\W\d]\w*")

if sys.version_info >= (3, 14):  # pragma: no cover - on others
    import annotationlib

    #: How to read a signature without evaluating what is not there yet.
    FORMAT: t.Final[t.Any] = {
        "annotation_format": annotationlib.Format.FORWARDREF
    }

    def raw(function: t.Any) -> dict[str, t.Any]:
        """Return annotations without evaluating what is not there yet."""
        return annotationlib.get_annotations(
            function, format=annotationlib.Format.FORWARDREF
        )

    def written(
        sources: t.Sequence[t.Any], name: str, annotation: t.Any
    ) -> str:
        """
        Return an annotation as its user wrote it, for errors.

        Args:
            sources: What has it: the function, the classes it builds. A
                generated constructor may know less of it than its class.
            name: The name of the parameter.
            annotation: What ``raw`` or a signature returned.
        """
        if isinstance(annotation, str):
            return annotation
        for source in sources:
            # What was put there by hand has no owner.
            if not isinstance(source, type) and (
                "owner=" not in repr(annotation)
            ):
                continue
            try:
                found = annotationlib.get_annotations(
                    source, format=annotationlib.Format.STRING
                )
            except Exception:  # noqa: BLE001, S112 - annotations are programs
                continue
            text = found.get(name) or found.get(f"_{name}") or "ForwardRef("
            if "ForwardRef(" not in text:
                return text
        if not isinstance(annotation, t.ForwardRef):
            return repr(annotation)
        from .parse import show  # noqa: PLC0415 - older ones need it not

        known = getattr(annotation, "__extra_names__", None) or {}
        return _NAME.sub(
            lambda found: (
                show(known[found[0]]) if found[0] in known else found[0]
            ),
            annotation.__forward_arg__,
        )

else:
    FORMAT: t.Final[t.Any] = {}

    def raw(function: t.Any) -> dict[str, t.Any]:
        """Return annotations without evaluating what is not there yet."""
        return getattr(function, "__annotations__", None) or {}

    def written(
        sources: t.Sequence[t.Any],  # noqa: ARG001 - Python 3.14 needs them
        name: str,  # noqa: ARG001
        annotation: t.Any,
    ) -> str:
        """Return an annotation as its user wrote it, for errors."""
        if isinstance(annotation, t.ForwardRef):
            return annotation.__forward_arg__
        return annotation if isinstance(annotation, str) else repr(annotation)


def evaluate(
    annotation: t.Any,
    find: t.Callable[[], Scopes],
    text: t.Callable[[], str] | None = None,
) -> t.Any:
    """
    Evaluate an annotation that is, or holds, text or a forward reference.

    Args:
        annotation: What ``raw`` or a signature returned.
        find: Returns the names it may mean.
        text: Returns it as it was written, by default its own text.

    Raises:
        AnnotationError: It cannot be evaluated.
    """
    if type(annotation) is type or annotation is EMPTY:
        return annotation
    scopes = find()

    def carrier() -> None: ...

    carrier.__annotations__ = {"it": annotation}
    try:
        try:
            return _hint(carrier, _mentioned(annotation, scopes))
        except NameError:
            # What it means may hold text as well, with other names.
            return _hint(carrier, _flat(scopes))
    except Exception as error:
        source = text() if text else written((), "", annotation)
        reason = str(error)
        if isinstance(error, NameError):
            reason = _missing_name(error.name or "", scopes)
        raise AnnotationError(source, reason) from error


def _hint(carrier: t.Any, names: dict[str, t.Any]) -> t.Any:
    # As globals, since a lambda or a comprehension sees nothing else.
    hints = t.get_type_hints(carrier, names, names, include_extras=True)
    return hints["it"]


def _mentioned(annotation: t.Any, scopes: Scopes) -> dict[str, t.Any]:
    """Look up the names in the text of an annotation, and no others."""
    text = annotation
    if isinstance(annotation, t.ForwardRef):
        text = annotation.__forward_arg__
    elif not isinstance(annotation, str):
        text = repr(annotation)
    names: dict[str, t.Any] = {}
    for name in _NAME.findall(text):
        for scope in scopes:
            if name in scope:
                names[name] = scope[name]
                break
    return names


def _flat(scopes: Scopes) -> dict[str, t.Any]:
    """Return all names there are."""
    names: dict[str, t.Any] = {}
    for scope in reversed(scopes):
        names.update(scope)
    return names


def _missing_name(name: str, scopes: Scopes) -> str:
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
                    (alias.asname or alias.name).partition(".")[0]
                    for line in node.body
                    if isinstance(line, (ast.Import, ast.ImportFrom))
                    for alias in line.names
                }
                if name in imported:
                    return (
                        f"{name} is imported under TYPE_CHECKING only; "
                        "import it at run time, injection reads annotations"
                    )
    alike = difflib.get_close_matches(name, _flat(scopes), 1)
    return f"{name} is not defined" + (
        f"; did you mean {alike[0]}?" if alike else ""
    )
