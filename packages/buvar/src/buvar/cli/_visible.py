"""
What plugins do, as far as one sees it without running them.

The text of each ``prepare``, and of the functions of the same package that it
calls, is read for what it registers, adds and loads. Names mean what they mean
in their module. What is only known when it runs, such as a class that is local
to the function, is noted as not seen.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
import textwrap
import types
import typing as t

import attrs

from buvar import context
from buvar import di
from buvar import plugin
from buvar.plugin import spi


#: A name, or an expression, that means nothing before it runs.
_UNKNOWN: t.Final = object()
_MARKS: t.Final = {di.register: "register", di.decorate: "decorate"}


@attrs.frozen
class Unseen:
    """
    What cannot be known without running it.

    Attributes:
        what: What it does.
        file: The file.
        line: The line, from 1.
    """

    what: str
    file: str
    line: int


class Visible:
    """
    What plugins do.

    Attributes:
        calls: What is registered, in this order: the function of ``di``, its
            arguments and keywords, and its file and line.
        added: The types of what is added to the context, and their names.
        unseen: What was not understood.
        failed: Errors of plugins that cannot be found or imported.
        plugins: Those that were read.
    """

    def __init__(self) -> None:
        self.calls: list[
            tuple[t.Any, list[t.Any], dict[str, t.Any], tuple[str, int]]
        ] = []
        self.added: list[tuple[t.Any, t.Any]] = []
        self.unseen: list[Unseen] = []
        self.failed: list[BaseException] = []
        self.plugins: list[t.Any] = []
        self._seen: set[t.Any] = set()

    def load(self, name: plugin.Plugin) -> None:
        """Read a plugin, and all that it loads."""
        try:
            found = spi.resolve(name, sys._getframe())  # noqa: SLF001
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it is told
            self.failed.append(error)
            return
        if found.prepare not in self._seen:
            self.plugins.append(found.prepare)
            self.read(found.prepare)

    def read(self, function: t.Any) -> None:
        """Read a function, once."""
        function = inspect.unwrap(getattr(function, "__func__", function))
        if function in self._seen:
            return
        self._seen.add(function)
        try:
            lines, first = inspect.getsourcelines(function)
            tree = ast.parse(textwrap.dedent("".join(lines)))
        except (OSError, TypeError, SyntaxError):
            self.unseen.append(
                Unseen("the source of a plugin is not available", "?", 1)
            )
            return
        (node,) = tree.body
        ast.increment_lineno(tree, first - 1)
        reader = _Reader(self, function)
        for statement in getattr(node, "body", ()):
            reader.visit(statement)


class _Reader(ast.NodeVisitor):
    """Reads the body of one function."""

    def __init__(self, visible: Visible, function: t.Any) -> None:
        self._visible = visible
        self._function = function
        self._names = {**function.__globals__, **_closure(function)}
        code = function.__code__
        self._file = code.co_filename
        for name in (*code.co_varnames, *code.co_cellvars):
            self._names[name] = _UNKNOWN
        self._loaders = _loaders(function)
        self._yields = 0

    def visit_FunctionDef(self, node: t.Any) -> None:
        """Read its decorators: what it does itself is not done yet."""
        for decorator in node.decorator_list:
            called = (
                decorator.func
                if isinstance(decorator, ast.Call)
                else decorator
            )
            mark = _MARKS.get(self._value(called))
            if mark is not None:
                self._miss(
                    f"it {mark}s {node.name}, which is local to the function",
                    decorator,
                )

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815
    visit_ClassDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Leave it: nobody has called it yet."""

    def visit_Yield(self, node: ast.Yield) -> None:
        """Leave tasks: they run when all plugins are prepared."""

    def visit_Import(self, node: ast.Import) -> None:
        """Import a module that a function imports, for its names."""
        for alias in node.names:
            module = self._module(alias.name)
            name = alias.asname or alias.name.partition(".")[0]
            if alias.asname is None and module is not _UNKNOWN:
                module = sys.modules[name]
            self._names[name] = module

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Import a module that a function imports names of."""
        name = "." * node.level + (node.module or "")
        try:
            package = self._function.__globals__.get("__package__") or ""
            if node.level:
                base = package.split(".")[: -(node.level - 1) or None]
                name = ".".join([*base, *filter(None, [node.module])])
        except ValueError:
            return
        module = self._module(name)
        for alias in node.names:
            found = getattr(module, alias.name, _UNKNOWN)
            if found is _UNKNOWN:
                found = self._module(f"{name}.{alias.name}")
            self._names[alias.asname or alias.name] = found

    def visit_Call(self, node: ast.Call) -> None:
        """Read what is called, if it is one that matters."""
        for argument in (*node.args, *(key.value for key in node.keywords)):
            self.visit(argument)
        called = self._value(node.func)
        is_loader = (
            isinstance(node.func, ast.Name) and node.func.id in self._loaders
        )
        if is_loader:
            self._load(node)
        elif called in _MARKS:
            self._register(called, node)
        elif called is context.add:
            self._add(node)
        elif called is di.expect:
            values = [self._value(arg) for arg in node.args]
            known = [
                (value, None) for value in values if value is not _UNKNOWN
            ]
            self._visible.added += known
        elif self._is_ours(called):
            self._visible.read(called)
        elif called is _UNKNOWN:
            self.visit(node.func)

    def _is_ours(self, called: t.Any) -> bool:
        """Tell whether a function is of the package that is read."""
        function = getattr(called, "__func__", called)
        if not isinstance(function, types.FunctionType):
            return False
        home = str(self._function.__module__).partition(".")[0]
        own = function.__module__.partition(".")[0]
        return home != "buvar" and own == home

    def _load(self, node: ast.Call) -> None:
        for arg in node.args:
            value = self._value(arg)
            if value is _UNKNOWN:
                self._miss(
                    "it loads a plugin that is known only when it runs", arg
                )
                continue
            if isinstance(value, str):
                try:
                    value = spi.absolute_name(
                        value, self._function.__globals__
                    )
                except plugin.PluginError as error:
                    self._visible.failed.append(error)
                    continue
            self._visible.load(value)

    def _register(self, function: t.Any, node: ast.Call) -> None:
        args = [self._value(arg) for arg in node.args]
        keys = {
            keyword.arg: self._value(keyword.value)
            for keyword in node.keywords
        }
        values = (*args, *keys.values())
        if not args or _UNKNOWN in map(_known, values) or None in keys:
            mark = _MARKS[function]
            self._miss(f"it {mark}s what is known only when it runs", node)
            return
        named = {str(name): value for name, value in keys.items()}
        place = self._file, node.lineno
        self._visible.calls.append((function, args, named, place))

    def _add(self, node: ast.Call) -> None:
        keys = {keyword.arg: keyword.value for keyword in node.keywords}
        name = self._value(keys["name"]) if "name" in keys else None
        space = node.args[1] if len(node.args) > 1 else keys.get("namespace")
        if space is not None:
            key = self._value(space)
        else:
            key = self._type_of(node.args[0]) if node.args else _UNKNOWN
        if _UNKNOWN in (_known(key), _known(name)):
            self._miss(
                "it adds what is known only when it runs",
                node,
            )
        else:
            self._visible.added.append((key, name))

    def _type_of(self, node: ast.expr) -> t.Any:  # noqa: PLR0911 - a case each
        """Tell what an expression gives, if it says so."""
        if isinstance(node, ast.Await):
            node = node.value
        if isinstance(node, ast.Constant):
            return type(node.value)
        value = self._value(node)
        if value is not _UNKNOWN and not isinstance(node, ast.Call):
            return t.cast("t.Any", type(value))
        if not isinstance(node, ast.Call):
            return _UNKNOWN
        called = self._value(node.func)
        if isinstance(called, type):
            return t.cast("t.Any", called)
        if called is di.nject and len(node.args) == 1:
            return self._value(node.args[0])
        try:
            found: t.Any = t.get_type_hints(called).get("return", _UNKNOWN)
        except Exception:  # noqa: BLE001 - it is not known then
            return _UNKNOWN
        is_class = isinstance(found, type)
        return found if is_class else _UNKNOWN

    def _value(self, node: ast.expr) -> t.Any:  # noqa: PLR0911 - a case each
        """Return what an expression means in its module, if that is known."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            builtin = vars(builtins).get(node.id, _UNKNOWN)
            return self._names.get(node.id, builtin)
        if isinstance(node, ast.Attribute):
            value = self._value(node.value)
            if value is _UNKNOWN:
                return _UNKNOWN
            return getattr(value, node.attr, _UNKNOWN)
        if isinstance(node, ast.Subscript):
            value, key = self._value(node.value), self._value(node.slice)
            if _UNKNOWN in (_known(value), _known(key)):
                return _UNKNOWN
            try:
                return value[key]
            except Exception:  # noqa: BLE001 - as it would when it runs
                return _UNKNOWN
        if isinstance(node, ast.Tuple):
            values = tuple(map(self._value, node.elts))
            return _UNKNOWN if _UNKNOWN in map(_known, values) else values
        return _UNKNOWN

    def _module(self, name: str) -> t.Any:
        try:
            return spi.import_module(name)
        except Exception:  # noqa: BLE001 - the application says so itself
            return _UNKNOWN

    def _miss(self, what: str, node: t.Any) -> None:
        self._visible.unseen.append(Unseen(what, self._file, node.lineno))


def _known(value: t.Any) -> t.Any:
    """Return what can be compared: values may not be."""
    return _UNKNOWN if value is _UNKNOWN else None


def _closure(function: t.Any) -> dict[str, t.Any]:
    """Return the variables of the functions around one."""
    names = function.__code__.co_freevars
    found: dict[str, t.Any] = {}
    for name, cell in zip(names, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            found[name] = _UNKNOWN
    return found


def _loaders(function: t.Any) -> set[str]:
    """Return the parameters that load plugins."""
    try:
        hints = t.get_type_hints(function)
    except Exception:  # noqa: BLE001 - it is told when they are injected
        hints = {}
    return {name for name, hint in hints.items() if hint is plugin.Loader}
