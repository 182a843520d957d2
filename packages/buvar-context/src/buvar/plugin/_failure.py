"""The failures of a stage, written for its users."""

# Annotations are not text here: fields of named tuples are looked up at once.

import contextlib
import traceback
import typing as t

from ._traceback import shorten


#: The attribute that says where an exception was raised.
_WHERE: t.Final = "__buvar_where__"


class Where:
    """
    The place of a failure in a stage.

    Attributes:
        note: How it reads below a traceback.
        sentence: How it reads by itself.
        facts: The same as data.
    """

    __slots__ = ("facts", "note", "sentence")

    def __init__(
        self, note: str, sentence: str, facts: t.Mapping[str, t.Any]
    ) -> None:
        self.note = note
        self.sentence = sentence
        self.facts = facts


class Failure(t.NamedTuple):
    """
    One failure of a stage.

    Attributes:
        error: What was raised.
        what: What that means, a sentence without its full stop: "the plugin
            'app' could not be prepared".
        facts: The same as data: ``phase`` ("import", "prepare", "task" or
            "teardown"), ``plugin`` and ``task``, as far as they are known.
    """

    error: BaseException
    what: str
    facts: t.Mapping[str, t.Any]

    @property
    def explains_itself(self) -> bool:
        """Whether the text of the error says what to do."""
        return isinstance(getattr(self.error, "exit_code", None), int)

    def __str__(self) -> str:
        """Say in one line what failed, and of what."""
        last = traceback.format_exception_only(self.error)[0].strip()
        return f"{self.what[:1].upper()}{self.what[1:]}: {last}"

    def text(self) -> str:
        """
        Return what to show to a user.

        Returns:
            The text of an error that explains itself; of any other one its
            traceback, from the first frame that a user wrote, and a last
            line that says what it means.
        """
        if self.explains_itself:
            return f"{self.error}\n"
        shown = traceback.TracebackException.from_exception(self.error)
        where = getattr(self.error, _WHERE, None)
        notes: t.Any = getattr(shown, "__notes__", None)
        if where is not None and notes:
            # The last line says it.
            shown.__notes__ = [n for n in notes if n != where.note]
        line = f"{self.what[:1].upper()}{self.what[1:]}.\n"
        return "".join(shown.format()) + line


def failures(error: BaseException) -> list[Failure]:
    """
    Take apart what a stage raised, or what an import of a plugin raised.

    Their tracebacks begin at the first frame that a user wrote from then on:
    how it was called says nothing, wherever it was caught.

    Args:
        error: Any exception; of the group of a stage each member is a
            failure, groups that a plugin raised itself are one.
    """
    shorten(error)
    return _taken_apart(error)


def _taken_apart(error: BaseException) -> list[Failure]:
    where: Where | None = getattr(error, _WHERE, None)
    if where is not None:
        return [Failure(error, where.sentence, where.facts)]
    if isinstance(error, BaseExceptionGroup):
        group = t.cast("BaseExceptionGroup[BaseException]", error)
        return [
            failure
            for inner in group.exceptions
            for failure in _taken_apart(inner)
        ]
    return [Failure(error, "the stage failed", {})]


def mark(error: BaseException, where: Where) -> None:
    """Note where an exception was raised; the first place is what it means."""
    # Attributes may be frozen.
    with contextlib.suppress(AttributeError, TypeError):
        error.add_note(where.note)
        if getattr(error, _WHERE, None) is None:
            setattr(error, _WHERE, where)


def summary(errors: t.Sequence[BaseException]) -> str:
    """Say in one line what failed."""
    found = [failure.what for error in errors for failure in failures(error)]
    return "; ".join(dict.fromkeys(found))
