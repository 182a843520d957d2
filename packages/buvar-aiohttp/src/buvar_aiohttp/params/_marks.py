"""Where a parameter of a handler comes from: ``Annotated[int, Path()]``."""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True, slots=True)
class Path:
    """
    A part of the path: ``Annotated[int, Path()]``.

    Attributes:
        name: Its name in the template of the route, by default that of the
            parameter.
    """

    name: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Query:
    """
    A key of the query, or with a class all the keys that it has as fields.

    A list takes a key that is given several times: ``?tag=a&tag=b``.

    Attributes:
        name: The key, by default the name of the parameter. A class has none.
    """

    name: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Body:
    """
    The body, which is JSON: ``Annotated[Order, Body()]``.

    Attributes:
        unknown: What is done about keys that a class does not have: they are
            a mistake by default, as a misspelled key with a default would go
            unnoticed.
    """

    unknown: t.Literal["error", "ignore"] = "error"


Mark: t.TypeAlias = Path | Query | Body
