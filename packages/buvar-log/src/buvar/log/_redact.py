"""Which keys hold secrets, and what texts say of them."""

from __future__ import annotations

import re
import typing as t

from ._sensitive import MASK
from ._sensitive import endings
from ._sensitive import sounds_secret
from ._sensitive import without_secrets_in


__all__ = ["MASK", "Secrets"]

#: More different keys than this are not a vocabulary but data.
_KEPT = 4096
#: How far before a sign the name that it belongs to may begin.
_LONGEST = 72
#: Longer texts are not remembered.
_SHORT = 200

#: What may stand between a name and its value.
_SIGN = re.compile(r"[=:,]")
#: A name, backwards from the sign.
_NAME = re.compile(r"[ \t]{0,4}[\"']?([\w.-]+)")


class Secrets(dict[str, bool]):
    """
    Say of a key whether its value is secret, and remember the answer.

    ``password`` marks password, db_password, DB-Password and dbPassword, but
    not password_rules.

    Args:
        words: Words of one's own, each a whole key or its end.
        defaults: Whether to know the usual words as well.
    """

    def __init__(
        self, words: t.Iterable[str] = (), *, defaults: bool = True
    ) -> None:
        super().__init__()
        self._ends = endings(words, defaults=defaults)
        #: Messages, most of which are always the same, as they are shown.
        self.shown = _Shown(self.hide)

    def __missing__(self, key: str) -> bool:
        if len(self) >= _KEPT:
            self.clear()
        answer = self[key] = sounds_secret(key, self._ends)
        return answer

    def hide(self, text: str) -> str:
        """
        Mask the secrets that a text tells.

        Most texts tell none. Whether one might is looked for first, from the
        few signs in it backwards, for that is much faster.
        """
        if "--" in text:
            return without_secrets_in(text, self._ends)
        if "=" in text or ":" in text:
            if ("://" in text and "@" in text) or self._may_tell(text):
                return without_secrets_in(text, self._ends)
        elif " " not in text:
            return text
        elif (
            "," in text
            and ("'," in text or '",' in text)
            and self._may_tell(text)
        ):
            return without_secrets_in(text, self._ends)
        # The ends of Bearer, Basic and Digest, in whatever case they begin.
        if "rer " in text or "sic " in text or "est " in text:
            return without_secrets_in(text, self._ends)
        return text

    def _may_tell(self, text: str) -> bool:
        for found in _SIGN.finditer(text):
            end = found.start()
            name = _NAME.match(text[max(0, end - _LONGEST) : end][::-1])
            if name is not None and self[name[1][::-1]]:
                return True
        return False


class _Shown(dict[str, str]):
    """Texts without their secrets, those that were asked for lately."""

    def __init__(self, hide: t.Callable[[str], str]) -> None:
        super().__init__()
        self._hide = hide

    def __missing__(self, text: str) -> str:
        shown = self._hide(text)
        if len(self) >= _KEPT:
            self.clear()
        if len(text) <= _SHORT:
            self[text] = shown
        return shown
