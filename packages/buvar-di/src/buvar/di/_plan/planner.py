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

import typing as t

from buvar.components import Components
from buvar.components import spi
from buvar.di._annotations.evaluate import EMPTY
from buvar.di._annotations.generics import substitute
from buvar.di._annotations.parse import Asked
from buvar.di._annotations.parse import Key
from buvar.di._annotations.parse import ask
from buvar.di._annotations.parse import provided
from buvar.di._annotations.parse import show
from buvar.di._annotations.signature import Param
from buvar.di._errors import AnnotationError
from buvar.di._registry.adapter import Adapter
from buvar.di._registry.candidate import Candidate
from buvar.di._registry.candidate import own_types
from buvar.di._registry.decorators import Decorated
from buvar.di._registry.registry import Adapters

from .built import Built
from .built import Mark
from .collecting import Shape
from .collecting import members
from .collecting import same_name
from .collecting import shape_of
from .failures import Attempt
from .failures import Failure
from .failures import cycle
from .failures import nothing
from .lookup import Lookup
from .nodes import CALL
from .nodes import LEVELS
from .nodes import Build
from .nodes import Collect
from .nodes import Const
from .nodes import Layers
from .nodes import Node
from .nodes import build_of
from .plan import Plan
from .plan import decide
from .premises import Premises
from .storage import keys_of
from .storage import storages
from .trampoline import Steps
from .trampoline import run
from .verdicts import Verdicts


#: How often a generic adapter may need itself, each time for another type.
DEEPEST: t.Final = 10


class Planner:
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
        self.adapters = adapters
        self.keywords = keywords
        self.given = given
        self.expected = expected
        self.layers: Layers = (
            components,
            spi.lifetime_of(components),
            spi.stage_of(components),
        )
        self.premises = Premises()
        self._built = Built()
        self.lookup = Lookup(
            overrides=adapters.overrides,
            layers=self.layers,
            keywords=keywords,
            given=given,
            expected=expected,
            built=self._built,
            premises=self.premises,
        )
        self._path: dict[tuple[Adapter, t.Any], t.Any] = {}
        self._failed: dict[t.Any, Failure] = {}
        self.left_out = left_out or Verdicts(self, Planner)
        self.decorated = Decorated(adapters.decorators, self.left_out.is_out)

    def target(self, target: t.Any) -> Node | Failure:
        """Plan one target of the call."""
        asked = ask(target)
        # A union equals that of another order, which is another question.
        self.premises.by_value |= len(asked.keys) > 1
        if asked.named is not None:
            node = self.lookup.named(asked, (asked.named.name,), CALL)
            return node or self._nothing(asked, CALL)
        return self.lookup.unnamed(asked, CALL) or run(
            self._adapt(asked, CALL)
        )

    def param(self, param: Param) -> Node | Failure:
        """Plan one parameter of a function to be filled."""
        return run(self._param(param, param.asked, CALL))

    # --- the order, step by step ------------------------------------------

    def _param(self, param: Param, tp: Asked, level: int) -> Steps:
        names: tuple[t.Hashable, ...] = (param.name,)
        if tp.named is not None:
            names = (tp.named.name, param.name)
        node: Node | Failure | None = self.lookup.named(tp, names, level)
        if node is None and (tp.named is not None or not tp.keys):
            node = self._nothing(tp, level)
        if node is None:
            node = self.lookup.unnamed(tp, level)
        if node is None:
            adapted: Node | Failure = yield self._adapt(tp, level)
            node = adapted
        if isinstance(node, Failure) and param.default is not EMPTY:
            return Const(param.default, default=True)
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
        for key, candidate in self._candidates(tp):
            mark = self._built.mark
            tried = self._settled(key, candidate, level)
            if tried is None:
                tried = yield from self._build(key, candidate, level)
            if self.decorated.any_there and isinstance(tried, Build):
                tried = yield from self._wrap(key, tried, mark)
            if isinstance(tried, Build):
                return tried
            attempts.append(tried)
            if tried.undecided:
                # Whether the next one is to be used instead is not known.
                break
        shape = None if attempts else self._shape(tp)
        if shape is not None:
            collected = yield from self._collect(tp, shape, level)
            if isinstance(collected, Collect):
                return collected
            attempts = collected
        failure = self._nothing(tp, level, attempts)
        self._failed[memo] = failure
        return failure

    def _candidates(self, tp: Asked) -> t.Iterator[tuple[Key, Candidate]]:
        for key in tp.keys:
            for candidate in self.adapters.find(key):
                yield key, candidate

    # --- collections ------------------------------------------------------

    def _shape(self, tp: Asked) -> Shape | None:
        """Return the first collection that is asked for."""
        return next(filter(None, map(shape_of, tp.keys)), None)

    def _collect(
        self, tp: Asked, shape: Shape, level: int
    ) -> t.Generator[t.Any, t.Any, Collect | list[Attempt]]:
        """Plan all there is of a type, or say what cannot be built."""
        fakes = {
            key: Const(fake)
            for key, fake in self.adapters.overrides.items()
            if not set(shape.item.keys).isdisjoint(provided(key))
        }
        items: dict[str, Node] = {}
        for key, fake in fakes.items():
            self._put(items, show(key), fake, shape)
        found = None
        if fakes.keys().isdisjoint(shape.item.keys):
            mark = self._built.mark
            for key, candidate in members(self.adapters.find, shape, fakes):
                if self.left_out.is_out(candidate.adapter):
                    continue
                node = yield from self._member(key, candidate, level)
                if isinstance(node, Attempt):
                    self._built.rewind(mark)
                    return [node]
                self._put(items, candidate.adapter.name, node, shape)
            found = self.lookup.components(
                shape, fakes, level, needed=not items
            )
        if not items and found is None:
            return []
        return Collect(tp.keys[0], shape.kind, items, found)

    def _member(
        self, key: t.Any, candidate: Candidate, level: int
    ) -> t.Generator[t.Any, t.Any, Node | Attempt]:
        """Plan what one adapter adds to a collection."""
        own = own_types(candidate)[0]
        mark = self._built.mark
        built: Node | Attempt | None = self._built.by_candidate(
            candidate, level
        )
        is_kept = candidate.adapter.scope != "call" and self.decorated.any(
            candidate
        )
        only = not is_kept and len(self.adapters.find(own)) == 1
        if built is None and isinstance(own, type) and only:
            # Asked for itself it would be this component, added to be shared.
            shared = self.lookup.exact(own, level)
            if shared is not None:
                return shared
        built = built or self._settled(own, candidate, level)
        if built is None:
            built = yield from self._build(own, candidate, level, member=True)
        if self.decorated.any_there and isinstance(built, Build):
            built = yield from self._wrap(key, built, mark)
        return built

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
        adapter = candidate.adapter
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
        if candidate.identity in self._path:
            return cycle(self._path, key, candidate)
        if candidate.bindings and self._grows(adapter):
            reason = (
                f"it needs itself for a new type each time, now {show(key)}"
            )
            return Attempt(adapter, reason)
        if self.decorated.any_there and self.decorated.any(candidate):
            # What is inside is shared with those who ask for all of it.
            return self._built.by_candidate(candidate, level)
        return None

    def _wrap(
        self, key: t.Any, inner: Build, mark: Mark
    ) -> t.Generator[t.Any, t.Any, Build | Attempt]:
        """Plan what wraps what was built, for those who ask for a type."""
        level = inner.level
        for candidate in self.decorated.chain(inner.candidate, key):
            built = self._built.by_candidate(candidate, level)
            if built is not None:
                inner = built
                continue
            if candidate.identity in self._path:
                self._built.rewind(mark)
                return cycle(self._path, key, candidate)
            tried: Build | Attempt | None = self.left_out(candidate.adapter)
            if tried is None:
                tried = yield from self._build(key, candidate, level, inner)
            if isinstance(tried, Attempt):
                self._built.rewind(mark)
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
        here = candidate.identity
        wraps = adapter.wraps and adapter.wraps.name
        self._path[here] = key
        mark = self._built.mark
        args: list[tuple[Param, Node]] = []
        try:
            for param in params:
                if inner is not None and param.name == wraps:
                    args.append((param, inner))
                    continue
                node = yield from self._arg(param, bindings, level)
                if isinstance(node, Failure):
                    self._built.rewind(mark)
                    tp = substitute(param.annotation, bindings)
                    param = param._replace(annotation=tp)  # noqa: PLW2901
                    return Attempt(adapter, "", param, node)
                args.append((param, node))
        finally:
            del self._path[here]
        build = build_of(key, candidate, args, level)
        keys = keys_of(build, self.decorated)
        if member:
            keys = tuple(key for key in keys if self._is_first(build, key))
        self._built.add(build, keys)
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
                return Const(bindings[variable])
        return (yield from self._param(param, param.ask(tp), level))

    def _grows(self, adapter: Adapter) -> bool:
        """Tell whether a generic adapter goes on needing itself."""
        again = sum(1 for planned, _ in self._path if planned is adapter)
        return again >= DEEPEST

    def _is_first(self, build: Build, key: t.Any) -> bool:
        """Tell whether it is what is built for those who ask for a type."""
        found = self.adapters.find(key)
        base = build.adapter.base or (build.adapter,)
        return not found or found[0].adapter is base[0]

    # --- the plan ---------------------------------------------------------

    def finish(self, targets: t.Iterable[Node]) -> Plan:
        """Return the plan for some targets that were planned."""
        order = tuple(self._built.order)
        storage = storages(order, self.adapters, self.decorated)
        return decide(tuple(targets), order, storage, self.premises)

    # --- failures ---------------------------------------------------------

    def _nothing(
        self, tp: Asked, level: int, attempts: t.Sequence[Attempt] = ()
    ) -> Failure:
        name = None if tp.named is None else tp.named.name
        ends_before = level and any(
            self.lookup.component(key, name, CALL) for key in tp.keys
        )
        too_short = LEVELS[level] if ends_before else None
        return nothing(tp, attempts, self._heads, too_short)
