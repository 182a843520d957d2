"""
Keywords that nothing takes: a mistake of the caller, never passed over.

A keyword is used if a parameter gets it. It may go unused where a parameter
would have taken it, had nothing else come first: what is kept in a layer is
not built again, another adapter was preferred, a component is there already.
So it is looked for among all parameters that the targets could need: by its
name and type, or by its type alone.
"""

from __future__ import annotations

import difflib
import typing as t

from buvar.di._annotations.generics import substitute
from buvar.di._annotations.parse import Asked
from buvar.di._annotations.parse import ask
from buvar.di._annotations.parse import show
from buvar.di._annotations.signature import Param
from buvar.di._annotations.values import offers
from buvar.di._annotations.values import spoken
from buvar.di._errors import AnnotationError
from buvar.di._errors import KeywordError
from buvar.di._plan.collecting import shape_of
from buvar.di._plan.nodes import Build
from buvar.di._plan.nodes import Given
from buvar.di._plan.nodes import Node
from buvar.di._plan.nodes import parts
from buvar.di._plan.planner import DEEPEST
from buvar.di._plan.planner import Planner
from buvar.di._registry.adapter import Adapter
from buvar.di._registry.candidate import Candidate


#: More parameters than this are not listed.
_MOST: t.Final = 5


class Place(t.NamedTuple):
    """
    A parameter that a target could need.

    Attributes:
        adapter: What has it.
        param: The parameter, its type variables replaced.
        asked: What it asks for.
    """

    adapter: Adapter
    param: Param
    asked: Asked


def unused(
    planner: Planner, targets: t.Sequence[t.Any], nodes: t.Iterable[Node]
) -> KeywordError | None:
    """
    Make the error for keywords that nothing takes, if there are any.

    Args:
        planner: What planned the targets.
        targets: The types asked for.
        nodes: Where they come from.
    """
    if not planner.keywords or not targets:
        return None
    used = _used(nodes)
    left = [name for name in planner.keywords if name not in used]
    if not left:
        return None
    asks = [ask(tp) for tp in targets]
    places = list(reachable(planner, asks))
    left = [
        keyword
        for keyword in left
        if not _is_meant(planner, keyword, asks, places)
    ]
    if not left:
        return None
    target = targets[0] if len(targets) == 1 else tuple(targets)
    asked = " and ".join(show(tp) for tp in targets)
    near = {name: _near(planner, name, places) for name in left}
    tree = [f"{asked} cannot be resolved: nothing takes {_names(left)}."]
    tree += dict.fromkeys(
        f"- {place.adapter.name} has {place.param.name}: "
        f"{show(place.param.annotation)}  [{place.adapter.where}]"
        for some in near.values()
        for place in some
    )
    hints = [
        text
        for name, some in near.items()
        for text in _hints(planner, name, some)
    ]
    return KeywordError(target, tree, (target,), hints, left)


def _names(names: list[str]) -> str:
    word = "the keyword" if len(names) == 1 else "the keywords"
    return f"{word} {', '.join(names)}"


def _used(nodes: t.Iterable[Node]) -> set[str]:
    """Return the keywords that a plan uses."""
    names: set[str] = set()
    seen: set[Node] = set()
    todo = list(nodes)
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, Given):
            names.add(node.name)
        elif isinstance(node, Build):
            todo += node.needs
        else:
            todo += [part for part in parts(node) if part is not node]
    return names


def reachable(
    planner: Planner, targets: t.Sequence[Asked]
) -> t.Iterator[Place]:
    """Yield each parameter of all adapters that targets could need."""
    keys: set[t.Any] = {key for target in targets for key in target.keys}
    todo = [(key, 0) for key in keys]
    seen: set[tuple[Adapter, tuple[t.Any, ...]]] = set()
    while todo:
        wanted, depth = todo.pop()
        found = planner.adapters.find(wanted)
        if not found and (shape := shape_of(wanted)) is not None:
            inner = [key for key in shape.item.keys if key not in keys]
            keys.update(inner)
            todo += [(key, depth) for key in inner]
        wraps = [w for c in found for w in planner.decorated.chain(c, wanted)]
        for candidate in (*found, *wraps):
            here = candidate.identity
            generic = depth + bool(candidate.bindings)
            if here in seen or generic > DEEPEST:
                continue
            seen.add(here)
            for place in _places(candidate):
                yield place
                new = [key for key in place.asked.keys if key not in keys]
                keys.update(new)
                todo += [(key, generic) for key in new]


def _places(candidate: Candidate) -> t.Iterator[Place]:
    adapter, bindings = candidate
    try:
        params = adapter.params
    except AnnotationError:
        return
    for param in params:
        if adapter.wraps is not None and param.name == adapter.wraps.name:
            # That is what it wraps, whatever is given.
            continue
        tp = substitute(param.annotation, bindings)
        asked = param.ask(tp) if bindings else param.asked
        yield Place(adapter, param._replace(annotation=tp), asked)


def _is_meant(
    planner: Planner,
    name: str,
    targets: t.Sequence[Asked],
    places: t.Sequence[Place],
) -> bool:
    """Tell whether a keyword would have been taken, had it been needed."""
    value = planner.keywords[name]
    named = [(asked, param.name) for _, param, asked in places]
    for asked, own in [*((target, None) for target in targets), *named]:
        names = {own} if asked.named is None else {own, asked.named.name}
        if name in names and planner.lookup.accepts(asked, name):
            return True
        if asked.named is None and _offers(asked, value):
            return True
    return False


def _offers(asked: Asked, value: object) -> bool:
    return any(offers(key, value) for key in asked.keys)


def _near(planner: Planner, name: str, places: list[Place]) -> list[Place]:
    """Find the parameters that a keyword may have been meant for."""
    value = planner.keywords[name]
    same = [place for place in places if place.param.name == name]
    same = same or [place for place in places if _offers(place.asked, value)]
    if not same:
        names = {place.param.name for place in places}
        alike = difflib.get_close_matches(name, names, 1)
        same = [
            place for place in places if place.param.name in alike
        ] or places
    return same[:_MOST]


def _hints(planner: Planner, name: str, near: list[Place]) -> t.Iterator[str]:
    value = planner.keywords[name]
    own = spoken(value)
    same = [place for place in near if place.param.name == name]
    for place in same:
        wanted = show(place.param.annotation)
        yield f"the keyword {name} is {own}, not of {wanted}"
    if same:
        keys = [key for place in same for key in place.asked.keys]
        if keys:
            yield (
                f"pass one of that type, a mock with spec={show(keys[0])}; "
                f"or di.override({{{show(keys[0])}: ...}}), which takes "
                "anything"
            )
        return
    yield misnamed(name, near)


def misnamed(name: str, near: t.Sequence[Place]) -> str:
    """Say what to do about a keyword that no parameter has the name of."""
    names = list(dict.fromkeys(place.param.name for place in near))
    if not names:
        return f"leave out the keyword {name}: there are no parameters"
    return f"no parameter is called {name}; did you mean {' or '.join(names)}?"
