"""Conditions: what decides whether an adapter is used at all."""

from __future__ import annotations

import contextlib
import inspect
import types
import typing as t
import weakref

from buvar.components.spi import MISSING
from buvar.di._annotations.evaluate import EMPTY
from buvar.di._annotations.parse import show
from buvar.di._annotations.scopes import Scopes
from buvar.di._annotations.scopes import scopes_of
from buvar.di._annotations.signature import Param
from buvar.di._annotations.signature import params_of
from buvar.di._errors import AnnotationError
from buvar.di._errors import RegisterError
from buvar.di._plan.nodes import Build
from buvar.di._plan.nodes import Const
from buvar.di._plan.nodes import Item
from buvar.di._plan.nodes import Layers
from buvar.di._plan.nodes import Node
from buvar.di._plan.nodes import look_up

from .adapter import Adapter
from .adapter import name_of
from .adapter import place_of
from .options import Options
from .provider_kind import Kind
from .provider_kind import kind_of


def condition_of(
    options: Options, adapter: Adapter, frame: types.FrameType
) -> Condition | None:
    """
    Return the condition of what is registered, if it has one.

    Raises:
        RegisterError: It cannot be one.
    """
    if options.when is None:
        return None
    if options.replace:
        raise RegisterError(
            adapter.implementation,
            "with replace=True the others are gone, whether its condition "
            "holds or not",
            "leave out replace=: what is registered last is tried first",
        )
    return Condition(options.when, frame)


class UndecidedError(Exception):
    """
    A parameter of a condition cannot be had at once; says why.

    Attributes:
        later: It will be there, such as the request in a layer of its own.
    """

    def __init__(self, reason: str, *, later: bool = False) -> None:
        super().__init__(reason)
        self.later = later


class Condition:
    """
    Decides, when something is planned, whether an adapter is used.

    Args:
        predicate: A plain function; its parameters are injected.
        frame: Where it was given: names of its annotations may be local.

    Raises:
        RegisterError: It cannot be asked while something is planned.
    """

    def __init__(self, predicate: t.Any, frame: types.FrameType) -> None:
        self.predicate = predicate
        self._params: tuple[Param, ...] | None = None
        self._scopes: Scopes | None = None
        if not callable(predicate) or isinstance(predicate, type):
            raise RegisterError(
                predicate,
                "a condition is a function",
                "give one that returns whether it is used: when=lambda: ...",
            )
        if kind_of(predicate) is not Kind.CALL:
            raise RegisterError(
                predicate,
                "a condition is decided while a call is planned, and cannot "
                "wait",
                "make it a plain function: def",
            )
        self._scopes = scopes_of(predicate, frame)
        # What is not there yet is read again when it is asked.
        with contextlib.suppress(AnnotationError):
            _ = self.params

    @property
    def params(self) -> tuple[Param, ...]:
        """The parameters of its predicate."""
        if self._params is None:
            names = t.cast("Scopes", self._scopes)
            found = params_of(self.predicate, lambda: names)
            for param in found:
                if param.annotation is EMPTY and param.default is EMPTY:
                    raise RegisterError(
                        self.predicate,
                        f"its parameter {param.name} says no type to inject",
                        "annotate it, such as with the class of a section of "
                        "the configuration",
                    )
            self._params, self._scopes = found, None
        return self._params

    @property
    def name(self) -> str:
        """The name to show, with the file and line it was written in."""
        return f"{name_of(self.predicate)} ({place_of(self.predicate)})"

    def holds(self, nodes: t.Sequence[Node], layers: Layers) -> bool:
        """
        Ask the predicate.

        Args:
            nodes: Where its parameters come from.
            layers: What they are looked up in.

        Raises:
            UndecidedError: A parameter cannot be had without waiting, or
                would be kept.
        """
        try:
            args: list[t.Any] = []
            named: dict[str, t.Any] = {}
            for param, node in zip(self.params, nodes, strict=True):
                value = value_of(node, layers)
                if param.keyword_only:
                    named[param.name] = value
                else:
                    args.append(value)
            return bool(self.predicate(*args, **named))
        except UndecidedError:
            raise
        except Exception as error:
            error.add_note(f"while the condition {self.name} was decided")
            raise


def value_of(node: Node, layers: Layers) -> t.Any:
    """
    Return a value that was planned, which must neither wait nor be kept.

    Raises:
        UndecidedError: It would.
    """
    if isinstance(node, Const):
        return node.value
    if isinstance(node, Item):
        item = look_up(node.guard, layers)
        if item is MISSING:
            msg = f"{show(node.type)} is there only later"
            raise UndecidedError(msg, later=True)
        return item
    if not isinstance(node, Build):
        msg = f"{show(node.type)} is a collection"
        raise UndecidedError(msg)
    adapter = node.adapter
    if node.kept or adapter.kind in (Kind.YIELD, Kind.ASYNC_YIELD):
        msg = f"{adapter.name} builds what is kept, or has an end"
        raise UndecidedError(msg)
    args: list[t.Any] = []
    named: dict[str, t.Any] = {}
    for param, arg in node.args:
        value = value_of(arg, layers)
        if param.keyword_only:
            named[param.name] = value
        else:
            args.append(value)
    made = adapter.callable(node.bindings)(*args, **named)
    if adapter.kind is not Kind.AWAIT:
        return made
    return _at_once(made, adapter.name)


def reference(item: t.Any) -> t.Callable[[], t.Any]:
    """Return what gives an object as long as it lives."""
    try:
        return weakref.ref(item)
    except TypeError:
        return lambda: item


def _at_once(coroutine: t.Any, name: str) -> t.Any:
    """Run a coroutine that does not really wait, as for a section."""
    if not inspect.iscoroutine(coroutine):
        msg = f"{name} returns what is to be awaited"
        raise UndecidedError(msg)
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    msg = f"{name} waits"
    raise UndecidedError(msg)
