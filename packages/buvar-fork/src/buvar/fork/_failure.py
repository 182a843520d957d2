"""How a worker's failure reaches its parent, and is printed once."""

from __future__ import annotations

import dataclasses
import json
import re
import traceback
import typing as t

from buvar import plugin


#: Differs between workers that fail alike: addresses, process ids, times.
_VARIES: t.Final = re.compile(r"0x[0-9a-fA-F]+|\d+")


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """
    Why a worker failed.

    Attributes:
        code: The exit code.
        text: The traceback.
    """

    code: int
    text: str

    @classmethod
    def of(cls, error: BaseException, *, ready: bool) -> Failure:
        """Describe what a stage raised."""
        text = "".join(traceback.format_exception(error))
        return cls(plugin.exit_code(error) if ready else 3, text)

    @property
    def key(self) -> str:
        """Equal for failures that are alike."""
        return _VARIES.sub("#", self.text)

    def pack(self) -> bytes:
        """Make it bytes."""
        return json.dumps(dataclasses.asdict(self)).encode()

    @classmethod
    def unpack(cls, data: bytes) -> Failure:
        """Read it from bytes."""
        return cls(**json.loads(data))


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
        self._keys[failure.key] = None
        if len(self._keys) > self._MOST:
            del self._keys[next(iter(self._keys))]
        return failure.text.rstrip()
