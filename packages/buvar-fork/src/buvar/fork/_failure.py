"""How a worker's failure reaches its parent, and is logged once."""

from __future__ import annotations

import dataclasses
import errno
import json
import logging
import re
import sys
import traceback
import types
import typing as t

from buvar import plugin

from ._errors import OptionError
from ._errors import UnservedSocketError
from ._ipc import LIMITS
from ._ipc import Kind
from ._ipc import MessageError


#: Differs between workers that fail alike: addresses, process ids, times.
_VARIES: t.Final = re.compile(r"0x[0-9a-fA-F]+|\d+")
#: Bounds of what is told of a failure; the text of one exception may be long.
_LONGEST: t.Final = 10_000
_MEMBERS: t.Final = 20
_FRAMES: t.Final = 25
_DEPTH: t.Final = 5
_CHAIN: t.Final = 10
#: The exit code of a wrong usage or configuration.
_USAGE: t.Final = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """
    Why a worker failed.

    Attributes:
        code: The exit code.
        text: The traceback, or one line where that says it all.
        exceptions: What was raised, then what caused it, as data.
    """

    code: int
    text: str
    exceptions: list[dict[str, t.Any]] = dataclasses.field(
        default_factory=list[dict[str, t.Any]]
    )

    @classmethod
    def of(cls, error: BaseException, *, ready: bool) -> Failure:
        """Describe what a stage, or an import before it, raised."""
        # From here on tracebacks begin where the user's code does.
        plugin.failures(error)
        code = plugin.exit_code(error)
        return cls(
            code if ready else boot_code(code),
            _text(error),
            _chain(error, _DEPTH),
        )

    @property
    def key(self) -> str:
        """Equal for failures that are alike."""
        return _VARIES.sub("#", self.text)

    def pack(self) -> bytes:
        """Make it bytes, leaving out the details where they are too many."""
        limit = LIMITS[Kind.FAILED]
        short = dataclasses.replace(self, exceptions=[])
        # Escaped, a letter takes six bytes.
        shorter = dataclasses.replace(short, text=self.text[: limit // 16])
        for each in (self, short, shorter):
            data = json.dumps(dataclasses.asdict(each)).encode()
            if len(data) <= limit:
                break
        return data

    @classmethod
    def unpack(cls, data: bytes) -> Failure:
        """
        Read it from bytes.

        Raises:
            MessageError: This is not a failure.
        """
        try:
            failure = cls(**json.loads(data))
        except (RecursionError, TypeError, ValueError) as error:
            raise MessageError(
                f"a failure that makes no sense: {error!r}"
            ) from error
        values: tuple[t.Any, ...] = (
            failure.code,
            failure.text,
            failure.exceptions,
        )
        if tuple(map(type, values)) != (int, str, list):
            raise MessageError("a failure whose parts have the wrong types")
        # A stage may fail with SystemExit(0).
        if not 0 <= failure.code < 256:  # noqa: PLR2004 - codes are a byte
            raise MessageError(f"a failure with exit code {failure.code}")
        return failure

    def log(
        self,
        logger: logging.Logger,
        message: str,
        args: tuple[t.Any, ...],
        extra: t.Mapping[str, t.Any],
    ) -> None:
        """
        Log that a worker failed, with its exception as the record's own.

        Formatters of the standard library print the text below the line;
        those of buvar.log write the field ``exception`` as they write the
        exceptions of this process.

        Args:
            logger: Where to log it.
            message: What happened.
            args: What to put into the message.
            extra: More fields.
        """
        if not logger.isEnabledFor(logging.ERROR):
            return
        frame = sys._getframe(1)  # noqa: SLF001 - as logging finds it
        record = logger.makeRecord(
            logger.name,
            logging.ERROR,
            frame.f_code.co_filename,
            frame.f_lineno,
            message,
            args,
            None,
            frame.f_code.co_name,
            {**extra, "exception": self.exceptions},
        )
        record.exc_text = self.text.rstrip()
        logger.handle(record)


def boot_code(code: int) -> int:
    """
    Return the exit code of what failed while it was prepared.

    A wrong configuration is one however many processes find that out.
    """
    return code if code == _USAGE else 3


def _text(error: BaseException) -> str:
    """Return what to print: a line where a traceback tells nothing more."""
    leaves = list(_leaves(error))
    if all(map(_is_plain, leaves)):
        return "\n".join(dict.fromkeys(f"{leaf}" for leaf in leaves))
    return "".join(traceback.format_exception(error))


def _leaves(error: BaseException) -> t.Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        group = t.cast("BaseExceptionGroup[BaseException]", error)
        for each in group.exceptions:
            yield from _leaves(each)
    else:
        yield error


def _is_plain(error: BaseException) -> bool:
    """Tell whether the text of an exception says what to do."""
    return (
        isinstance(error, OptionError | UnservedSocketError)
        or plugin.failures(error)[0].explains_itself
        or (isinstance(error, OSError) and error.errno == errno.EADDRINUSE)
    )


def _chain(error: BaseException | None, depth: int) -> list[dict[str, t.Any]]:
    """Describe an exception, then what caused it, and so on."""
    found: list[dict[str, t.Any]] = []
    seen: set[int] = set()
    is_cause = False
    while error is not None and id(error) not in seen and len(seen) < _CHAIN:
        seen.add(id(error))
        found.append(_describe(error, depth, is_cause=is_cause))
        is_cause = error.__cause__ is not None
        if is_cause:
            error = error.__cause__
        else:
            error = None if error.__suppress_context__ else error.__context__
    return found


def _describe(
    error: BaseException, depth: int, *, is_cause: bool
) -> dict[str, t.Any]:
    described: dict[str, t.Any] = {
        "exc_type": type(error).__qualname__,
        "exc_value": _safe(error),
        "is_cause": is_cause,
    }
    if notes := getattr(error, "__notes__", None):
        described["exc_notes"] = [_safe(note) for note in notes][:_MEMBERS]
    if isinstance(error, SyntaxError):
        described["syntax_error"] = {
            "filename": error.filename or "?",
            "lineno": error.lineno or 0,
            "offset": error.offset or 0,
            "line": _safe((error.text or "").rstrip("\n")),
            "msg": error.msg,
        }
    described["frames"] = _frames(error.__traceback__)
    if isinstance(error, BaseExceptionGroup) and depth > 0:
        group = t.cast("BaseExceptionGroup[BaseException]", error)
        described["is_group"] = True
        described["exceptions"] = [
            _chain(each, depth - 1) for each in group.exceptions[:_MEMBERS]
        ]
    return described


def _frames(trace: types.TracebackType | None) -> list[dict[str, t.Any]]:
    """Return where it was raised, the innermost frames of it."""
    return [
        {
            "filename": frame.f_code.co_filename,
            "lineno": lineno,
            "name": frame.f_code.co_qualname,
        }
        for frame, lineno in traceback.walk_tb(trace)
    ][-_FRAMES:]


def _safe(value: object) -> str:
    """Return the text of an exception or a note, bounded."""
    try:
        return str(value)[:_LONGEST]
    except Exception as error:  # noqa: BLE001 - anybody's text
        return f"<its text raised {type(error).__name__}>"


class Printed:
    """Remembers which failures were printed."""

    #: How many to remember; forgetting one only means to print it again.
    _MOST: t.Final = 100

    def __init__(self) -> None:
        self._keys: dict[str, None] = {}

    def knows(self, failure: Failure) -> bool:
        """Tell whether one like it was printed."""
        return failure.key in self._keys

    def text(self, failure: Failure) -> str:
        """Return what to print: the whole of it only once."""
        if self.knows(failure):
            return "it failed as before"
        self.note(failure)
        return failure.text.rstrip()

    def note(self, failure: Failure) -> None:
        """Remember that it is printed now."""
        self._keys[failure.key] = None
        if len(self._keys) > self._MOST:
            del self._keys[next(iter(self._keys))]
