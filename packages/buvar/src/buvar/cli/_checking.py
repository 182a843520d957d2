"""Prepare an application, look at it, and take it down again."""

from __future__ import annotations

import io
import sys
import types
import typing as t

import attrs
import click
import rich.console
import rich.markup
import rich.tree

from buvar import config
from buvar import context
from buvar import di
from buvar import plugin

from ._application import Application
from ._application import check_own
from ._errors import CommandError
from ._errors import Exit
from ._findings import Finding
from ._findings import exit_code
from ._findings import named
from ._findings import of_error
from ._formats import FORMATS
from ._formats import for_terminal
from ._formats import terminal_width
from ._output import answer
from ._output import prints_aside
from ._output import remark


#: More columns than any line of a graph has.
_WIDTH: t.Final = 4096


def check(application: Application, form: str) -> None:
    """
    Verify what the prepared plugins inject, and all sections.

    Raises:
        Exit: Something is wrong, all of which was printed.
    """
    counts: list[str] = []
    notes: list[Finding] = []
    with prints_aside():
        findings = _find(application, counts, notes)
    text = FORMATS[form]([*findings, *notes])
    if form != "text":
        answer(text)
    elif findings:
        width = terminal_width(sys.stderr)
        remark(for_terminal(findings, width) if width else text)
    else:
        well = "All is well"
        if terminal_width(sys.stdout):
            well = click.style(well, fg="green", bold=True)
        answer(
            f"{well}: prepared {application.names}; verified "
            f"{' and '.join(counts)} of the configuration."
        )
        for note in notes:
            answer(str(note))
    if findings:
        raise click.exceptions.Exit(exit_code(findings))


def _find(
    application: Application, counts: list[str], notes: list[Finding]
) -> list[Finding]:
    """Return all that is wrong."""
    try:
        source = application.source
    except config.ConfigError as error:
        # Files that cannot be read: nothing can be said of the rest.
        return of_error(error)
    errors: list[BaseException] = []

    def attempt(function: t.Callable[[], object]) -> None:
        try:
            function()
        except Exception as error:  # noqa: BLE001 - all of them are told
            errors.append(error)

    adapters: list[t.Any] = []
    failed: list[tuple[plugin.Plugin, BaseException]] = []

    def look() -> None:
        attempt(di.check)
        adapters.extend(di.buvar_adapters.get().adapters)

    def look_last() -> None:
        look()
        attempt(_check_sections)
        counts.append(counted(adapters, "adapter"))
        counts.append(counted(config.sections(), "section"))
        notes.extend(left_out())

    attempt(lambda: check_own(source))
    if not errors:
        application.set_up()
        groups = application.groups()
    else:
        context.add(source)
        groups = [tuple(application.plugins)]
    # Roles are processes of their own: what they prepare does not meet.
    for number, plugins in enumerate(groups, 1):
        last = look_last if number == len(groups) else look
        try:
            plugin.check(_each(plugins, failed), look=last)
        except Exception as error:  # noqa: BLE001 - as above
            errors.append(error)
    first = [
        named(finding, application, name)
        for name, error in failed
        for finding in of_error(error, source)
    ]
    rest = [finding for error in errors for finding in of_error(error, source)]
    return _once(first, rest)


def _once(first: list[Finding], rest: list[Finding]) -> list[Finding]:
    """Return each finding once; the rest may only follow from the first."""
    if first:
        rest = [_perhaps_because(finding) for finding in rest]
    said: dict[tuple[str, str | None], Finding] = {}
    for finding in (*first, *rest):
        said.setdefault((finding.message, finding.place), finding)
    return list(said.values())


def left_out() -> t.Iterator[Finding]:
    """Yield what the conditions of adapters leave out, and why."""
    for node in di.graph().nodes:
        if node.left_out is not None:
            file, _, line = (node.where or "").rpartition(":")
            text = f"{_name(node.type)}: {node.left_out}"
            number = int(line) if line.isdecimal() else None
            yield Finding("left-out", text, None, file or None, number)


def _each(
    plugins: t.Sequence[plugin.Plugin],
    failed: list[tuple[plugin.Plugin, BaseException]],
) -> t.Callable[[plugin.Loader], t.Coroutine[t.Any, t.Any, None]]:
    """Return a plugin that loads all, whichever of them fail."""

    async def prepare(load: plugin.Loader) -> None:
        for name in (config, *plugins):
            try:
                await load(name)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - it is told
                failed.append((name, error))

    return prepare


#: How a section is reported that no plugin has, so far.
_UNKNOWN: t.Final = "unknown section"


def _perhaps_because(finding: Finding) -> Finding:
    """Say that a mistake may only follow from another one."""
    if finding.rule != "injection" and _UNKNOWN not in finding.message:
        return finding
    hint = "Perhaps only because a plugin could not be prepared, see above."
    return attrs.evolve(
        finding, hint="\n".join(filter(None, (finding.hint, hint)))
    )


def draw(application: Application, form: str) -> None:
    """Print the graph of what is injected, as Mermaid, DOT or a tree."""
    graphs: list[di.Graph] = []
    with prints_aside():
        _prepared(application, lambda: graphs.append(di.graph()))
    for graph in graphs:
        if form == "tree":
            # The terminal may wrap lines; to cut them would lose places.
            drawn = io.StringIO()
            colours = terminal_width(sys.stdout) > 0
            rich.console.Console(
                file=drawn, width=_WIDTH, force_terminal=colours
            ).print(_tree(graph))
            answer(drawn.getvalue(), nl=False)
        else:
            answer(getattr(graph, form)(), nl=False)


def _prepared(application: Application, look: t.Callable[[], None]) -> None:
    """Call a function when all plugins are prepared, start no task."""
    application.set_up()
    try:
        for plugins in application.groups():
            plugin.check(config, *plugins, look=look)
    except SystemExit as error:
        text = f"A plugin ended the program: SystemExit: {error}"
        raise CommandError(text, Exit.FAILED) from None
    except BaseExceptionGroup as group:
        errors = [failure.error for failure in plugin.failures(group)]
        kinds = di.DiError, config.ConfigError
        if not all(isinstance(error, kinds) for error in errors):
            raise
        # They say themselves where what is missing is asked for.
        injected = any(isinstance(error, di.DiError) for error in errors)
        text = "\n\n".join(str(error) for error in errors)
        code = Exit.FAILED if injected else Exit.USAGE
        raise CommandError(text, code) from None


def _check_sections() -> None:
    """Load every section there is, and report all that is wrong at once."""
    source = context.get(config.ConfigSource)
    problems: list[config.Problem] = []
    for cls in config.sections().values():
        try:
            source.load(cls)
        except config.ConfigError as error:
            problems += error.errors
    try:
        source.check_unknown()
    except config.ConfigError as error:
        said = {problem.source for problem in problems} - {None}
        problems += [each for each in error.errors if each.source not in said]
    if problems:
        raise config.ConfigError(problems)


def _tree(graph: di.Graph) -> rich.tree.Tree:
    """Show what each type needs."""
    root = rich.tree.Tree("injected")
    for node in graph.nodes:
        if node.scope is None:
            continue
        text = f"{_name(node.type)}  [dim]{node.scope}, {node.where}[/dim]"
        if node.left_out is not None:
            text += f"  [dim]{rich.markup.escape(node.left_out)}[/dim]"
        branch = root.add(text)
        for edge in graph.edges:
            if edge.source == node.type:
                need = "optional" if edge.optional else "required"
                branch.add(f"{edge.parameter}: {_name(edge.target)}, {need}")
    return root


def _name(type_: t.Any) -> str:
    # Brackets of generics would be markup.
    name = str(type_)
    if isinstance(type_, type | types.FunctionType):
        name = type_.__qualname__
    return rich.markup.escape(name)


def counted(things: t.Sized, name: str) -> str:
    """Say how many things there are."""
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"
