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


def test_field_named_like_a_file(monkeypatch, tmp_path) -> None:
    """A field ``x_file`` has its variable, which then names no file."""

    @attrs.define
    class Cert:
        cert: str = ""
        cert_file: str = ""

    monkeypatch.setenv("APP_CERT_FILE", "/not/read")

    assert config.ConfigSource(env_prefix="APP").load(Cert) == Cert(
        "", "/not/read"
    )


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
