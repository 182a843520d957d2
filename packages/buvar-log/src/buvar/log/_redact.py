"""Which keys hold secrets."""

from __future__ import annotations

import re
import typing as t


#: What is written in place of a secret.
MASK: t.Final = "***"

#: Words that mark a key as secret: the whole key, or its end.
SECRET_WORDS: t.Final = (
    "access_key",
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "pwd",
    "secret",
    "secret_key",
    "session_id",
    "set_cookie",
    "token",
)

#: More different keys than this are no vocabulary but data.
_KEPT = 4096

#: What a URL says of its user, up to the password.
_USERINFO = re.compile(r"(?<=://)([^\s/?#@:]*):[^\s/?#]*(?=@)")

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GAP = re.compile(r"[\W_]+")


class Secrets(dict[str, bool]):
    """
    Say of a key whether its value is secret, and remember the answer.

    ``password`` marks password, db_password, DB-Password and dbPassword, but
    not password_rules.
    """

    def __init__(self, words: t.Iterable[str]) -> None:
        super().__init__()
        self._ends = tuple("_" + _normal(word) for word in words if word)

    def __missing__(self, key: str) -> bool:
        if len(self) >= _KEPT:
            self.clear()
        answer = self[key] = ("_" + _normal(key)).endswith(self._ends)
        return answer


def without_passwords(text: str) -> str:
    """Mask the password of each URL in a text."""
    if "://" not in text:
        return text
    return _USERINFO.sub(rf"\1:{MASK}", text)


def _normal(key: str) -> str:
    return _GAP.sub("_", _HUMP.sub("_", key)).strip("_").lower()
