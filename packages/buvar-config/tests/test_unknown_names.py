"""Variables, secret files and sections that nothing reads."""

from __future__ import annotations

import attrs
import pytest

from buvar import config


@attrs.define
class Telegram:
    bot_token: str = ""


@attrs.define
class App:
    telegram: Telegram = attrs.field(factory=Telegram)
    name: str = ""


@attrs.define
class Web:
    port: int = 80


def fails(source: config.ConfigSource, cls: type, section: str = "") -> str:
    with pytest.raises(config.ConfigError) as caught:
        source.load(cls, section)
    return str(caught.value)


def test_below_a_table_of_the_class(monkeypatch, caplog) -> None:
    """A variable below a table of a class is one of its keys, or wrong."""
    monkeypatch.setenv("UN_TELEGRAM_BOT_TOKEM", "hunter2")
    monkeypatch.setenv("UN_TELEGRAM_TIMEOUT", "5")

    text = fails(config.ConfigSource(env_prefix="UN"), App)

    assert "telegram: unknown variable" in text
    assert "$UN_TELEGRAM_BOT_TOKEM" in text
    assert "Did you mean UN_TELEGRAM_BOT_TOKEN?" in text
    assert "$UN_TELEGRAM_TIMEOUT" in text
    assert "hunter2" not in text
    for mode in ("warn", "ignore"):
        caplog.clear()
        source = config.ConfigSource(env_prefix="UN", unknown=mode)
        assert source.load(App) == App()
        assert len(caplog.records) == (2 if mode == "warn" else 0)


def test_nearly_right(monkeypatch, tmp_path) -> None:
    """What is nearly the name of a field is refused at once."""
    monkeypatch.setenv("UN_WEB_PROT", "5")
    assert "UN_WEB_PORT?" in fails(
        config.ConfigSource(env_prefix="UN"), Web, "web"
    )
    tmp_path.joinpath("web_prt").write_text("5")
    assert "Did you mean web_port?" in fails(
        config.ConfigSource(secrets=tmp_path), Web, "web"
    )


def test_sections_that_are_loaded_later(monkeypatch) -> None:
    """What another class may read is judged when the whole is known."""
    monkeypatch.setenv("UN_WEB_ADMIN_PORT", "5")
    monkeypatch.setenv("UN_WEB_METRICS", "5")
    source = config.ConfigSource(env_prefix="UN")

    assert source.load(Web, "web").port == 80
    with pytest.raises(config.ConfigError, match="UN_WEB_ADMIN_PORT"):
        source.check_unknown()
    assert source.load(Web, "web_admin").port == 5
    source.reserve("web.metrics")
    source.check_unknown()


def test_sections() -> None:
    """A section that no class has, nothing reserves, and none is above."""
    source = config.ConfigSource(
        {"storge": {"a": 1}, "web": {"port": 1}, "a": {"b": {}, "c": {}}}
    )
    source.load(Web, "web")
    source.load(Web, "a.b")

    with pytest.raises(config.ConfigError) as caught:
        source.check_unknown()
    assert [one.path for one in caught.value.errors] == ["storge", "a.c"]

    source.reserve("storge", "a.c")
    source.check_unknown()


def test_variables_of_services(monkeypatch) -> None:
    """What Kubernetes sets for a service of that name is nobody's typo."""
    for name in ("SERVICE_HOST", "SERVICE_PORT_HTTP", "PORT_80_TCP_ADDR"):
        monkeypatch.setenv(f"UN_{name}", "1")
    monkeypatch.setenv("UN_PORT", "tcp://10.0.0.1:80")

    config.ConfigSource(env_prefix="UN").check_unknown()

    monkeypatch.setenv("UN_PORT", "80")
    with pytest.raises(config.ConfigError, match="UN_PORT"):
        config.ConfigSource(env_prefix="UN").check_unknown()


def test_a_missing_value_names_its_variable() -> None:
    """The variable of a missing value is named, or that there is none."""

    @attrs.define
    class Needed:
        host: str

    source = config.ConfigSource(env_prefix="UN")
    assert "The variable UN_A_B_HOST sets it." in fails(source, Needed, "a.b")
    assert "The variable HOST sets it." in fails(
        config.ConfigSource(env_prefix=""), Needed
    )
    assert "no env_prefix is given" in fails(config.ConfigSource(), Needed)


def test_without_a_prefix(monkeypatch) -> None:
    """An empty prefix reads names without one, no prefix reads nothing."""
    monkeypatch.setenv("WEB_PORT", "5")

    assert config.ConfigSource(env_prefix="").load(Web, "web").port == 5
    assert config.ConfigSource().load(Web, "web").port == 80


@attrs.define
class Backend:
    dsn: str = ""
    weight: int = 1


@attrs.define
class Tables:
    backends: dict[str, Backend] = attrs.field(factory=dict)
    labels: dict[str, int] | None = None


def test_tables_with_keys_of_their_own(monkeypatch, tmp_path) -> None:
    """Variables and files set values below keys, old ones and new ones."""
    monkeypatch.setenv("UN_BACKENDS_MY_KEY_DSN", "variable")
    monkeypatch.setenv("UN_BACKENDS_NEW_WEIGHT", "3")
    monkeypatch.setenv("UN_BACKENDS_TOO", '{"x": 1}')
    monkeypatch.setenv("UN_LABELS", '{"a": 1, "b": 1}')
    monkeypatch.setenv("UN_LABELS_A", "2")
    tmp_path.joinpath("file").write_text("4\n")
    monkeypatch.setenv("UN_LABELS_C_FILE", str(tmp_path / "file"))
    data = {"backends": {"my-key": {"weight": 5}}}

    text = fails(config.ConfigSource(data, env_prefix="UN"), Tables)
    assert "backends: unknown variable, it sets nothing" in text
    assert "$UN_BACKENDS_TOO" in text

    monkeypatch.delenv("UN_BACKENDS_TOO")
    found = config.ConfigSource(data, env_prefix="UN").load(Tables)
    assert found == Tables(
        {"my-key": Backend("variable", 5), "new": Backend("", 3)},
        {"a": 2, "b": 1, "c": 4},
    )
    source = config.ConfigSource(
        data, env_prefix="UN", overrides=["backends.my-key.dsn=set"]
    )
    assert source.load(Tables).backends["my-key"].dsn == "set"


def test_two_keys_of_one_name(monkeypatch) -> None:
    """A variable that is that of two keys is an error that names both."""
    monkeypatch.setenv("UN_LABELS_A_B", "2")
    data = {"labels": {"a-b": 1, "a_b": 1}}

    text = fails(config.ConfigSource(data, env_prefix="UN"), Tables)

    assert "UN_LABELS_A_B is claimed by labels.a-b and labels.a_b" in text
