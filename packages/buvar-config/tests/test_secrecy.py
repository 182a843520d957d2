"""Secrets are shown nowhere, however deep they are and whatever is wrong."""

# ruff: noqa: RUF008, RUF009 - these objects never change

from __future__ import annotations

import json
import typing as t

import attrs
import pytest

from buvar import config


WORD = "hunter2"
Secret = config.Secret


@attrs.define
class Login:
    user: str = "me"
    word: Secret[str] = Secret(WORD)
    pin: str = config.var(WORD, secret=True)


@attrs.define
class Plain:
    inner: str = ""
    number: int = 0


@attrs.define
class App:
    login: Login = attrs.field(factory=Login)
    logins: list[Login] = [Login()]
    named: dict[str, Login] = {"a": Login()}
    pins: list[Secret[int]] = []
    words: dict[str, Secret[str]] = {}
    both: Login | Plain | None = None
    hidden: Plain | None = config.var(None, secret=True)
    later: t.Callable[[int], str] | None = None


def fail(cls: type, data: object, **variables: str) -> str:
    source = config.ConfigSource(
        {"app": data}, overrides=[f"app.{k}={v}" for k, v in variables.items()]
    )
    with pytest.raises(config.ConfigError) as caught:
        source.load(cls, "app")
    return f"{caught.value}{caught.value!r}{caught.value.errors}"


@pytest.mark.parametrize(
    "data",
    [
        WORD,
        {"login": WORD},
        {"logins": WORD},
        {"logins": [WORD]},
        {"logins": [{"word": [WORD]}]},
        {"named": {"a": WORD}},
        {"pins": [WORD]},
        {"words": {"a": [WORD]}},
        {"both": WORD},
        {"both": {"pin": [WORD]}},
        {"hidden": {"number": WORD}},
    ],
    ids=str,
)
def test_errors(data) -> None:
    """What is wrong beside or above a secret is not repeated."""
    text = fail(App, data)

    assert WORD not in text
    assert "***" in text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pins", f'[1, "{WORD}"'),
        ("words", f'{{"{WORD}": '),
        ("login", f'{{"word": "{WORD}"'),
        ("logins", f'[{{"word": "{WORD}"'),
        ("login.word", f"{WORD}\0"),
    ],
)
def test_broken_text(name, text) -> None:
    """Text that cannot be parsed is masked where a secret belongs."""
    assert WORD not in fail(App, {}, **{name: text})


def test_converter_quotes_the_value() -> None:
    """What a converter says of a secret is not repeated."""

    @attrs.define
    class Pin:
        pin: int = config.var(converter=int, secret=True)

    assert WORD not in fail(Pin, {"pin": WORD})


def test_generated() -> None:
    """No sample, list, schema or explanation shows a secret."""
    app = App(hidden=Plain(WORD), both=Login())
    texts = [
        config.sample(App),
        config.sample(App, value=app),
        *map(str, config.variables(App)),
        *map(repr, config.variables(App, value=app)),
        *map(str, config.variables(App, value=app)),
        json.dumps(config.schema(App)),
        str(config.ConfigSource({"login": {"pin": WORD}}).explain(App)),
        str(config.ConfigSource({"logins": [{"pin": WORD}]}).explain(App)),
    ]

    assert [text for text in texts if WORD in text] == []
    assert WORD in config.sample(App, value=app, reveal=True)


@pytest.mark.parametrize(
    "text",
    [
        f'password = "{WORD}\n',
        f'a.db-password = "{WORD}\n',
        f'password = """\n{WORD}\\q\n"""',
        f'tokens = [\n]\n"token" = [\n  "{WORD}\n',
        f'  # a comment\n[login]\npassword: "{WORD}"',
    ],
)
def test_broken_file(text, tmp_path) -> None:
    """The line shown of a broken file hides what sounds like a secret."""
    file = tmp_path / "a.toml"
    file.write_text(text)

    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource.read(file)

    assert WORD not in str(caught.value)
    assert "***" in str(caught.value)


def test_broken_file_in_many_lines(tmp_path) -> None:
    """A value of many lines is shown if its key sounds like nothing."""
    file = tmp_path / "a.toml"
    file.write_text('words = """\nhello\\q\n"""')

    with pytest.raises(config.ConfigError, match="hello"):
        config.ConfigSource.read(file)


def test_formatted() -> None:
    """A secret is masked in whatever way it is formatted."""
    secret = Secret(WORD)

    assert f"{secret:>5}" == "  ***"
    assert json.dumps({"a": secret}, default=str) == '{"a": "***"}'
    assert WORD not in repr(attrs.asdict(Login(pin="")))


def test_unprintable_value() -> None:
    """A value whose repr fails is named by its type."""

    class Odd:
        def __repr__(self) -> str:
            raise ValueError(WORD)

    text = fail(Plain, {"number": Odd()})

    assert "<test_unprintable_value.<locals>.Odd>" in text
