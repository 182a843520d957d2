"""Secrets are shown nowhere, however deep they are and whatever is wrong."""

# ruff: noqa: RUF008, RUF009 - these objects never change

from __future__ import annotations

import json
import tomllib
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
        f"password '{WORD}'",
        f"passwords = ['{WORD}' x]",
        f'"pass word" = "{WORD}" x',
        f"url = 'amqp://me:{WORD}@host/' x",
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


def test_caret_behind_a_password(tmp_path) -> None:
    """What follows a masked password stays above its caret."""
    file = tmp_path / "a.toml"
    file.write_text(f"url = 'amqp://me:{WORD}@host/' x")

    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource.read(file)

    line, caret = str(caught.value.errors[0].hint).split("\n")
    assert line.endswith("@host/' x")
    assert line.index("x") == caret.index("^")


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


URL = config.URL(f"amqp://me:{WORD}@host/")


@attrs.define
class Open:
    url: config.URL = URL
    dsn: str = str(URL)
    any: t.Any = Secret(WORD)
    table: dict[str, t.Any] = {"a": [Login()]}


def test_generated_from_values() -> None:
    """A default that is a secret is none of a sample's, whatever its type."""
    texts = [
        config.sample(Open),
        *map(str, config.variables(Open)),
        *map(repr, config.variables(Open)),
        json.dumps(config.schema(Open)),
        str(config.ConfigSource().explain(Open)),
    ]

    assert [text for text in texts if WORD in text] == []
    assert "# url = (secret, has a default)" in texts[0]
    text = config.sample(Open, value=Open(any="a", table={}), reveal=True)
    source = config.ConfigSource(tomllib.loads(text))
    assert source.load(Open) == Open(any="a", table={})


def test_explained_below_a_secret_name() -> None:
    """What is in a table that sounds like secrets is masked."""
    data = {
        "tokens": {"a": {"b": WORD}},
        "x": {"auth": WORD, "url": str(URL), "list": [WORD]},
    }
    source = config.ConfigSource(data)

    text = str(source.explain())

    assert WORD not in text
    assert "tokens.a.b = ***" in text


def test_repr_of_a_source() -> None:
    """A source shows what it holds, but no secrets."""
    source = config.ConfigSource(
        {"a": 1, "db": {"password": WORD, "url": str(URL)}}
    )

    assert repr(source) == (
        "{'a': 1, 'db': {'password': '***', 'url': 'amqp://me:***@host/'}}"
    )
    assert source["db"]["password"] == WORD


@pytest.mark.parametrize(
    "text",
    [f"amqp://me:a@{WORD}@host/", f"amqp://me:a/{WORD}@host", f"me:{WORD}@h"],
)
def test_url(text) -> None:
    """The password of a URL is masked, whatever is in it."""
    cls = attrs.make_class("Has", {"x": attrs.field(type=config.URL)})
    try:
        shown = repr(config.ConfigSource({"x": text}).load(cls))
    except config.ConfigError as error:
        shown = f"{error}{error.errors}"

    assert WORD not in shown
    assert "***" in shown


@pytest.mark.parametrize("way", ["folder", "variable"])
def test_value_of_a_file(way, tmp_path, monkeypatch) -> None:
    """What came from a file for secrets is shown nowhere."""

    @attrs.define
    class Inner:
        number: int = 0
        words: list[int] = attrs.field(factory=list)

    @attrs.define
    class Has:
        number: int = 0
        kind: t.Literal["a"] = "a"
        inner: Inner = attrs.field(factory=Inner)
        odd: str = config.var("", validator=attrs.validators.max_len(3))

    texts = {
        "number": WORD,
        "kind": WORD,
        "inner": f'{{"number": "{WORD}", "words": ["{WORD}"]}}',
        "odd": WORD,
    }
    for name, text in texts.items():
        file = tmp_path / name
        file.write_text(text)
        if way == "variable":
            monkeypatch.setenv(f"FI_{name.upper()}_FILE", str(file))
    folder = tmp_path if way == "folder" else None
    source = config.ConfigSource(env_prefix="FI", secrets=folder)

    for left_out in ((), ("number", "kind", "inner")):
        for name in left_out:
            tmp_path.joinpath(name).write_text("")
            tmp_path.joinpath(name).unlink()
            monkeypatch.delenv(f"FI_{name.upper()}_FILE", raising=False)
        source = config.ConfigSource(env_prefix="FI", secrets=folder)
        with pytest.raises(config.ConfigError) as caught:
            source.load(Has)
        error = caught.value
        assert WORD not in f"{error}{error!r}{error.errors}"
    assert WORD not in str(source.explain(Has))
    assert "odd = ***" in str(source.explain(Has))


def test_text_with_a_name_of_secrets() -> None:
    """Text is a secret by its name, unless its field says it is not."""

    @attrs.define
    class Has:
        api_key: str = WORD
        tokens: list[str] = [WORD]
        max_tokens: int = 5
        key: str = config.var("shown", secret=False)
        session: bool = True

    text = config.sample(Has)

    assert WORD not in text
    assert WORD not in fail(Has, {"tokens": [5], "api_key": [WORD]})
    assert "max_tokens = 5" in text
    assert 'key = "shown"' in text
    assert "session = true" in text


def test_key_of_a_dict_that_sounds_secret() -> None:
    """A wrong value is not shown if its key in any table sounds secret."""

    @attrs.define
    class Client:
        options: dict[str, str]
        nested: dict[str, dict[str, int]]

    source = config.ConfigSource(
        {
            "options": {"password": 1234, "host": 5678},
            "nested": {"tokens": {"first": "geheim"}},
        }
    )
    with pytest.raises(config.ConfigError) as caught:
        source.load(Client)

    assert [(e.path, e.value) for e in caught.value.errors] == [
        ("options.password", "***"),
        ("options.host", "5678"),
        ("nested.tokens.first", "***"),
    ]
