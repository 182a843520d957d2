"""A slow resolver that follows the order of injection clause by clause."""

from __future__ import annotations

import typing as t


TYPES: list[type] = []
for _n in range(6):
    # Some are subclasses of others.
    _base = (TYPES[_n - 3],) if _n >= 3 else (object,)
    TYPES.append(
        type(
            f"T{_n}",
            _base,
            {"__init__": lambda s, how: setattr(s, "how", how)},
        )
    )


class Asked(t.NamedTuple):
    """An annotation: one type or a union, maybe with None, maybe named."""

    types: list[int]
    optional: bool
    name: str | None

    def written(self) -> str:
        named = f"Annotated[T{{}}, Named({self.name!r})]"
        text = named if self.name else "T{}"
        types = [text.format(one) for one in self.types]
        # Not "A | B | None": typing takes B | A for A | B, and gives it back.
        return f"Union[{', '.join([*types, *['None'] * self.optional])}]"


class Param(t.NamedTuple):
    """A parameter; its default is an object, None or missing."""

    name: str
    asked: Asked
    default: str
    by_name: bool


class Spec(t.NamedTuple):
    """An adapter: what it returns, needs, how it is run and kept."""

    result: int
    params: list[Param]
    kind: str
    scope: str


class Wrap(t.NamedTuple):
    """A decorator of a type, what else it needs and how it is run."""

    type: int
    params: list[Param]
    kind: str


class World(t.NamedTuple):
    """All that decides about a call, and the same call once more."""

    adapters: list[Spec]
    #: The lowest is that of the stage; ``request`` is the number of the one
    #: with a lifetime of its own.
    layers: list[list[tuple[int, str | None]]]
    request: int
    keywords: dict[str, int | None]
    fakes: list[int]
    targets: list[Asked]
    decorators: list[Wrap]


LEVELS = ["call", "layer", "stage"]


class Made(t.NamedTuple):
    """What the reference says an object is: how it came to be."""

    how: str
    type: int | None
    life: int
    #: The layer that keeps it.
    layer: int | None = None
    #: The types that what wraps it stands for.
    hidden: frozenset[int] = frozenset()

    def is_a(self, tp: int) -> bool:
        return (
            self.type is not None
            and issubclass(TYPES[self.type], TYPES[tp])
            and tp not in self.hidden
        )


class Item(t.NamedTuple):
    """A component."""

    how: str
    type: int
    name: str | None
    #: Whether a layer keeps it for itself, and what lives longer has none.
    private: bool = False
    hidden: frozenset[int] = frozenset()

    def is_a(self, tp: int) -> bool:
        return (
            issubclass(TYPES[self.type], TYPES[tp]) and tp not in self.hidden
        )


#: An adapter by its number, and the numbers of the decorators around it.
Place = tuple[int, tuple[int, ...]]


class UnresolvedError(Exception): ...


class Reference:
    """Follow the order clause by clause, copying all state."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.layers = [
            [Item(f"item{n}{tp}{name}", tp, name) for tp, name in layer]
            for n, layer in enumerate(world.layers)
        ]
        #: What each layer keeps: after all that was added to it.
        self.kept: list[list[Item]] = [[] for _ in world.layers]
        top = len(world.layers) - 1
        #: The highest layer that is seen from each level.
        self.highest = [top, min(world.request, top), 0]
        self.built: list[list[Made]] = [[], [], []]
        #: The same by what builds it; only where there are decorators.
        self.done: list[dict[Place, Made]] = [{}, {}, {}]
        self.stored: dict[tuple[int, Place], Made] = {}

    def call(self) -> list[str]:
        self.built = [[], [], []]
        self.done = [{}, {}, {}]
        found = [self.target(one).how for one in self.world.targets]
        if not all(map(self.is_meant, self.world.keywords)):
            raise UnresolvedError(self.world.keywords)
        return found

    def is_meant(self, name: str) -> bool:
        """Tell whether anything that could be needed would take a keyword."""
        value = self.keyword(name)
        asked = [(one, "") for one in self.world.targets]
        for one, own in asked:
            for number, spec in enumerate(self.world.adapters):
                made = TYPES[spec.result]
                for tp in one.types:
                    if not issubclass(made, TYPES[tp]):
                        continue
                    around = self.chain(number, tp)
                    wraps = [self.world.decorators[n] for n in around]
                    more = [
                        (self.asked(p), p.name)
                        for needs in (spec, *wraps)
                        for p in needs.params
                    ]
                    asked += [pair for pair in more if pair not in asked]
            fits = any(map(value.is_a, one.types))
            is_none = value.how == "None" and one.optional
            if name in (one.name, own) and (fits or is_none):
                return True
            if fits and not one.name:
                return True
        return False

    def asked(self, param: Param) -> Asked:
        if param.default == "None":
            return param.asked._replace(optional=True)
        return param.asked

    def keep(self) -> bool:
        """Add what is kept to its layer, unless it matters which is first."""
        kept = [one for one in self.built[0] if one.layer is not None]
        for made in kept:
            private = made.life == 1
            item = Item(made.how, made.type, None, private, made.hidden)
            self.kept[made.layer].append(item)
        for level in self.done:
            for place, made in level.items():
                if made.layer is not None:
                    self.stored[made.layer, place] = made
        # Two roots of the classes above have nothing in common.
        roots = [
            {(one.layer, tp) for tp in range(len(TYPES)) if one.is_a(tp)}
            for one in kept
        ]
        return sum(map(len, roots)) == len(set().union(*roots))

    def target(self, asked: Asked) -> Made:
        if asked.name:
            return self.named(asked, [asked.name], 0)
        return self.unnamed(asked, 0, [])

    def param(self, param: Param, level: int, path: list[Place]) -> Made:
        name, _, default, _ = param
        asked = self.asked(param)
        try:
            if asked.name:
                return self.named(asked, [asked.name, name], level)
            try:
                return self.named(asked, [name], level)
            except UnresolvedError:
                return self.unnamed(asked, level, path)
        except UnresolvedError:
            if default:
                return Made(default, None, 2)
            raise

    def named(self, asked: Asked, names: list[str], level: int) -> Made:
        for name in names:
            if name in self.world.keywords:
                value = self.keyword(name)
                if any(map(value.is_a, asked.types)):
                    return value
                if value.how == "None" and asked.optional:
                    return value
        if not asked.name and (fake := self.fake(asked)):
            return fake
        for tp in asked.types:
            found = self.item(tp, names[0], level)
            if found:
                return found
        raise UnresolvedError(asked)

    def unnamed(self, asked: Asked, level: int, path: list[Place]) -> Made:
        there = [
            self.fake(asked),
            *(self.shared(tp, level) for tp in asked.types),
            *(self.item(tp, None, level) for tp in asked.types),
            *(self.any_keyword(tp) for tp in asked.types),
        ]
        for found in there:
            if found:
                return found
        for tp in asked.types:
            for number in reversed(range(len(self.world.adapters))):
                result = self.world.adapters[number].result
                if issubclass(TYPES[result], TYPES[tp]):
                    before = [list(one) for one in self.built]
                    done = [dict(one) for one in self.done]
                    try:
                        return self.decorated(number, tp, level, path)
                    except UnresolvedError:
                        self.built, self.done = before, done
        raise UnresolvedError(asked)

    def fake(self, asked: Asked) -> Made | None:
        for tp in asked.types:
            if tp in self.world.fakes:
                return Made(f"fake{tp}", tp, 2)
        return None

    def shared(self, tp: int, level: int) -> Made | None:
        return next((one for one in self.built[level] if one.is_a(tp)), None)

    def any_keyword(self, tp: int) -> Made | None:
        values = map(self.keyword, self.world.keywords)
        return next((one for one in values if one.is_a(tp)), None)

    def keyword(self, name: str) -> Made:
        tp = self.world.keywords[name]
        return Made("None" if tp is None else f"keyword {name}", tp, 2)

    def item(self, tp: int, name: str | None, level: int) -> Made | None:
        for n in range(self.highest[level], -1, -1):
            there = [*self.kept[n], *self.layers[n]]
            for item in reversed(there):
                if item.private and LEVELS[level] == "stage":
                    continue
                if item.name == name and item.is_a(tp):
                    return Made(item.how, item.type, level)
        return None

    def chain(self, number: int, tp: int) -> tuple[int, ...]:
        """Tell which decorators are around an adapter for those who ask."""
        own = TYPES[self.world.adapters[number].result]
        found: list[int] = []
        for n, wrap in enumerate(self.world.decorators):
            wrapped = TYPES[wrap.type]
            if issubclass(own, wrapped) and issubclass(wrapped, TYPES[tp]):
                found.append(n)
                own = wrapped
        return tuple(found)

    def hidden(self, place: Place) -> frozenset[int]:
        """List the types that another decorator stands for."""
        number, around = place
        return frozenset(
            tp
            for tp in range(len(TYPES))
            if self.chain(number, tp) not in ((), around)
            or (around and not self.chain(number, tp))
        )

    def decorated(
        self, number: int, tp: int, level: int, path: list[Place]
    ) -> Made:
        spec = self.world.adapters[number]
        own = LEVELS.index(spec.scope)
        if (number, ()) in path or (own and own < level):
            raise UnresolvedError
        level = own or level
        made = self.made((number, ()), spec, None, level, path)
        around = self.chain(number, tp)
        for n in range(len(around)):
            place = (number, around[: n + 1])
            wrap = self.world.decorators[around[n]]
            made = self.made(place, wrap, made, level, path)
        return made

    def made(
        self,
        place: Place,
        spec: Spec | Wrap,
        inner: Made | None,
        level: int,
        path: list[Place],
    ) -> Made:
        """Call an adapter, or a decorator with what it wraps."""
        number, around = place
        adapter = self.world.adapters[number]
        own = LEVELS.index(adapter.scope)
        layered = any(self.chain(number, n) for n in range(len(TYPES)))
        if layered and place in self.done[level]:
            return self.done[level][place]
        if place in path:
            raise UnresolvedError
        args = [] if inner is None else [inner]
        args += [self.param(p, level, [*path, place]) for p in spec.params]
        life = min((one.life for one in args), default=2)
        if "yield" in spec.kind:
            # It ends with the request, if not earlier.
            life = min(life, max(level, 1))
        name = f"wrap{around[-1]}" if around else f"adapter{number}"
        how = f"{name}({', '.join(one.how for one in args)})"
        result = spec.type if isinstance(spec, Wrap) else spec.result
        layer = self.highest[own] if own else None
        made = Made(how, result, own or life, layer, self.hidden(place))
        stored = self.stored.get((layer or 0, place))
        if own and stored is not None:
            made = stored
        for one in range(made.life + 1):
            self.built[one].append(made)
            self.done[one].setdefault(place, made)
        return made
