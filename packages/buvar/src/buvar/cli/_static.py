"""Check what is registered without running any plugin."""

from __future__ import annotations

import contextlib
import typing as t

import attrs
import click

from buvar import config
from buvar import context
from buvar import di

from ._application import Application
from ._checking import counted
from ._checking import left_out
from ._findings import Finding
from ._findings import exit_code
from ._findings import of_error
from ._formats import FORMATS
from ._output import answer
from ._output import remark
from ._visible import Visible


#: What is missing may be there when it runs, if not all was seen.
_PERHAPS: t.Final = (
    "Perhaps it is added or registered by what a static check cannot see."
)


def check(application: Application, form: str) -> None:
    """
    Verify what plugins register, importing their modules only.

    Raises:
        Exit: Something is wrong, all of which was printed.
    """
    visible = Visible()
    with context.child():
        findings = _find(application, visible)
    wrong = [finding for finding in findings if not finding.is_note]
    text = FORMATS[form](findings)
    if form != "text":
        answer(text)
    elif wrong:
        remark(text)
    else:
        adapters = counted(di.buvar_adapters.get().adapters, "adapter")
        plugins = counted(visible.plugins, "plugin")
        said = f"read {plugins} without running them; verified {adapters}"
        answer(f"All that was seen is well: {said}.")
        for finding in findings:
            answer(str(finding))
    if wrong:
        raise click.exceptions.Exit(exit_code(wrong))


def _find(application: Application, visible: Visible) -> list[Finding]:
    """Return all that is wrong, and what cannot be known."""
    try:
        context.add(application.source)
    except config.ConfigError as error:
        return of_error(error)
    di.register(config.Config.adapt)
    # What "buvar check" loads first, without its side effects.
    for name in application.plugins:
        visible.load(name)
    errors: list[BaseException] = [*visible.failed]
    for function, args, keywords in visible.calls:
        try:
            function(*args, **keywords)
        except Exception as error:  # noqa: BLE001 - all of them are told
            errors.append(error)
    found = [finding for error in errors for finding in of_error(error)]
    found += _injections(visible)
    found += left_out()
    found += [
        Finding(
            "unseen",
            f"Not checked: {place.what}.",
            file=place.file,
            line=place.line,
        )
        for place in visible.unseen
    ]
    return list(dict.fromkeys(found))


def _injections(visible: Visible) -> t.Iterator[Finding]:
    """Yield what cannot be injected."""
    given: list[t.Any] = []
    for key, name in visible.added:
        if name is None:
            given += _with_bases(key)
        else:
            with contextlib.suppress(TypeError):
                context.add(_Added(), key, name=name)
    try:
        di.check(given=given)
    except di.CheckError as group:
        for error in group.errors:
            for finding in of_error(error):
                # A circle, a lifetime, an annotation stay what they are.
                is_sure = type(error) is not di.ResolveError
                if is_sure or not visible.unseen:
                    yield finding
                    continue
                hint = "\n".join(filter(None, (finding.hint, _PERHAPS)))
                yield attrs.evolve(finding, rule="unseen", hint=hint)


def _with_bases(key: t.Any) -> t.Sequence[t.Any]:
    """Return the types under which a component is found."""
    return key.__mro__[:-1] if isinstance(key, type) else (key,)


class _Added:
    """Stands for a component with a name."""
