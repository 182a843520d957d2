"""``deploy`` writes what runs a service elsewhere."""

from __future__ import annotations

import re
import typing as t

from pathlib import Path

import pytest


Buvar: t.TypeAlias = t.Callable[..., str]

SHOP = """\
import attrs
from buvar import config, plugin

@attrs.define(kw_only=True)
class Shop(config.Config, section="shop"):
    token: config.Secret[str]
    hint: config.Secret[str] | None = None

async def prepare(load: plugin.Loader):
    await load("buvar_aiohttp", "buvar_aiohttp.health")
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    tmp_path.joinpath("shop.py").write_text(SHOP)
    tmp_path.joinpath("shop.toml").write_text(
        '[aiohttp]\nhost = "127.0.0.1"\nport = 8090\nkeepalive_timeout = 20\n'
        "shutdown_timeout = 10\n[fork]\ngraceful_timeout = 20\n"
        "boot_timeout = 90\nworker_timeout = 45\n"
    )
    return tmp_path


def test_kubernetes(buvar: Buvar, shop: Path) -> None:
    """The grace period and the probes follow from the time-outs."""
    del shop
    text = buvar("deploy", "k8s", "shop", "-c", "shop.toml", "--forks", "2")

    assert "terminationGracePeriodSeconds: 30\n" in text
    startup = re.search(r"startupProbe:(?s:.*?)Threshold: (\d+)", text)
    live = re.search(r"livenessProbe:(?s:.*?)Threshold: (\d+)", text)
    assert startup
    assert live
    assert int(startup[1]) * 2 == 90
    assert int(live[1]) * 10 >= 45
    assert "containerPort: 8090" in text
    assert '"--bind", "tcp://:8090"' in text
    assert "--from-literal=shop_token=..." in text
    assert '"shop.toml": |' in text
    assert "#+" not in text
    assert "{{" not in text


def test_management(buvar: Buvar, shop: Path) -> None:
    """Probes ask the listener that health is served on."""
    del shop
    management = "--set", "aiohttp.management=tcp://127.0.0.1:9090"
    text = buvar("deploy", "k8s", "shop", *management)

    assert "path: /health/ready, port: 9090}" in text
    assert '"aiohttp.management=tcp://:9090"' in text
    assert "containerPort: 9090" in text


def test_without_http(buvar: Buvar) -> None:
    """What serves nothing has no port and no probes, and needs no proxy."""
    text = buvar("deploy", "k8s", "app")

    assert "Service" not in text
    assert "robe" not in text
    assert "Name it with --bind" in buvar("deploy", "nginx", "app", code=2)


def test_docker(buvar: Buvar, shop: Path) -> None:
    """The image listens on all addresses, and is waited for."""
    del shop
    delay = "--set", "aiohttp.drain_delay=4"
    text = buvar("deploy", "docker", "shop", "-c", "shop.toml", *delay)

    assert text.startswith("# docker run --stop-timeout 29 ")
    assert "COPY shop.toml /etc/shop/\n" in text
    assert '"/etc/shop/shop.toml"' in text
    assert '"aiohttp.host=0.0.0.0"' in text
    assert "EXPOSE 8090" in text


def test_systemd(buvar: Buvar, shop: Path) -> None:
    """A unit has the secrets as credentials, and what is special is quoted."""
    del shop
    words = "--set", "log.level=INFO", "--set", "fork.title=50% $x"
    text = buvar("deploy", "systemd", "shop", "-c", "shop.toml", *words)

    assert "'fork.title=50%% $$x'" in text
    assert "--secrets %d " in text
    lines = text.splitlines()
    assert "LoadCredential=shop_token:/etc/shop/secrets/shop_token" in lines
    assert "#LoadCredential=shop_hint:/etc/shop/secrets/shop_hint" in lines
    assert "TimeoutStopSec=25" in lines
    # One process has no supervisor.
    assert "WatchdogSec" not in text


@pytest.mark.parametrize(
    ("bind", "server"),
    [
        ("tcp://:8091", "server 127.0.0.1:8091;"),
        ("unix:///run/shop/shop.sock", "server unix:/run/shop/shop.sock;"),
    ],
)
def test_nginx(buvar: Buvar, shop: Path, bind: str, server: str) -> None:
    """A proxy closes idle connections before the service does."""
    del shop
    words = "-c", "shop.toml", "--bind", bind
    text = buvar("deploy", "nginx", "shop", *words)

    assert server in text
    assert "keepalive_timeout 16s;" in text


def test_refusals(buvar: Buvar, shop: Path) -> None:
    """A secret is never copied, and a name has to do everywhere."""
    shop.joinpath("secret.toml").write_text('[shop]\ntoken = "s3cret"\n')
    said = buvar("deploy", "k8s", "shop", "-c", "secret.toml", code=2)
    assert "shop.token is a secret" in said
    assert "secret.toml:2" in said
    assert "s3cret" not in said
    given = "--set", "shop.hint=s3cret"
    said = buvar("deploy", "systemd", "shop", *given, code=2)
    assert "shop.hint is a secret" in said
    assert "s3cret" not in said

    said = buvar("deploy", "k8s", "shop", "--name", "Shop!", code=2)
    assert "'Shop!' is not a valid name for a service." in said

    shop.joinpath("conf.d").mkdir()
    said = buvar("deploy", "k8s", "shop", "-c", "conf.d", code=2)
    assert "one by one" in said
