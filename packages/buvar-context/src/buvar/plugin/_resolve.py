"""Find the plugin that is meant by a name, a module or a function."""

from __future__ import annotations

import functools
import importlib
import importlib.machinery
import inspect
import sys
import types
import typing as t

from ._errors import NoPrepareError
from ._errors import PluginNotFoundError
from ._errors import RelativeNameError


#: The entry points of this group are plugins that are loaded by their name.
GROUP: t.Final = "buvar.plugins"

Prepare: t.TypeAlias = t.Callable[..., t.Any]

#: A name, a module (or anything else with ``prepare``), or a function.
Plugin: t.TypeAlias = "str | types.ModuleType | HasPrepare | Prepare"


class HasPrepare(t.Protocol):
    """Something with a ``prepare``, as modules have."""

    prepare: Prepare


class Resolved:
    """
    A plugin that was found.

    Attributes:
        name: How it is called in messages.
        prepare: What prepares it; a plugin is the same if this is.
    """

    __slots__ = ("name", "prepare")

    def __init__(self, name: str, prepare: Prepare) -> None:
        self.name = name
        self.prepare = prepare


def calling_frame(depth: int = 1) -> types.FrameType:
    """Return the frame of the caller of the caller."""
    return sys._getframe(depth + 1)  # noqa: SLF001


def resolve(plugin: Plugin, origin: types.FrameType) -> Resolved:
    """
    Find a plugin.

    Args:
        plugin: A name, a module or a function.
        origin: Where it is named: relative names start there.

    Raises:
        PluginError: There is none, or it cannot be prepared.
    """
    if isinstance(plugin, str):
        return _by_name(plugin, origin)
    return _by_object(plugin)


def _by_object(plugin: object, name: str | None = None) -> Resolved:
    """Take a function, or something that has one as ``prepare``."""
    if isinstance(plugin, types.ModuleType):
        prepare = getattr(plugin, "prepare", None)
        if prepare is None:
            raise NoPrepareError(
                plugin.__name__,
                "it has no 'prepare'",
                file=getattr(plugin, "__file__", None),
            )
        return _checked(plugin.__name__, prepare)
    if isinstance(plugin, list | tuple | set | frozenset):
        raise NoPrepareError(
            repr(t.cast("object", plugin)),
            "it is a collection",
            "Give each plugin as an argument of its own.",
        )
    if inspect.iscoroutine(plugin) or inspect.isasyncgen(plugin):
        if inspect.iscoroutine(plugin):
            plugin.close()
        raise NoPrepareError(
            plugin.__qualname__,
            "it was called already",
            "Give the function itself; its parameters are filled in.",
        )
    if not inspect.isroutine(plugin):
        plugin = getattr(plugin, "prepare", plugin)
    return _checked(name or _name_of(plugin), plugin)


def _checked(name: str, prepare: t.Any) -> Resolved:
    if not callable(prepare):
        raise NoPrepareError(name, f"{prepare!r} is not a function")
    if not is_async(prepare):
        code = getattr(inspect.unwrap(prepare), "__code__", None)
        raise NoPrepareError(
            name,
            "it is a sync function",
            file=getattr(code, "co_filename", None),
            line=getattr(code, "co_firstlineno", None),
        )
    return Resolved(name, prepare)


def is_async(func: t.Callable[..., t.Any]) -> bool:
    """Tell whether calling it gives a coroutine or an async generator."""
    while isinstance(func, functools.partial):
        func = func.func
    if _is_async_function(func):
        return True
    if inspect.isroutine(func) or isinstance(func, type):
        return False
    return _is_async_function(getattr(func, "__call__", None))  # noqa: B004


def _is_async_function(func: object) -> bool:
    return inspect.iscoroutinefunction(func) or inspect.isasyncgenfunction(
        func
    )


def _name_of(plugin: object) -> str:
    while isinstance(plugin, functools.partial):
        plugin = plugin.func
    module = getattr(plugin, "__module__", None)
    name = getattr(plugin, "__qualname__", None)
    if name is None:
        return repr(plugin)
    return str(module) if name == "prepare" else f"{module}:{name}"


def _by_name(name: str, origin: types.FrameType) -> Resolved:
    module_name, colon, attribute = name.partition(":")
    if "/" in module_name:
        near = [
            f"{module}{colon}{attribute}" for module in _as_module(module_name)
        ]
        raise PluginNotFoundError(name, "it is a path", near)
    if module_name.startswith("."):
        module_name = absolute_name(module_name, origin.f_globals)
    if not all(module_name.split(".")):
        return _by_entry_point(name, None)
    try:
        module = import_module(module_name)
    except PluginNotFoundError as error:
        if not colon and (found := _dotted(module_name)):
            return found
        if colon or name.startswith("."):
            raise
        return _by_entry_point(name, error)
    if not colon and not hasattr(module, "prepare") and _entry_points(name):
        return _by_entry_point(name, None)
    return _in_module(name, module, attribute)


def _dotted(name: str) -> Resolved | None:
    """Find a function that is named as a module is: ``module.function``."""
    module_name, _, attribute = name.rpartition(".")
    try:
        module = import_module(module_name) if module_name else None
    except PluginNotFoundError:
        return None
    if not hasattr(module, attribute):
        return None
    found = getattr(module, attribute)
    return _by_object(found, f"{module_name}:{attribute}")


def _in_module(
    name: str, module: types.ModuleType, attribute: str
) -> Resolved:
    """Find the plugin that a module is, or an attribute of it."""
    if not attribute:
        return _by_object(module)
    found = _attribute(name, module, attribute)
    return _by_object(found, f"{module.__name__}:{attribute}")


def absolute_name(name: str, module: t.Mapping[str, t.Any]) -> str:
    """
    Return the absolute name of a plugin; it need not exist.

    Args:
        name: The name, that of a function included; leading dots are
            resolved as an import statement does.
        module: The globals of the module that names it.

    Raises:
        RelativeNameError: There is no package to start from.

    Example:
        >>> absolute_name("..jobs:prepare", {"__package__": "app.web"})
        'app.jobs:prepare'
    """
    if not name.startswith(".") or "/" in name:
        return name
    package = module.get("__package__") or ""
    caller = module.get("__name__", "?")
    if not package and "__path__" in module:
        package = caller
    if not package and caller != "__main__":
        package = caller.rpartition(".")[0]
    try:
        return _join(name, package)
    except ValueError:
        raise RelativeNameError(name, caller) from None


def _join(relative: str, package: str) -> str:
    name = relative.lstrip(".")
    parents = len(relative) - len(name) - 1
    path = package.split(".") if package else []
    if not name or parents >= len(path):
        raise ValueError(relative)
    return ".".join([*path[: len(path) - parents], name])


def import_module(name: str) -> types.ModuleType:
    """
    Import a module, telling its own absence from one it imports.

    Raises:
        PluginNotFoundError: There is no such module.
    """
    module = sys.modules.get(name)
    if module is not None:
        return module
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name != missing and not name.startswith(f"{missing}."):
            raise
        raise PluginNotFoundError(
            name,
            f"no module {missing!r}",
            [near + name[len(missing) :] for near in _modules_like(missing)],
        ) from error


def _modules_like(name: str) -> list[str]:
    """Return modules beside one that does not exist, named alike."""
    import pkgutil  # noqa: PLC0415 - only failures need it

    package, dot, last = name.rpartition(".")
    path: t.Iterable[str] = sys.path[:1]
    if package:
        path = getattr(sys.modules.get(package), "__path__", ())
    found = [module.name for module in pkgutil.iter_modules(path)]
    return [f"{package}{dot}{near}" for near in _alike(last, found)]


def _attribute(name: str, module: types.ModuleType, path: str) -> t.Any:
    found: t.Any = module
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            missing = f"{module.__name__!r} has no {path!r}"
            near = _alike(part, dir(found))
            names = [f"{module.__name__}:{other}" for other in near]
            raise PluginNotFoundError(name, missing, names) from None
    return found


def _entry_points(name: str | None = None) -> list[t.Any]:
    # Reading what is installed takes longer than all the rest.
    from importlib import metadata  # noqa: PLC0415

    points = metadata.entry_points(group=GROUP)
    return [p for p in points if name is None or p.name == name]


def _as_module(name: str) -> list[str]:
    """Return the module that the name of a file or distribution means."""
    path = name.removeprefix("./").removesuffix(".py").rstrip("/")
    plain = path.replace("/", ".").replace("-", "_")
    if plain == name or not all(map(str.isidentifier, plain.split("."))):
        return []
    found = importlib.machinery.PathFinder.find_spec(plain.split(".")[0])
    return [] if found is None else [plain]


def _by_entry_point(name: str, error: PluginNotFoundError | None) -> Resolved:
    """Find an installed plugin by the name of its entry point."""
    found = _entry_points(name)
    if not found:
        names = [point.name for point in _entry_points()]
        like = () if error is None else error.near
        near = _as_module(name) or [*like, *_alike(name, names)]
        missing = "no such entry point" if error is None else error.missing
        cause = None if error is None else error.__cause__
        raise PluginNotFoundError(name, missing, near) from cause
    resolved = _by_object(found[0].load())
    return Resolved(name, resolved.prepare)


def _alike(name: str, names: list[str]) -> list[str]:
    import difflib  # noqa: PLC0415 - only failures need it

    return difflib.get_close_matches(name, names)
