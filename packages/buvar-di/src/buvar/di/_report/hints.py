"""Hints for targets that cannot be resolved."""

from __future__ import annotations

import collections.abc
import difflib
import inspect
import types
import typing as t

from buvar.components.spi import MISSING
from buvar.components.spi import near_misses
from buvar.components.spi import peek
from buvar.di._annotations.parse import Asked
from buvar.di._annotations.parse import ask
from buvar.di._annotations.parse import bound_of
from buvar.di._annotations.parse import is_subclass
from buvar.di._annotations.parse import is_type
from buvar.di._annotations.parse import provided
from buvar.di._annotations.parse import show
from buvar.di._annotations.parse import with_defaults
from buvar.di._annotations.spelling import PLAIN
from buvar.di._annotations.values import spoken
from buvar.di._errors import DiError
from buvar.di._plan.collecting import shape_of
from buvar.di._plan.failures import Attempt
from buvar.di._plan.failures import Failure
from buvar.di._plan.planner import Planner
from buvar.di._registry.adapter import Adapter
from buvar.di._registry.candidate import refusals
from buvar.di._registry.registry import Adapters


#: More cures would be no help.
_ENDS = 3


def hints(
    planner: Planner, failure: Failure, last: Failure
) -> tuple[str, ...]:
    """Say what would help, each thing once, the cure last."""
    return tuple(dict.fromkeys(_hints(planner, failure, last)))


def _hints(
    planner: Planner, failure: Failure, last: Failure
) -> t.Iterator[str]:
    if failure.kind == "cycle":
        yield (
            "break the cycle: give one of these parameters a default, or ask "
            "for it with di.nject when it is used"
        )
        if any(map(shape_of, _asked(failure))):
            yield (
                "what needs the collection is a member of it: leave it out, "
                "di.register(..., collect=False)"
            )
        return
    if failure.kind == "scope":
        yield (
            "give what needs it the shorter lifetime, or what is needed the "
            "longer one: di.register(..., scope=...)"
        )
        return
    for adapter in planner.adapters.pending:
        yield f"{adapter.name} ({adapter.where}) is not used: " + _pending(
            adapter
        )
    yield from _keywords(planner, failure)
    for end in _ends(failure, last):
        for key in end.asked.keys:
            name = None if end.asked.named is None else end.asked.named.name
            yield from near_misses(planner.layers[0], key, name)
            yield from _other_collections(planner, key)
            yield from _other_arguments(planner, key)
            yield from _of_its_class(planner, key)
    for end in _ends(failure, last):
        yield from _cure(planner.adapters, end)


def _pending(adapter: Adapter) -> str:
    try:
        return str(adapter.returns)
    except DiError as error:
        return str(error)


def _attempts(failure: Failure) -> t.Iterator[Attempt]:
    """List all attempts, each failure's once."""
    todo, seen = [failure], {id(failure)}
    while todo:
        for attempt in todo.pop().attempts:
            yield attempt
            inner = attempt.failure
            if inner is not None and id(inner) not in seen:
                seen.add(id(inner))
                todo.append(inner)


def _asked(failure: Failure) -> t.Iterator[t.Any]:
    """Yield all types that were asked for on the way."""
    yield from failure.asked.keys
    for attempt in _attempts(failure):
        if attempt.failure is not None:
            yield from attempt.failure.asked.keys


def _ends(failure: Failure, last: Failure) -> list[Failure]:
    """List where the ways end: to mend one of them is enough."""
    inner = [
        reached.failure for reached in _attempts(failure) if reached.failure
    ]
    ends = {last.asked: last}
    for cause in inner:
        unread = any(attempt.unread for attempt in cause.attempts)
        if unread or not (cause.attempts or cause.kind):
            ends.setdefault(cause.asked, cause)
    return list(ends.values())[:_ENDS]


def _keywords(planner: Planner, failure: Failure) -> t.Iterator[str]:
    """Name the keywords that would have been taken, were they of the type."""
    found = dict.fromkeys(
        (attempt.param.name, show(attempt.param.annotation))
        for attempt in _attempts(failure)
        if attempt.param is not None and attempt.param.name in planner.keywords
    )
    for name, wanted in found:
        own = spoken(planner.keywords[name])
        yield f"the keyword {name} is {own}, not of {wanted}"
    # One that is spelled wrong may be why something is missing.
    params = {
        attempt.param.name
        for attempt in _attempts(failure)
        if attempt.param is not None
    }
    for name in planner.keywords:
        alike = difflib.get_close_matches(name, params - {name}, 1)
        if name not in params and alike:
            yield f"no parameter is called {name}; did you mean {alike[0]}?"


def _other_collections(planner: Planner, key: t.Any) -> t.Iterator[str]:
    """Name the collections that hold all there is of a type."""
    origin, args = t.get_origin(key), t.get_args(key)
    if (
        not (isinstance(origin, type) and args)
        or origin.__module__ not in PLAIN
        or not issubclass(origin, collections.abc.Iterable)
        or shape_of(key) is not None
    ):
        return
    keys = ask(args[-1]).keys
    if any(
        planner.adapters.find(tp) or peek(planner.layers[0], tp) is not MISSING
        for tp in keys
    ):
        item = show(args[-1])
        yield (
            f"all there is of {item} is asked for as list[{item}], "
            f"Sequence[{item}], tuple[{item}, ...] or dict[str, {item}]"
        )


def _other_arguments(planner: Planner, key: t.Any) -> t.Iterator[str]:
    origin = t.get_origin(key)
    if origin is None:
        return
    bare: list[t.Any] = [origin, with_defaults(origin)]
    item = peek(planner.layers[0], origin)
    if item is not MISSING:
        cls = t.cast("t.Any", type(item))
        own: t.Any = getattr(item, "__orig_class__", cls)
        said = [show(tp) for tp in provided(own) if t.get_origin(tp) is origin]
        yield f"there is a component {show(own)}, which " + (
            f"is a {' and a '.join(said)}"
            if said
            else f"does not say that it is a {show(key)}: "
            f"context.add(item, {show(key)}) does"
        )
    for adapter in planner.adapters.adapters:
        refused = refusals(adapter, key)
        for variable, wrong in refused:
            yield (
                f"{adapter.name} does not build {show(key)}: "
                f"{_allowed(variable)}, not {show(wrong)}"
            )
        for tp in () if refused else adapter.keys:
            if tp in bare and tp != key:
                yield (
                    f"there is an adapter for {show(tp)}: {adapter.name}; "
                    f"register it with provides={show(key)}"
                )
            elif t.get_origin(tp) is origin and tp != key:
                yield f"there is an adapter for {show(tp)}: {adapter.name}"


def _allowed(variable: t.Any) -> str:
    if variable.__constraints__:
        types = " or ".join(map(show, variable.__constraints__))
        return f"{variable.__name__} is {types}"
    return f"{variable.__name__} is bound to {show(bound_of(variable))}"


def _of_its_class(planner: Planner, key: t.Any) -> t.Iterator[str]:
    """Name classmethods that would build a subclass, did they say so."""
    if not isinstance(key, type):
        return
    for adapter in planner.adapters.adapters:
        method = adapter.implementation
        own: t.Any = getattr(method, "__self__", None)
        if (
            adapter.owner is None
            and isinstance(method, types.MethodType)
            and isinstance(own, type)
            and adapter.returns is own
            and own is not key
            and is_subclass(key, own)
        ):
            yield (
                f"{adapter.name} returns {show(own)} from every class: "
                f"annotate it '-> Self' to have it build {show(key)}"
            )


def _cure(adapters: Adapters, last: Failure) -> t.Iterator[str]:
    asked = last.asked
    if any(attempt.undecided for attempt in last.attempts):
        yield (
            "have the condition ask for components only, or for what is built "
            "without waiting and not kept"
        )
        return
    if any(
        attempt.adapter.when and attempt.reason for attempt in last.attempts
    ):
        yield (
            "change the configuration that a condition reads, or register "
            "something for the other case"
        )
        return
    unread = [attempt.adapter for attempt in last.attempts if attempt.unread]
    if unread:
        names = " and of ".join(adapter.name for adapter in unread)
        yield f"correct the annotation of {names}{_local(unread)}"
        return
    if asked.optional and asked.keys:
        yield "Optional alone is not a default: write '= None'"
    if not asked.keys:
        yield (
            "annotate the parameter, or pass it by its name; a target has to "
            "be a type"
        )
    elif asked.named is not None:
        yield f"add it: context.add(item, name={asked.named.name!r})"
    elif any((key, None) in adapters.expected for key in asked.keys):
        types = " or ".join(map(show, asked.keys))
        yield (
            f"{types} is there only within a layer of its own, such as that "
            "of a request: ask for what needs it there"
        )
    elif (members := _members(asked)) is not None:
        yield (
            f"register or add something of type {members}, or give the "
            "parameter a default: a collection without members is an error"
        )
    elif not all(map(is_type, asked.keys)):
        yield "ask for a type itself, not for its name or an object of it"
    else:
        yield (
            f"register {_register(asked)}; add one with context.add(item); "
            "or pass one as a keyword"
        )


def _members(asked: Asked) -> str | None:
    """Show what a collection that is asked for would hold."""
    shapes = [
        shape for shape in map(shape_of, asked.keys) if shape is not None
    ]
    if not shapes:
        return None
    return " or ".join(
        show(key) for shape in shapes for key in shape.item.keys
    )


def _local(adapters: list[Adapter]) -> str:
    """A forward reference to what is local to a function never works."""
    for adapter in adapters:
        place = getattr(adapter.implementation, "__qualname__", "")
        if "<locals>" in place:
            return "; what is local has to be there when it is registered"
    return ""


def _register(asked: Asked) -> str:
    """Say what to register: a class of one's own is an implementation."""
    key = asked.keys[0]
    types = " or ".join(map(show, asked.keys))
    if len(asked.keys) > 1 or not isinstance(key, type):
        return f"something that returns {types}"
    if getattr(key, "_is_protocol", False) or inspect.isabstract(key):
        return f"what implements {types}"
    if key.__module__ == "builtins" or t.get_origin(key) is not None:
        return f"something that returns {types}"
    return f"it with di.register({types}), or something that returns it"
