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
from ._output import prints_aside
from ._output import remark
from ._visible import Visible


#: What is missing may be there when it runs, if not all was seen.
_PERHAPS: t.Final = (
    "Perhaps it is added or registered by what a static check cannot see."
)

#: What a condition reads may be there when it runs.
_UNDECIDED: t.Final = (
    "Conditions that read it are not decided: give the configuration with -c."
)


def check(application: Application, form: str) -> None:
    """
    Verify what plugins register, importing their modules only.

    Raises:
        Exit: Something is wrong, all of which was printed.
    """
    visible = Visible()
    before = di.buvar_adapters.get()
    with context.child(), prints_aside():
        findings = _find(application, visible)
    verified = di.buvar_adapters.get().adapters
    di.buvar_adapters.set(before)
    wrong = [finding for finding in findings if not finding.is_note]
    text = FORMATS[form](findings)
    if form != "text":
        answer(text)
    elif wrong:
        remark(text)
    else:
        adapters = counted(verified, "adapter")
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
    for name in application.plugins:
        visible.load(name)
    found = [
        finding for error in visible.failed for finding in of_error(error)
    ]
    # What modules register as they are imported.
    adapters = di.buvar_adapters.get()
    try:
        found += _injections(visible, adapters.copy())
    except config.ConfigError as error:
        # Some condition reads what is missing, or wrong.
        found += map(_undecided, of_error(error))
        found += _injections(visible, adapters.copy(), has_sections=False)
    except Exception as error:  # noqa: BLE001 - of a condition, it is told
        found += of_error(error)
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


def _undecided(finding: Finding) -> Finding:
    """Return a mistake as it is, and as a note what is only missing."""
    if finding.place is not None:
        return finding
    hint = "\n".join(filter(None, (finding.hint, _UNDECIDED)))
    return attrs.evolve(finding, rule="unseen", hint=hint)


def _injections(
    visible: Visible, adapters: di.Adapters, *, has_sections: bool = True
) -> list[Finding]:
    """
    Return what cannot be registered or injected, and what is left out.

    Args:
        visible: What plugins do.
        adapters: What is registered already.
        has_sections: Whether sections can be loaded; conditions that read one
            are not decided otherwise.

    Raises:
        ConfigError: One cannot be loaded.
    """
    di.buvar_adapters.set(adapters)
    found: list[Finding] = []
    if has_sections:
        # What "buvar check" loads first, without its side effects.
        di.register(config.Config.adapt)
    for function, args, keywords, (file, line) in visible.calls:
        try:
            function(*args, **keywords)
        except Exception as error:  # noqa: BLE001 - all of them are told
            message, _, hint = str(error).partition("\n")
            if not isinstance(error, di.DiError):
                message = f"{type(error).__name__}: {message}"
            found.append(Finding("prepare", message, hint or None, file, line))
    given = [] if has_sections else [*config.sections().values()]
    found += _missing(visible, given)
    found += left_out()
    return found


def _missing(visible: Visible, given: list[t.Any]) -> t.Iterator[Finding]:
    """Yield what cannot be injected."""
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
