"""Directives that write pages from the code, so that they cannot lie."""

from __future__ import annotations

import importlib
import inspect
import re
import typing as t

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx

from buvar import config


ENTRY = re.compile(r"^(\w+): ", re.MULTILINE)


def find(name: str) -> t.Any:
    """Return what ``module:name`` names."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def cell(text: str) -> str:
    """Make the text of a docstring that of a cell."""
    return " ".join(text.replace("``", "`").replace("|", "\\|").split())


def row(*cells: str) -> str:
    return f"| {' | '.join(map(cell, cells))} |"


def settings(cls: type, section: str) -> t.Iterator[str]:
    """Yield a table of the fields of a class of the configuration."""
    yield from ("| setting | takes | default | meaning |", "|---|---|---|---|")
    for item in config.variables(cls, section):
        default = "required" if item.required else "none"
        if item.text is not None:
            default = f"`{item.text}`" if item.text else "empty"
        name = item.path.removeprefix(f"{section}.")
        yield row(f"`{name}`", item.takes, default, item.help)


def arguments(function: t.Callable[..., t.Any]) -> t.Iterator[str]:
    """Yield a table of the keywords of a function, from its docstring."""
    text = inspect.getdoc(function) or ""
    section = text.partition("Args:\n")[2].partition("\n\n")[0]
    parts = ENTRY.split(inspect.cleandoc(section))[1:]
    parameters = inspect.signature(function).parameters
    yield from ("| option | default | meaning |", "|---|---|---|")
    for name, meaning in zip(parts[::2], parts[1::2], strict=True):
        parameter = parameters[name]
        if parameter.kind is not parameter.KEYWORD_ONLY:
            continue
        yield row(f"`{name}`", f"`{parameter.default!r}`", meaning)


def is_error(item: object) -> t.TypeGuard[type[BaseException]]:
    return inspect.isclass(item) and issubclass(item, BaseException)


def errors(names: t.Iterable[str]) -> t.Iterator[str]:
    """Yield a table of the exceptions that modules publish."""
    yield from ("| error | is a | exit code | means |", "|---|---|--:|---|")
    seen = set[str]()
    for name in names:
        module = importlib.import_module(name)
        for attribute in module.__all__:
            item = getattr(module, attribute)
            if repr(item) in seen or not is_error(item):
                continue
            seen.add(repr(item))
            bases = [base.__name__ for base in item.__bases__]
            # An error of a forked service carries its code itself.
            varies = issubclass(item, SystemExit)
            code = "" if varies else getattr(item, "exit_code", 1)
            about = (inspect.getdoc(item) or "").partition("\n\n")[0]
            yield row(
                f"{{py:class}}`{attribute} <{name}.{attribute}>`",
                ", ".join(f"`{base}`" for base in bases),
                str(code),
                about,
            )


def parent(name: str) -> t.Any:
    """Return the package that a module is in, None for one at the top."""
    package, _, _ = name.rpartition(".")
    return importlib.import_module(package) if package else None


def members(name: str) -> t.Iterator[str]:
    """Yield what autodoc has to document: functions first, errors last."""
    module = importlib.import_module(name)
    kinds: dict[str, list[str]]
    kinds = {"function": [], "class": [], "exception": []}
    for attribute in module.__all__:
        item = getattr(module, attribute)
        if is_error(item):
            kinds["exception"].append(attribute)
        elif inspect.isclass(item):
            kinds["class"].append(attribute)
        elif inspect.isroutine(item):
            kinds["function"].append(attribute)
    yield from ("```{eval-rst}", f".. automodule:: {name}", "   :no-members:")
    above = parent(name)
    for kind, attributes in kinds.items():
        for attribute in attributes:
            yield from ("", f".. auto{kind}:: {name}.{attribute}")
            # Links lead to where a package itself publishes it.
            if attribute in getattr(above, "__all__", ()):
                yield "   :no-index:"
    yield "```"


class Written(Directive):
    """Text in Markdown, parsed as if it stood in the page."""

    required_arguments = 1
    optional_arguments = 20

    def lines(self) -> t.Iterator[str]:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        content = StringList([*self.lines()], source=self.arguments[0])
        parent = nodes.Element()
        self.state.nested_parse(content, self.content_offset, parent)
        return parent.children


class Settings(Written):
    def lines(self) -> t.Iterator[str]:
        name, section = self.arguments
        return settings(find(name), section)


class Arguments(Written):
    def lines(self) -> t.Iterator[str]:
        return arguments(find(self.arguments[0]))


class Errors(Written):
    def lines(self) -> t.Iterator[str]:
        return errors(self.arguments)


class Members(Written):
    def lines(self) -> t.Iterator[str]:
        return members(self.arguments[0])


def setup(app: Sphinx) -> dict[str, t.Any]:
    """Add what is written from the code to the directives."""
    app.add_directive("settings", Settings)
    app.add_directive("arguments", Arguments)
    app.add_directive("errors", Errors)
    app.add_directive("members", Members)
    return {"parallel_read_safe": True}
