"""What converters, validators and classes refuse."""

from __future__ import annotations

import attrs
import pytest

from buvar import config


def fail(source: config.ConfigSource, cls: type) -> config.ConfigError:
    with pytest.raises(config.ConfigError) as caught:
        source.load(cls)
    return caught.value


def test_validators_run() -> None:
    """Validators of attrs run, and their errors name the field."""

    @attrs.define
    class Limits:
        low: int = config.var(0, validator=attrs.validators.ge(0))
        kind: str = config.var("a", validator=attrs.validators.in_("ab"))

    error = fail(config.ConfigSource({"low": -1}), Limits)
    assert "must be >= 0" in str(error)
    error = fail(config.ConfigSource({"kind": "c"}), Limits)
    assert error.errors[0].path == "kind"
    assert error.errors[0].value == "'c'"


def test_class_refuses() -> None:
    """What a class says of its values together is an error of the class."""

    @attrs.define
    class Range:
        low: int
        high: int

        def __attrs_post_init__(self) -> None:
            if self.low > self.high:
                raise ValueError("low is above high")

    @attrs.define
    class Has:
        range: Range

    error = fail(config.ConfigSource({"range": {"low": 2, "high": 1}}), Has)

    assert str(error.errors[0]) == (
        "range: Range refuses it: low is above high (code)"
    )


def test_class_with_secrets_refuses() -> None:
    """The words of a class that holds secrets are not repeated."""

    @attrs.define
    class Login:
        word: config.Secret[str]

        def __attrs_post_init__(self) -> None:
            raise ValueError(self.word.reveal())

    error = fail(config.ConfigSource({"word": "geheim"}), Login)

    assert "Login refuses it" in str(error)
    assert "geheim" not in f"{error}{error!r}{error.errors}"


def endless(instance: object, field: object, value: object) -> object:
    # Without "*args": Python 3.15 sets no limit to such calls.
    return endless(instance, field, value)


def noted(*_: object) -> None:
    error = ValueError("no", "never")
    error.add_note("a note of the application")
    raise error


def missing_file(*_: object) -> None:
    raise FileNotFoundError(2, "No such file", "/key.pem")


def several(*_: object) -> None:
    raise ExceptionGroup("two", [ValueError("odd"), TypeError("small")])


class UnwritableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def unwritable(*_: object) -> None:
    raise UnwritableError


def unsaid(*_: object) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("validator", "text"),
    [
        (endless, "x: expected less deep nesting"),
        (noted, "x: no, not 1 (code)"),
        (missing_file, "x: [Errno 2] No such file: '/key.pem', not 1"),
        (several, "x: odd; small, not 1"),
        (unwritable, "x: UnwritableError, not 1"),
        (unsaid, "x: ZeroDivisionError, not 1"),
    ],
)
def test_validator_fails(validator, text) -> None:
    """Whatever a validator raises is an error of its field."""
    cls = attrs.make_class("Has", {"x": attrs.field(validator=validator)})

    assert text in str(fail(config.ConfigSource({"x": 1}), cls))


def test_converter_that_says_nothing() -> None:
    """What a converter raises without a text is named by its class."""
    cls = attrs.make_class("Has", {"x": attrs.field(converter=unsaid)})

    text = str(fail(config.ConfigSource({"x": 1}), cls))

    assert "expected what unsaid takes, not 1 (code)\n      Zero" in text


def test_validator_quotes_a_secret() -> None:
    """A validator that names the field does not tell its value."""

    @attrs.define
    class Login:
        word: str = config.var(
            secret=True, validator=attrs.validators.in_(["a"])
        )

    error = fail(config.ConfigSource({"word": "geheim"}), Login)

    assert error.errors[0].path == "word"
    assert "geheim" not in f"{error}{error!r}{error.errors}"


class SettingError(ValueError):
    """An error that says where it is, as that of buvar-log does."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path}: nobody knows that word")
        self.path = path
        self.problem = "nobody knows that word."
        self.cure = "Use it another way."


@attrs.define
class Settings:
    level: str = ""
    levels: dict[str, str] = attrs.field(factory=dict)
    pin: str = config.var("", secret=True)
    bad: str = ""

    def __attrs_post_init__(self) -> None:
        if self.bad:
            raise SettingError(self.bad)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("level", "level: nobody knows that word ({file}:1)\n      Use it"),
        ("levels.a", "levels.a: nobody knows that word ({file}:3)"),
        ("levels.b.c", "levels.b.c: nobody knows that word ({file}:3)"),
        ("pin", "Settings refuses it"),
        ("other", "Settings refuses it"),
    ],
)
def test_error_with_a_path(path, text, tmp_path) -> None:
    """What an error says of its place is used, if it is of the class."""
    file = tmp_path / "a.toml"
    file.write_text(f'level = "x"\nbad = "{path}"\nlevels = {{a = "x"}}\n')

    error = fail(config.ConfigSource.read(file), Settings)

    assert text.format(file=file) in str(error)


def test_a_validator_that_names_the_value() -> None:
    """The value is told once."""

    def check(_: object, __: object, value: int) -> None:
        msg = f"has to be below 4, not {value}"
        raise ValueError(msg)

    cls = attrs.make_class(
        "Has", {"length": config.var(6, type=int, validator=check)}
    )

    text = str(fail(config.ConfigSource(overrides=["length=7"]), cls))
    assert text.count("not ") == 1


@pytest.mark.parametrize("hidden", [True, False])
@pytest.mark.parametrize("own", [True, False])
def test_field_of_a_validator(own, hidden, monkeypatch) -> None:
    """The field, the origin and the reason are told, beside secrets too."""

    def check(instance: object, attribute: object, value: int) -> None:
        del instance, attribute
        if value < 4:
            raise ValueError("must be at least 4")

    validator = check if own else attrs.validators.ge(4)
    secret = {"word": config.var(type=config.Secret[str])} if hidden else {}
    cls = attrs.make_class(
        "Has",
        {**secret, "length": config.var(6, type=int, validator=validator)},
    )
    data = {"word": "hunter2"} if hidden else {}

    source = config.ConfigSource(data, overrides=["length=2"])
    text = str(fail(source, cls))
    assert "  - length: " in text
    assert "4" in text
    assert "(--set length)" in text
    assert "hunter2" not in text
    monkeypatch.setenv("VA_LENGTH", "3")
    source = config.ConfigSource(data, env_prefix="VA")
    assert "($VA_LENGTH)" in str(fail(source, cls))


def test_reason_without_secrets() -> None:
    """What a class says is kept, its secrets are masked in every form."""

    @attrs.define
    class Login:
        user: str
        word: config.Secret[str]
        token: str = "t0ken"  # noqa: S105 - it is to be masked

        def __attrs_post_init__(self) -> None:
            word = self.word.reveal()
            raise ValueError(
                f"no {self.user} with {word!r}, {word.upper()}, {self.token}"
            )

    data = {"user": "me", "word": "hunter2"}
    text = str(fail(config.ConfigSource(data), Login))

    assert "Login refuses it: no me with '***', ***, ***" in text
