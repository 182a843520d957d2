"""
Tell secrets by their names, and hide them within text.

buvar-config and buvar-log depend on nothing of each other, and yet must agree
on what a secret is: both have this file, and a test compares the two.
"""

from __future__ import annotations

import re
import typing as t


#: What is written in place of a secret.
MASK: t.Final = "***"

#: Words that end the name of a secret, glued to what is before or not.
SECRET_ENDINGS: t.Final = (
    "apikey",
    "authorization",
    "cookie",
    "credential",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "secretkey",
    "sessionid",
    "token",
)
#: Words that end the name of a secret if they stand alone, between
#: underscores, hyphens, dots or humps.
SECRET_WORDS: t.Final = (
    "auth",
    "bearer",
    "connection_string",
    "cred",
    "csrf",
    "cvc",
    "cvv",
    "dsn",
    "hmac",
    "jwt",
    "key",
    "otp",
    "pass",
    "pin",
    "psk",
    "pw",
    "pwd",
    "salt",
    "sess",
    "sessid",
    "session",
    "session_id",
    "sid",
    "sig",
    "signature",
    "totp",
    "xsrf",
)
#: Keys that open nothing.
NOT_SECRET: t.Final = (
    "foreign_key",
    "partition_key",
    "primary_key",
    "public_key",
    "publickey",
    "routing_key",
    "sort_key",
)
#: What may follow the word without changing what it names.
_FORMS = (
    r"(?:_(?:again|b64|base64|bytes|confirm|confirmation|data|digest|hash"
    r"|header|hex|new|old|pem|plain|raw|repeat|str|string|text|value))+$"
)
_FORM = re.compile(_FORMS)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_GAP = re.compile(r"[\W_]+")
_NUMBER = re.compile(r"_?\d+$")


def normal(key: object) -> str:
    """Write a name in lower case, its words joined by underscores."""
    return _GAP.sub("_", _HUMP.sub("_", str(key))).strip("_").lower()


def endings(
    words: t.Iterable[str] = (), *, defaults: bool = True
) -> tuple[str, ...]:
    """
    Return the endings of the names of secrets.

    Args:
        words: Words of one's own, each a whole name or its end.
        defaults: Whether the words above are meant as well.
    """
    found = [f"_{normal(word)}" for word in words if normal(word)]
    if defaults:
        found += SECRET_ENDINGS
        found += [f"_{word}" for word in SECRET_WORDS]
    return (*found, *(f"{word}s" for word in found))


_ENDINGS = endings()
_NOT_SECRET = tuple(
    f"_{word}{plural}" for word in NOT_SECRET for plural in ("", "s")
)


def sounds_secret(key: object, known: tuple[str, ...] = _ENDINGS) -> bool:
    """
    Tell whether a name is one that secrets usually have.

    ``password`` makes one of password, db_password, DB-Password, dbPassword,
    passwords, password2 and password_hash, but not of password_rules.

    Args:
        key: The name.
        known: What ``endings`` returns.
    """
    name = _NUMBER.sub("", f"_{normal(key)}")
    if name.endswith(_NOT_SECRET):
        return False
    return name.endswith(known) or _FORM.sub("", name).endswith(known)


#: A run of characters that a URL may be in.
_RUN = re.compile(r"[^\s\"'<>]+")
#: A host and its port, in which no password is.
_PORT = re.compile(r"[^:/?#@]*:\d{0,5}(?:[/?#]|$)")


def without_passwords(text: str, *, aligned: bool = False) -> str:
    """
    Mask the password of each URL in a text.

    It ends at the last ``@``: slashes and the like, which should have been
    quoted, belong to it.

    Args:
        text: What may have URLs in it.
        aligned: Whether what follows stays in its place.
    """
    if "://" not in text or "@" not in text:
        return text
    return _RUN.sub(_aligned if aligned else _without_password, text)


def _aligned(run: re.Match[str]) -> str:
    masked = _without_password(run)
    before, found, after = masked.partition(f":{MASK}@")
    room = len(run[0]) - len(before) - len(after) - 1
    return (
        f"{before}:{MASK}".ljust(len(before) + room) + f"@{after}"
        if (found)
        else masked
    )


def _without_password(run: re.Match[str]) -> str:
    text = run[0]
    start = text.find("://") + 3
    while start > 2:  # noqa: PLR2004 - the length of what was looked for
        end = text.rfind("@", start)
        colon = text.find(":", start, max(end, start))
        if end < 0 or colon < 0:
            break
        user = text[start:colon]
        if not _PORT.match(text, start) and not set(user) & set("/?#@"):
            return f"{text[:colon]}:{MASK}{text[end:]}"
        start = text.find("://", start) + 3
    return text


#: ``password=``, ``"password":``, ``Authorization:``, and the name of a pair
#: such as ``("Authorization", "x")``.
_NAME = re.compile(
    r"""
      (?<![\w.-])(?P<key>(?P<quote>["'])?-{0,2}[A-Za-z_][\w.-]{0,63}["']?)
      [ \t]{0,4}(?P<sign>[=:](?![:=/])|(?(quote),|[^\s\S]))[ \t]{0,4}
    """,
    re.VERBOSE,
)
_VALUE = re.compile(
    r"""
      [bru]?(?P<quote>["'])(?:\\.|(?!(?P=quote))[^\\])*(?:(?P=quote)|$)
      | \[[^\]]*\]? | \{[^}]*\}? | [^\s&;,"'(){}\[\]<>]+
    """,
    re.VERBOSE | re.DOTALL,
)
#: ``--password x1``, or both as items of a list. Without a digit it may be
#: prose: "--password is missing".
_OPTION = re.compile(
    r"""(?<![\w.-])(["']?)--(?P<key>[A-Za-z][\w-]{0,63})\1"""
    r"""(?:[ \t]{0,4},[ \t]{0,4}(?!["']?-)|[ \t]{1,4}(?=[^\s-]*\d))"""
)
#: What a header says up to the end of its line.
_HEADER = re.compile(
    r"(?i)(?<![\w-])((?:proxy-)?authorization|(?:set-)?cookie)"
    r"([ \t]{0,4}:[ \t]{0,4})(?![\"'\s])[^\r\n\"']+"
)
_SCHEME = re.compile(
    r"\b(?P<scheme>(?i:bearer|basic|digest))[ ]+"
    r"(?=[\w.~+/-]*[\d=.])[\w.~+/-]{6,}=*"
)


def without_secrets_in(text: str, known: tuple[str, ...] = _ENDINGS) -> str:
    """
    Mask what a text says of secrets.

    That are passwords of URLs, parameters such as ``?access_token=x``,
    settings such as ``password=x``, options such as ``--password x``, items
    such as ``"token": "x"``, and headers such as ``Authorization: Bearer x``.

    Args:
        text: What an error says, for example.
        known: What ``endings`` returns.
    """
    text = without_passwords(text)
    if "=" not in text and ":" not in text and " " not in text:
        return text
    text = _SCHEME.sub(rf"\g<scheme> {MASK}", text)
    text = _HEADER.sub(rf"\1\2{MASK}", text)

    if "--" in text:
        text = _masked(text, _OPTION, _is_secret_option, known)
    return _masked(text, _NAME, _is_secret, known)


def _masked(
    text: str,
    pattern: re.Pattern[str],
    is_secret: t.Callable[[re.Match[str], str, tuple[str, ...]], bool],
    known: tuple[str, ...],
) -> str:
    """Mask the values behind the names that a pattern finds."""
    parts: list[str] = []
    done = 0
    for found in pattern.finditer(text):
        if found.start() < done or not is_secret(found, text, known):
            continue
        if value := _VALUE.match(text, found.end()):
            quote = value["quote"] or ""
            parts += [text[done : found.end()], quote, MASK, quote]
            done = value.end()
    return "".join(parts) + text[done:]


def _is_secret_option(
    found: re.Match[str], _text: str, known: tuple[str, ...]
) -> bool:
    return sounds_secret(found["key"], known)


def _is_secret(
    found: re.Match[str], text: str, known: tuple[str, ...]
) -> bool:
    key, sign = found["key"], found["sign"]
    name = key.strip("\"'")
    if not sounds_secret(name, known):
        return False
    if sign == ",":
        # Without a parenthesis it is one name after another.
        return text[max(found.start() - 1, 0)] == "("
    # A colon is prose, too: "no such key: port".
    quoted = key != name
    return quoted or sign == "=" or normal(name).endswith(_PROSE)


#: What is taken for the name of a secret before a colon as well.
_PROSE = tuple(
    f"{word}{plural}"
    for word in (*SECRET_ENDINGS, "api_key", "access_key", "ssh_key")
    for plural in ("", "s")
)
