"""Errors of a configuration, all of them in one exception."""

from __future__ import annotations

import contextlib
import re
import typing as t

import attrs


#: The end of a sentence that names the value which it refuses.
_SAYS_VALUE: t.Final = re.compile(r", not \S+$")


@attrs.frozen
class Problem:
    """
    One thing that is wrong.

    Attributes:
        path: The dotted path of the value, empty for the whole.
        value: The value as shown to people, ``***`` if it is a secret,
            ``None`` if there is none to show.
        source: Where it came from: ``file:line``, ``$VARIABLE``, ``--set``.
        expected: What should have been there.
        hint: What to do about it.
    """

    path: str
    expected: str
    value: str | None = None
    source: str | None = None
    hint: str | None = None

    @property
    def message(self) -> str:
        """What is wrong with which value, without its place and the hint."""
        text = f"{self.path}: " if self.path else ""
        text += self.expected
        # A validator of the user's may have said it already.
        if self.value is not None and not _SAYS_VALUE.search(self.expected):
            text += f", not {self.value}"
        return text

    def __str__(self) -> str:
        """Render one problem, with its hint on a line of its own."""
        text = self.message
        if self.source is not None:
            text += f" ({self.source})"
        if self.hint is not None:
            text += "\n      " + self.hint.replace("\n", "\n      ")
        return text


class ConfigError(Exception):
    """
    The configuration is not usable.

    Attributes:
        errors: All that is wrong, a ``Problem`` each.
        cure: What to do about it.
        exit_code: With what a command should exit.
    """

    exit_code: t.ClassVar[int] = 2

    def __init__(
        self,
        errors: t.Iterable[Problem],
        cure: str = "Correct what is listed and try again.",
    ) -> None:
        self.errors = tuple(errors)
        self.cure = cure
        super().__init__(self.errors, cure)

    def __str__(self) -> str:
        """List the problems, then the cure."""
        number = len(self.errors)
        title = (
            "The configuration has an error:"
            if number == 1
            else f"The configuration has {number} errors:"
        )
        lines = [f"  - {problem}" for problem in self.errors]
        return "\n".join([title, *lines, self.cure])


class BadValueError(ValueError):
    """
    A hook's refusal of a value, made into a ``Problem`` with its path.

    Attributes:
        expected: What the hook takes.
        hint: What to do about it.
        secret: Whether the value must not be shown.
    """

    def __init__(
        self, expected: str, hint: str | None = None, *, secret: bool = False
    ) -> None:
        super().__init__(expected)
        self.expected = expected
        self.hint = hint
        self.secret = secret


def config_error(
    expected: str,
    *,
    path: str = "",
    value: str | None = None,
    source: str | None = None,
    hint: str | None = None,
    cure: str = "Correct it and try again.",
) -> ConfigError:
    """Make an error of a single problem."""
    return ConfigError([Problem(path, expected, value, source, hint)], cure)


def together(errors: list[ConfigError]) -> ConfigError:
    """Make one error of several."""
    cures = {error.cure for error in errors}
    problems = [problem for error in errors for problem in error.errors]
    return ConfigError(problems, *cures if len(cures) == 1 else ())


def dotted(path: t.Sequence[t.Any]) -> str:
    """Write a path as people do."""
    text = ""
    for key in path:
        if isinstance(key, int) and not isinstance(key, bool):
            text += f"[{key}]"
        else:
            word = str(key)
            plain = word.replace("_", "").replace("-", "").isalnum()
            word = word if plain else repr(word)
            text += f".{word}" if text else word
    return text


def reason_of(error: BaseException) -> str:
    """Return what an exception says, in one line; its name if nothing."""
    if isinstance(error, RecursionError):
        return "expected less deep nesting"
    if isinstance(error, BaseExceptionGroup):
        group = t.cast("BaseExceptionGroup[BaseException]", error)
        return "; ".join(map(reason_of, group.exceptions))
    text = ""
    with contextlib.suppress(Exception):
        # Validators put the attribute and the value behind what they say,
        # which only a class that writes its text itself can read.
        writes = type(error).__str__ not in _PLAIN_TEXTS
        said = error if writes or not error.args else error.args[0]
        text = str(said)
    return text.split("\n")[0][:200] or type(error).__name__


#: How exceptions are written that show their arguments as they are.
_PLAIN_TEXTS: t.Final = (BaseException.__str__, KeyError.__str__)
