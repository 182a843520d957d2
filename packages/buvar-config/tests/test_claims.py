"""A variable sets one value: what two fields claim is an error."""

from __future__ import annotations

import attrs
import pytest

from buvar import config


@attrs.define
class Tls:
    port: int = 443


def test_between_sections() -> None:
    """Fields of two sections cannot claim one variable; both are named."""

    @attrs.define
    class Claims(config.Config, section="claims"):
        tls_port: int = 1

    @attrs.define
    class Tables(config.Config, section="claims.tls"):
        port: int = 2

    source = config.ConfigSource(env_prefix="APP")

    for cls in (Tables, Claims):
        with pytest.raises(config.ConfigError) as caught:
            source.load(cls)
        text = str(caught.value)
        assert "APP_CLAIMS_TLS_PORT" in text
        assert "claims.tls_port" in text
        assert "claims.tls.port" in text
        # The file of the variable is not a mistake of its own.
        assert len(caught.value.errors) == 1
    assert config.ConfigSource().load(Tables).port == 2


def test_same_value_twice() -> None:
    """A section within that of another class is one value, not two."""

    @attrs.define
    class Outer(config.Config, section="outer"):
        tls: Tls = attrs.field(factory=Tls)

    @attrs.define
    class Inner(config.Config, section="outer.tls"):
        port: int = 0

    source = config.ConfigSource(
        {"outer": {"tls": {"port": 5}}}, env_prefix="APP"
    )

    assert source.load(Outer).tls.port == source.load(Inner).port == 5


def test_classes_that_cannot_be_loaded() -> None:
    """A section that is wrong itself is no matter of the others."""

    @attrs.define
    class Lost(config.Config, section="claims.lost"):
        a: Nowhere  # noqa: F821

    @attrs.define
    class Right(config.Config, section="claims.right"):
        a: int = 1

    assert config.ConfigSource(env_prefix="A").load(Right).a == 1
    with pytest.raises(config.ConfigError, match="Nowhere"):
        config.ConfigSource(env_prefix="A").load(Lost)


def test_field_named_like_a_file() -> None:
    """``x_file`` beside ``x`` has the variable that names a file of ``x``."""

    @attrs.define
    class Process:
        pid: str = ""
        pid_file: str = ""

    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource(env_prefix="APP").load(Process)

    assert "APP_PID_FILE is claimed by pid_file and the file of pid" in str(
        caught.value
    )
    assert config.ConfigSource({"pid": "1"}).load(Process).pid == "1"


def test_files_of_two_classes() -> None:
    """What one class reads from a file is no value of another class."""

    @attrs.define
    class First:
        pid: str = ""

    @attrs.define
    class Second:
        pid_file: str = ""

    for classes in ((First, Second), (Second, First)):
        source = config.ConfigSource(env_prefix="APP")
        source.load(classes[0])
        with pytest.raises(config.ConfigError) as caught:
            source.load(classes[1])
        (problem,) = caught.value.errors
        assert problem.expected == (
            "the variable APP_PID_FILE is claimed by pid_file and the file "
            "of pid"
        )


def test_two_classes_of_a_source() -> None:
    """Classes that have no section of their own claim names as well."""

    @attrs.define
    class First:
        tls_port: int = 1

    source = config.ConfigSource(env_prefix="APP")
    source.load(First, "web")

    with pytest.raises(config.ConfigError) as caught:
        source.load(Tls, "web.tls")

    assert "APP_WEB_TLS_PORT is claimed by web.tls.port and web.tls_port" in (
        str(caught.value)
    )
    assert source.load(First, "web") == First()


def test_table_with_a_file(monkeypatch) -> None:
    """A table that has a key ``file`` does not come from a file itself."""

    @attrs.define
    class Log:
        file: str = ""

    @attrs.define
    class App:
        log: Log = attrs.field(factory=Log)

    monkeypatch.setenv("APP_LOG_FILE", "a.log")

    assert config.ConfigSource(env_prefix="APP").load(App).log.file == "a.log"


def test_two_fields_with_one_key() -> None:
    """Two fields that have one key are an error that names both."""

    @attrs.define
    class Twice:
        _x: int = 1
        y: int = config.var(2, name="x")

    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource({"x": 1}).load(Twice)

    text = str(caught.value)
    assert "the key 'x' is claimed by the fields _x and y of" in text
    assert "config.var(name=...)" in text


def test_all_that_two_classes_claim() -> None:
    """Each variable that two classes claim is told, once."""

    @attrs.define
    class First:
        tls_pin: str = ""
        tls_port: int = 1

    @attrs.define
    class Second:
        pin: str = ""
        port: int = 1

    source = config.ConfigSource(env_prefix="APP")
    source.load(First, "web")
    with pytest.raises(config.ConfigError) as caught:
        source.load(Second, "web.tls")

    assert [problem.path for problem in caught.value.errors] == [
        "web.tls_pin",
        "web.tls_port",
    ]
