"""Prepare an application, look at it, and take it down again."""

from __future__ import annotations

import typing as t

import click
import rich.console
import rich.markup
import rich.tree

from buvar import config
from buvar import context
from buvar import di
from buvar import plugin

from ._application import Application
from ._errors import CommandError
from ._errors import Exit


#: More columns than any line of a graph has.
_WIDTH: t.Final = 4096


def check(application: Application) -> None:
    """
    Verify what the prepared plugins inject, and all sections.

    Raises:
        ExceptionGroup: Something is wrong.
    """
    seen: list[str] = []

    def look() -> None:
        wrong = [*map(_refusal, (di.check, _check_sections))]
        if any(wrong):
            # All kinds of mistakes at once.
            message = "the application is not well"
            raise ExceptionGroup(message, [*filter(None, wrong)])
        seen.append(
            "All is well: prepared "
            f"{', '.join(application.plugins)}; verified "
            f"{_count(di.buvar_adapters.get().adapters, 'adapter')} and "
            f"{_count(config.sections(), 'section')} of the configuration."
        )

    _prepared(application, look)
    click.echo("\n".join(seen))


def draw(application: Application, form: str) -> None:
    """Print the graph of what is injected, as Mermaid, DOT or a tree."""
    graphs: list[di.Graph] = []
    _prepared(application, lambda: graphs.append(di.graph()))
    for graph in graphs:
        if form == "tree":
            # The terminal may wrap lines; to cut them would lose places.
            rich.console.Console(width=_WIDTH).print(_tree(graph))
        else:
            click.echo(getattr(graph, form)(), nl=False)


def _prepared(application: Application, look: t.Callable[[], None]) -> None:
    """Call a function when all plugins are prepared, start no task."""
    application.set_up()
    try:
        plugin.check(config, *application.plugins, look=look)
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


def _refusal(verify: t.Callable[[], None]) -> Exception | None:
    """Return what a check says is wrong, to report it beside others."""
    try:
        verify()
    except (di.DiError, config.ConfigError) as error:
        return error
    return None


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
        said = {problem.source for problem in problems}
        problems += [each for each in error.errors if each.source not in said]
    if problems:
        raise config.ConfigError(
            problems,
            "Correct what is listed and try again. If something else than a "
            'class reads it, say so:\nsource.reserve("section").',
        )


def _tree(graph: di.Graph) -> rich.tree.Tree:
    """Show what each type needs."""
    root = rich.tree.Tree("injected")
    for node in graph.nodes:
        if node.scope is None:
            continue
        text = f"{_name(node.type)}  [dim]{node.scope}, {node.where}[/dim]"
        branch = root.add(text)
        for edge in graph.edges:
            if edge.source == node.type:
                need = "optional" if edge.optional else "required"
                branch.add(f"{edge.parameter}: {_name(edge.target)}, {need}")
    return root


def _name(type_: t.Any) -> str:
    # Brackets of generics would be markup.
    name = type_.__qualname__ if isinstance(type_, type) else str(type_)
    return rich.markup.escape(name)


def _count(things: t.Sized, name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"
