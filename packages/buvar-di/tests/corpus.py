"""
Write random programs: what is registered, layers, and calls.

Each number is a program, the same one on every Python.
"""

from __future__ import annotations

import random
import typing as t


#: Chains longer than code is nested, and more types than are asked for one
#: by one.
_LONG: t.Final = 18

_HEAD = """
from __future__ import annotations

import abc
import functools

from collections.abc import AsyncIterator
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import asynccontextmanager
from contextlib import contextmanager
from typing import Annotated
from typing import Any
from typing import Generic
from typing import NewType
from typing import Protocol
from typing import TypeVar

from buvar import context
from buvar import di
from buvar.di import Named

A = TypeVar("A")

def make(cls):
    return object.__new__(getattr(cls, "__origin__", cls))

def broken():
    raise ValueError
"""

#: Names that the code itself uses, and names that are no variables.
_ODD = (
    *("Layer", "Class", "Print", "Items", "Target", "Given", "Stage"),
    *("Context", "Généré", "Isinstance", "Next", "Note", "Below"),
)
_NAMES = ("a", "b", "c", "stage", "layer")
_KINDS = (
    *("def", "def", "def", "async def", "async def"),
    *("yield", "async yield", "manager", "async manager", "class", "class"),
)
_RESULTS = {
    "yield": ("def", "Iterator[{}]", "yield"),
    "async yield": ("async def", "AsyncIterator[{}]", "yield"),
    "manager": ("def", "Iterator[{}]", "yield"),
    "async manager": ("async def", "AsyncIterator[{}]", "yield"),
    "async def": ("async def", "{}", "return"),
    "def": ("def", "{}", "return"),
}
_DECORATORS = {
    "manager": "@contextmanager\n",
    "async manager": "@asynccontextmanager\n",
}


class Draw:
    """Choose at random: only ``random()`` stays as it is for ever."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret

    def number(self, below: int) -> int:
        return int(self._random.random() * below)

    def chance(self, percent: int) -> bool:
        return self._random.random() * 100 < percent

    def of(self, values: t.Sequence[t.Any]) -> t.Any:
        return values[self.number(len(values))]


class Program:
    """
    Write a program.

    Args:
        seed: What it is drawn from.
    """

    def __init__(self, seed: int) -> None:
        self.draw = Draw(seed)
        self.definitions: list[str] = []
        self.body: list[str] = []
        is_long = self.draw.chance(10)
        #: Mostly nothing waits: that has code of its own.
        self.is_plain = self.draw.chance(30)
        #: Everything is kept for as long, or each as it comes.
        self.scope = self.draw.of([None, None, "call", "layer", "stage"])
        count = _LONG if is_long else 3 + self.draw.number(6)
        self.types = [f"T{n}" for n in range(count)]
        for n in range(count):
            if self.draw.chance(12):
                self.types[n] = f"{self.draw.of(_ODD)}{'x' * (n % 2)}{n}"
            if self.draw.chance(4):
                self.types[n] = self.draw.of(_ODD)
        self.types = list(dict.fromkeys(self.types))
        #: What each of them is asked for as.
        self.aliases: list[str] = []
        self.is_chain = is_long and self.draw.chance(70)
        if self.is_chain:
            self.scope = self.draw.of([None, None, "call", "layer", "stage"])
        for n in range(len(self.types)):
            self.implement(n)
        if not self.is_chain:
            self.extras()
        self.calls()

    def text(self) -> str:
        body = "\n".join(f"    {line}" for line in self.body)
        definitions = "\n\n".join(self.definitions)
        main = f"async def main(ask, call):\n{body}\n"
        return f"{_HEAD}\n\n{definitions}\n\n{main}"

    # --- what is built ----------------------------------------------------

    def implement(self, n: int) -> None:
        """Write a type, and mostly what builds it."""
        draw, name = self.draw, self.types[n]
        base = ""
        if n > 2 and draw.chance(25) and not self.is_chain:
            base = f"({self.types[draw.number(n - 1)]})"
        kinds = ("def", "class", "yield") if self.is_plain else _KINDS
        kind = draw.of(kinds)
        params = self.params(n)
        if kind == "class" and base and draw.chance(50):
            # It has the constructor of its base.
            self.definitions.append(f"class {name}{base}: ...")
        elif kind == "class" and params:
            self.definitions.append(
                f"class {name}{base}:\n"
                f"    def __init__(self, {params}) -> None: ..."
            )
        else:
            self.definitions.append(
                f"class {name}{base}:\n    def __init__(self) -> None: ..."
            )
        if draw.chance(5) and not self.is_chain:
            # Nothing builds it: a component, or a way to fail.
            return
        if kind == "class":
            self.register(name)
        else:
            self.function(f"make_{n}", kind, params, name)

    def function(
        self,
        name: str,
        kind: str,
        params: str,
        result: str,
        made: str = "",
        *,
        how: str = "register",
    ) -> None:
        """Write a function that builds something."""
        prefix, returns, word = _RESULTS[kind]
        if self.draw.chance(10) and how == "register":
            result = f"{result} | None"
        value = f"make({made or result.removesuffix(' | None')})"
        if self.draw.chance(2):
            value = "broken()"
        self.definitions.append(
            f"{_DECORATORS.get(kind, '')}{prefix} {name}({params})"
            f" -> {returns.format(result)}:\n"
            f"    {word} {value}"
        )
        if how == "register":
            self.register(name)
        else:
            self.body.append(f"di.decorate({name})")

    def register(self, name: str) -> None:
        draw = self.draw
        longest = "layer" if self.is_chain else "stage"
        scope = self.scope or draw.of(["call", "call", "layer", longest])
        options = f", scope={scope!r}" if scope != "call" else ""
        if draw.chance(5):
            options += ", collect=False"
        if draw.chance(7) and not self.is_chain:
            options += f", when={self.condition()}"
        self.body.append(f"di.register({name}{options})")

    def condition(self) -> str:
        name = f"condition_{len(self.definitions)}"
        needed = self.draw.of(self.types)
        default = self.draw.of(["", " = None", " = None"])
        self.definitions.append(
            f"def {name}(it: {needed}{default}) -> bool:\n"
            f"    return {self.draw.of(['True', 'True', 'it is None'])}"
        )
        return name

    def params(self, n: int) -> str:
        """Write parameters, mostly of types that come later."""
        draw = self.draw
        if self.is_chain:
            needed = zip("ab", self.types[n + 1 :], strict=False)
            found = [f"{name}: {one}" for name, one in needed]
            return ", ".join(found[: 1 + draw.number(3) // 2])
        names = list(_NAMES)
        found: list[str] = []
        defaults: list[str] = []
        by_name: list[str] = []
        most = min(4, len(self.types) - n) if draw.chance(90) else 4
        for _ in range(draw.number(most)):
            name = names.pop(draw.number(len(names)))
            asked = self.annotation(n)
            where = found
            if draw.chance(25):
                asked += draw.of([" = None", " = None", " = DEFAULT"])
                where = defaults
            (by_name if draw.chance(20) else where).append(f"{name}: {asked}")
        if any("DEFAULT" in param for param in (*defaults, *by_name)):
            self.definitions.append(f"default_{n} = object()")
        text = ", ".join(
            [*found, *defaults, *(["*", *by_name] if by_name else [])]
        )
        return text.replace("DEFAULT", f"default_{n}")

    def annotation(self, n: int) -> str:
        draw = self.draw
        later = len(self.types) - n - 1
        if not later or draw.chance(4):
            # Maybe a cycle.
            one = draw.of(self.types)
        else:
            one = self.types[n + 1 + draw.number(later)]
        name = draw.of(["a", "other"])
        forms = [
            f"{one} | {draw.of(self.types)}",
            f"{one} | {draw.of(self.types)}",
            f"{one} | None",
            f'Annotated[{one}, Named("{name}")]' if draw.chance(50) else one,
            f"list[{one}]",
            draw.of([f"tuple[{one}, ...]", f"Sequence[{one}]"]),
            f"dict[str, {one}]",
            draw.of([*self.aliases, one]),
        ]
        return draw.of([*forms, *[one] * 12])

    def extras(self) -> None:
        """Write generics, protocols, decorators and the like."""
        draw = self.draw
        kinds = ("def", "yield") if self.is_plain else _KINDS[:-2]
        if draw.chance(20):
            self.definitions.append(
                "class Box(Generic[A]):\n"
                "    def __init__(self, item: A) -> None: ..."
            )
            self.register("Box")
            self.definitions.append(
                f"class Chest(Box[{self.types[0]}]):\n"
                f"    def __init__(self) -> None: ..."
            )
            if draw.chance(40):
                self.body.append("context.add(make(Chest))")
            self.aliases += [f"Box[{one}]" for one in self.types[:2]]
        if draw.chance(15):
            self.definitions.append("class Shelf(Generic[A]): ...")
            one = draw.of(self.types)
            more = draw.of(["", ", b: type[A]", ", b: Shelf[list[A]] = None"])
            self.function("shelf", draw.of(kinds), f"a: A{more}", "Shelf[A]")
            self.function(
                "special", draw.of(kinds), f"a: {one}", f"Shelf[{one}]"
            )
            self.aliases += [f"Shelf[{one}]" for one in self.types[:2]]
        if draw.chance(15):
            self.definitions.append(
                "class Runs(Protocol):\n    def run(self) -> None: ..."
            )
            one = draw.of(self.types)
            kind = draw.of(kinds)
            self.function("runs", kind, f"a: {one}", "Runs", one)
            self.aliases.append("Runs")
        if draw.chance(15):
            one = draw.of(self.types)
            self.definitions.append(
                f"class Abstract(abc.ABC): ...\n\nAbstract.register({one})"
            )
            self.aliases.append("Abstract")
        self.more_extras(kinds)
        for n in range(draw.number(3) if draw.chance(35) else 0):
            one = draw.of(self.types)
            more = draw.of(
                ["", f", a: {draw.of(self.types)}", ", *, a: Any = None"]
            )
            kind = draw.of(kinds)
            self.function(
                f"around_{n}", kind, f"inner: {one}{more}", one, how="wrap"
            )
        for n in range(draw.number(3) if draw.chance(40) else 0):
            # Another one for a type that has one, and a subclass of it.
            one = draw.of(self.types)
            self.function(f"again_{n}", draw.of(kinds), "", one)

    def more_extras(self, kinds: t.Sequence[str]) -> None:
        draw = self.draw
        if draw.chance(15):
            one = draw.of(self.types)
            self.definitions.append(f'New = NewType("New", {one})')
            self.function("new", draw.of(kinds), "", "New", one)
            self.aliases.append("New")
        if draw.chance(12):
            one = draw.of(self.types)
            self.definitions.append(
                f"class Built:\n"
                f"    @classmethod\n"
                f"    def of(cls, a: {one}) -> Built: return make(cls)\n\n"
                f"class Special(Built): ..."
            )
            self.register("Built.of")
            self.aliases += ["Built", "Special"]
        if draw.chance(10):
            one, two = draw.of(self.types), draw.of(self.types)
            self.definitions.append(
                f"class Callable:\n"
                f"    def __call__(self, a: {one}, b: Any = None) -> {two}:\n"
                f"        return make({two})"
            )
            self.register("Callable()")
            self.register("functools.partial(Callable(), b=1)")

    # --- what is asked for ------------------------------------------------

    def calls(self) -> None:
        draw = self.draw
        self.components("")
        self.ask("")
        self.body.append("async with context.child() as layer:")
        self.components("    ")
        for _ in range(1 + draw.number(2)):
            self.ask("    ")
        if draw.chance(40):
            self.body.append("    async with context.child() as layer:")
            self.components("        ")
            self.ask("        ")
        if draw.chance(30):
            self.body.append("    context.push()")
            self.components("    ", "context")
            self.ask("    ")
        if draw.chance(15):
            one = draw.of(self.types)
            self.body.append(f"    with di.override({{{one}: make({one})}}):")
            self.ask("        ")
        if draw.chance(30):
            params = ", ".join(
                f"{name}: {self.annotation(0)}" for name in _NAMES[:2]
            )
            by_name = f", *, c: {draw.of(self.types)} = None"
            self.body += [
                "    @di.inject",
                f"    async def function({params}{by_name}): ...",
                "    await call(function)",
                f"    await call(function, make({draw.of(self.types)}))",
            ]

    def components(self, indent: str, layer: str = "") -> None:
        draw = self.draw
        layer = layer or ("layer" if indent else "context")
        for _ in range(draw.number(3) if draw.chance(60) else 0):
            one = draw.of(self.types)
            name = draw.of(["", "", "", ', name="a"', ', name="stage"'])
            self.body.append(f"{indent}{layer}.add(make({one}){name})")

    def ask(self, indent: str) -> None:
        draw = self.draw
        first = self.types[0]
        if draw.chance(40) and not self.is_chain:
            first = draw.of(self.types)
        targets = [first]
        if self.aliases and draw.chance(50):
            targets[:] = [draw.of(self.aliases)]
        if draw.chance(12):
            form = draw.of(["list[{}]", "tuple[{}, ...]", "dict[str, {}]"])
            targets = [form.format(draw.of(self.types))]
        if draw.chance(5):
            targets = [f'Annotated[{first}, Named("a")]']
        for _ in range(draw.number(3) if draw.chance(40) else 0):
            targets.append(draw.of([*self.types, *self.aliases]))
        if draw.chance(15):
            name = draw.of(_NAMES)
            targets.append(f"{name}=make({draw.of(self.types)})")
        self.body.append(f"{indent}await ask({', '.join(targets)})")
