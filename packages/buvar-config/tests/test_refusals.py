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


@pytest.mark.parametrize(
    ("validator", "text"),
    [
        (endless, "refuses it: expected less deep nesting"),
        (noted, "refuses it: no (code)"),
    ],
)
def test_validator_fails(validator, text) -> None:
    """Whatever a validator raises is an error of the class."""
    cls = attrs.make_class("Has", {"x": attrs.field(validator=validator)})

    assert text in str(fail(config.ConfigSource({"x": 1}), cls))


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
