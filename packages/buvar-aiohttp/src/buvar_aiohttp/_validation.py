"""All that is wrong with the parameters of a request, as one answer."""

from __future__ import annotations

import typing as t

import aiohttp.web

from ._problem import PROBLEM
from ._problem import phrase_of
from .json import dumps


#: How many mistakes are told, and looked for; a client may make any number.
MOST: t.Final = 100


class Mistake(t.NamedTuple):
    """
    Something that is wrong with a request.

    Attributes:
        place: Where: ``path``, ``query`` or ``body``.
        name: The parameter; within the body a JSON pointer, which is empty
            for the body itself.
        reason: What is wrong. It does not repeat what the client has sent,
            unless a validator of the application does.
    """

    place: str
    name: str
    reason: str


class ValidationError(aiohttp.web.HTTPUnprocessableEntity):
    """
    The parameters of a request are wrong: status 422.

    Its body is ``application/problem+json`` (RFC 9457), with the mistakes as
    the member ``errors``.

    Attributes:
        errors: All mistakes, as far as they were looked for: a few more than
            100 at most.
    """

    def __init__(self, errors: t.Iterable[Mistake]) -> None:
        self.errors = tuple(errors)
        number = len(self.errors)
        problem: dict[str, t.Any] = {
            "type": "about:blank",
            "title": phrase_of(self.status_code),
            "status": self.status_code,
            "detail": f"The request has {_number(number)}.",
            "errors": [mistake._asdict() for mistake in self.errors[:MOST]],
        }
        text = dumps(problem).decode()
        super().__init__(text=text, content_type=PROBLEM)

    def __str__(self) -> str:
        """Say all that is wrong, a line each, and the cure."""
        lines = [
            f"  - {place} {name}: {reason}"
            if name
            else f"  - {place}: {reason}"
            for place, name, reason in self.errors
        ]
        return "\n".join(
            (
                "The parameters of the request are wrong:",
                *lines,
                "Correct them, and send the request again.",
            )
        )


def _number(mistakes: int) -> str:
    if mistakes == 1:
        return "1 mistake"
    return f"{mistakes if mistakes <= MOST else f'more than {MOST}'} mistakes"
