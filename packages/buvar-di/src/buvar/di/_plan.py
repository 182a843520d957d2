"""
Decide where everything comes from, before anything is built.

For each parameter the order is: a keyword of its name, a component of its
name, what was built in this call, an unnamed component, any keyword of its
type, an adapter, the default. An adapter that lacks something is passed over,
so nothing is built in vain.

What outlives the call is planned as seen from the layer it will live in: it
must not hold on to what ends before.
"""

from __future__ import annotations

import types
import typing as t

from buvar.components import Components

from ._adapter import Adapter
from ._annotations import EMPTY
from ._candidate import Candidate
from ._candidate import own_types
from ._collections import Shape
from ._collections import members
from ._collections import same_name
from ._collections import shape_of
from ._condition import reference
from ._decided import Plan
from ._decided import Storage
from ._decorators import Decorated
from ._errors import AnnotationError
from ._generics import substitute
from ._lookup import MEMBERS
from ._lookup import Lookup
from ._nodes import CALL
from ._nodes import LEVELS
from ._nodes import Attempt
from ._nodes import Build
from ._nodes import Collect
from ._nodes import Const
from ._nodes import Failure
from ._nodes import Node
from ._nodes import build_of
from ._provider_kind import Kind
from ._register import Adapters
from ._signature import Param
from ._trampoline import Steps
from ._trampoline import run
from ._types import Asked
from ._types import ask
from ._types import provided
from ._types import show
from ._verdicts import Verdicts


#: How often a generic adapter may need itself, each time for another type.
DEEPEST: t.Final = 10


class Planner(Lookup):
    """
    Plan the targets of one call.

    Args:
        adapters: The registry.
        components: The context of the call.
        keywords: What the call gives.
        given: Types taken as components although there are none (yet).
        expected: The same for types with a name or ``None``, except for what
            is kept in the stage.
        left_out: Says which adapters are left out by their conditions.
    """

    def __init__(
        self,
        adapters: Adapters,
        components: Components,
        keywords: t.Mapping[str, t.Any],
        given: t.Collection[t.Any] = (),
        expected: t.Collection[tuple[t.Any, t.Hashable]] = (),
        *,
        left_out: Verdicts | None = None,
    ) -> None:
        super().__init__(adapters, components, keywords, given, expected)
        self.order: list[Build] = []
        self._undo: list[tuple[int, t.Any]] = []
        self._path: dict[tuple[Adapter, t.Any], t.Any] = {}
        self._failed: dict[t.Any, Failure] = {}
        self.left_out = left_out or Verdicts(self, Planner)
        self.decorated = Decorated(adapters.decorators, self.left_out)

    def target(self, target: t.Any) -> Node | Failure:
        """Plan one target of the call."""
        asked = ask(target)
        # A union equals that of another order, which is another question.
        self.by_value |= len(asked.keys) > 1
        if asked.named is not None:
            node = self._named(asked, (asked.named.name,), CALL)
            return node or self._nothing(asked, CALL)
        return self._unnamed(asked, CALL) or run(self._adapt(asked, CALL))

    def param(self, param: Param) -> Node | Failure:
        """Plan one parameter of a function to be filled."""
        return run(self._param(param, param.asked, CALL))

    # --- the order, step by step ------------------------------------------

    def _param(self, param: Param, tp: Asked, level: int) -> Steps:
        names: tuple[t.Hashable, ...] = (param.name,)
        if tp.named is not None:
            names = (tp.named.name, param.name)
        node: Node | Failure | None = self._named(tp, names, level)
        if node is None and (tp.named is not None or not tp.keys):
            node = self._nothing(tp, level)
        if node is None:
            node = self._unnamed(tp, level)
        if node is None:
            node = t.cast("Node | Failure", (yield self._adapt(tp, level)))
        if isinstance(node, Failure) and param.default is not EMPTY:
            return Const(param.annotation, param.default, default=True)
        return node

    # --- adapters ---------------------------------------------------------

    def _adapt(self, tp: Asked, level: int) -> Steps:
        memo = (tp.keys, level)
        known = self._failed.get(memo)
        if known is not None and (
            not known.heads or known.heads <= self._heads()
        ):
            return known
        attempts: list[Attempt] = []
        for key in tp.keys:
            for candidate in self.adapters.find(key):
                start, undo = len(self.order), len(self._undo)
                tried = self._settled(key, candidate, level)
                if tried is None:
                    tried = yield from self._build(key, candidate, level)
                if self.decorated.any_there and isinstance(tried, Build):
                    tried = yield from self._wrap(key, tried, start, undo)
                if isinstance(tried, Build):
                    return tried
                attempts.append(tried)
        shape = None if attempts else self._shape(tp)
        if shape is not None:
            collected = yield from self._collect(tp, shape, level)
            if isinstance(collected, Collect):
                return collected
            attempts += collected
        failure = self._nothing(tp, level, attempts)
        self._failed[memo] = failure
        return failure

    # --- collections ------------------------------------------------------

    def _shape(self, tp: Asked) -> Shape | None:
        """Return the first collection that is asked for."""
        return next(filter(None, map(shape_of, tp.keys)), None)

    def _collect(
        self, tp: Asked, shape: Shape, level: int
    ) -> t.Generator[t.Any, t.Any, Collect | list[Attempt]]:
        """Plan all there is of a type, or say what cannot be built."""
        fakes = {
            key: Const(key, fake, default=False)
            for key, fake in self.adapters.overrides.items()
            if not set(shape.item.keys).isdisjoint(provided(key))
        }
        items: dict[str, Node] = {}
        for key, fake in fakes.items():
            self._put(items, show(key), fake, shape)
        found = None
        if fakes.keys().isdisjoint(shape.item.keys):
            start, undo = len(self.order), len(self._undo)
            for key, candidate in members(self.adapters.find, shape, fakes):
                if self.left_out(candidate.adapter) is not None:
                    continue
                node = yield from self._member(key, candidate, level)
                if isinstance(node, Attempt):
                    self._rewind(start, undo)
                    return [node]
                self._put(items, candidate.adapter.name, node, shape)
            found = self._found(shape, fakes, level, needed=not items)
        if not items and found is None:
            return []
        return Collect(tp.keys[0], shape.kind, items, found)

    def _member(
        self, key: t.Any, candidate: Candidate, level: int
    ) -> t.Generator[t.Any, t.Any, Node | Attempt]:
        """Plan what one adapter adds to a collection."""
        own = own_types(candidate)[0]
        start, undo = len(self.order), len(self._undo)
        built: Node | Attempt | None = self._member_of(candidate, level)
        is_kept = candidate.adapter.scope != "call" and self.decorated.any(
            candidate
        )
        only = not is_kept and len(self.adapters.find(own)) == 1
        if built is None and isinstance(own, type) and only:
            # Asked for itself it would be this component, added to be shared.
            shared = self._exact(own, level)
            if shared is not None:
                return shared
        built = built or self._settled(own, candidate, level)
        if built is None:
            built = yield from self._build(own, candidate, level, member=True)
        if self.decorated.any_there and isinstance(built, Build):
            built = yield from self._wrap(key, built, start, undo)
        return built

    def _member_of(self, candidate: Candidate, level: int) -> Build | None:
        """Find what an adapter builds already."""
        here = (level, candidate[0], tuple(candidate[1].values()))
        return t.cast("Build | None", self._built[MEMBERS].get(here))

    def _put(
        self, items: dict[str, Node], name: str, node: Node, shape: Shape
    ) -> None:
        if name in items and shape.kind is dict:
            raise same_name(name, shape.item.keys[0])
        while name in items:
            name += "'"
        items[name] = node

    def _heads(self) -> frozenset[Adapter]:
        return frozenset(adapter for adapter, _ in self._path)

    def _settled(
        self, key: t.Any, candidate: Candidate, level: int
    ) -> Build | Attempt | None:
        """Say without planning why an adapter is not used, or what it is."""
        adapter, bindings = candidate
        if adapter.when is not None and (left_out := self.left_out(adapter)):
            return left_out
        own = LEVELS.index(adapter.scope)
        if own and own < level:
            reason = (
                f"it ends with its {LEVELS[own]}, before the {LEVELS[level]} "
                "that needs it"
            )
            failure = Failure(Asked((key,)), kind="scope")
            return Attempt(adapter, reason, None, failure)
        level = own or level
        here = (adapter, tuple(bindings.values()))
        if here in self._path:
            return self._cycle(key, here)
        if bindings and self._grows(adapter):
            reason = (
                f"it needs itself for a new type each time, now {show(key)}"
            )
            return Attempt(adapter, reason)
        if self.decorated.any_there and self.decorated.any(candidate):
            # What is inside is shared with those who ask for all of it.
            return self._member_of(candidate, level)
        return None

    def _wrap(
        self, key: t.Any, inner: Build, start: int, undo: int
    ) -> t.Generator[t.Any, t.Any, Build | Attempt]:
        """Plan what wraps what was built, for those who ask for a type."""
        level = inner.level
        for candidate in self.decorated.chain(inner.candidate, key):
            adapter, bindings = candidate
            built = self._member_of(candidate, level)
            if built is not None:
                inner = built
                continue
            here = (adapter, tuple(bindings.values()))
            if here in self._path:
                self._rewind(start, undo)
                return self._cycle(key, here)
            tried = yield from self._build(key, candidate, level, inner)
            if isinstance(tried, Attempt):
                self._rewind(start, undo)
                return tried
            inner = tried
        return inner

    def _build(
        self,
        key: t.Any,
        candidate: Candidate,
        level: int,
        inner: Build | None = None,
        *,
        member: bool = False,
    ) -> t.Generator[t.Any, t.Any, Build | Attempt]:
        """Plan a call of an adapter, and what it needs."""
        adapter, bindings = candidate
        level = LEVELS.index(adapter.scope) or level
        try:
            params = adapter.params
        except AnnotationError as error:
            return Attempt(adapter, str(error), unread=True)
        here = (adapter, tuple(bindings.values()))
        wraps = adapter.wraps and adapter.wraps.name
        self._path[here] = key
        start, undo = len(self.order), len(self._undo)
        args: list[tuple[Param, Node]] = []
        try:
            for param in params:
                if inner is not None and param.name == wraps:
                    args.append((param, inner))
                    continue
                node = yield from self._arg(param, bindings, level)
                if isinstance(node, Failure):
                    self._rewind(start, undo)
                    tp = substitute(param.annotation, bindings)
                    param = param._replace(annotation=tp)  # noqa: PLW2901
                    return Attempt(adapter, "", param, node)
                args.append((param, node))
        finally:
            del self._path[here]
        build = build_of(key, candidate, args, level)
        self._keep(build, member=member)
        return build

    def _arg(
        self, param: Param, bindings: dict[t.Any, t.Any], level: int
    ) -> Steps:
        if not bindings:
            return (yield from self._param(param, param.asked, level))
        tp = substitute(param.annotation, bindings)
        if t.get_origin(tp) is type and t.get_origin(param.annotation):
            variable = t.get_args(param.annotation)[0]
            if variable in bindings:
                return Const(tp, bindings[variable], default=False)
        return (yield from self._param(param, param.ask(tp), level))

    def _grows(self, adapter: Adapter) -> bool:
        """Tell whether a generic adapter goes on needing itself."""
        again = sum(1 for planned, _ in self._path if planned is adapter)
        return again >= DEEPEST

    def _cycle(self, key: t.Any, here: tuple[Adapter, t.Any]) -> Attempt:
        keys = list(self._path)
        way = [self._path[step] for step in keys[keys.index(here) :]]
        failure = Failure(
            Asked((*way, key)),
            kind="cycle",
            heads=frozenset({here[0]}),
        )
        return Attempt(here[0], "", None, failure)

    def _keep(self, build: Build, *, member: bool) -> None:
        """Share what is built, with all that do not outlive it."""
        self.order.append(build)
        here = build.adapter, tuple(build.bindings.values())
        keys = self._keys(build)
        if member:
            keys = tuple(key for key in keys if self._is_first(build, key))
        members, undo = self._built[MEMBERS], self._undo
        for level in range(build.life + 1):
            built = self._built[level]
            for key in keys:
                if key not in built:
                    built[key] = build
                    undo.append((level, key))
            place = (level, *here)
            if place not in members:
                members[place] = build
                undo.append((MEMBERS, place))

    def _is_first(self, build: Build, key: t.Any) -> bool:
        """Tell whether it is what is built for those who ask for a type."""
        found = self.adapters.find(key)
        base = build.adapter.base or (build.adapter,)
        return not found or found[0].adapter is base[0]

    def _keys(self, build: Build) -> tuple[t.Any, ...]:
        """List the types under which it is found again."""
        return self.decorated.keys(build.candidate, build.type)

    def _rewind(self, start: int, undo: int) -> None:
        """Forget what was planned for an adapter that is not used."""
        del self.order[start:]
        for level, key in self._undo[undo:]:
            del self._built[level][key]
        del self._undo[undo:]

    # --- the plan ---------------------------------------------------------

    def finish(self, targets: t.Iterable[Node]) -> Plan:
        """Return the plan for some targets that were planned."""
        kept = (build for build in self.order if build.kept)
        read = {guard: reference(x) for guard, x in self.rests_on.items()}
        storage = {build: self._storage(build) for build in kept}
        return Plan(
            tuple(targets),
            tuple(self.order),
            types.MappingProxyType(storage),
            types.MappingProxyType(self.guards),
            types.MappingProxyType(self.collected),
            types.MappingProxyType(read),
            frozenset(self.absent),
            frozenset(self.unnamed),
            self.by_value,
        )

    def _storage(self, build: Build) -> Storage:
        """Decide how a layer keeps an object."""
        adapter, keys = build.adapter, self._keys(build)
        ticket, building = adapter.tickets(build.bindings)
        own_keys = self.decorated.keys(build.candidate)
        is_layered = self.decorated.any_there and (
            adapter.base is not None or self.decorated.any(build.candidate)
        )
        place = ticket
        if not is_layered:
            found = self.adapters.find(own_keys[0])
            keeping = [each for each in found if each.adapter.scope != "call"]
            if len(keeping) == 1:
                place = own_keys[0]
        return Storage(
            keys,
            place,
            by_type=place is not ticket,
            by_own_type=build.type in own_keys,
            # What is layered is found by what it stands for, and by nothing
            # else.
            more_types=(
                not is_layered
                and isinstance(keys[0], type)
                and adapter.kind is not Kind.CLASS
            ),
            building=building,
        )

    # --- failures ---------------------------------------------------------

    def _nothing(
        self, tp: Asked, level: int, attempts: t.Sequence[Attempt] = ()
    ) -> Failure:
        failures = [attempt.failure for attempt in attempts if attempt.failure]
        heads = frozenset(head for each in failures for head in each.heads)
        kinds = {failure.kind for failure in failures}
        note, kind = (
            "",
            next((k for k in ("cycle", "scope") if k in kinds), ""),
        )
        if level and any(self._component(key, None, CALL) for key in tp.keys):
            kind = "scope"
            note = (
                f"the one in the context ends before the {LEVELS[level]} "
                "that needs it"
            )
        if heads:
            heads &= self._heads()
        return Failure(tp, tuple(attempts), note, kind, heads)
