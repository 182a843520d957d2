"""The guide to redis, beside a real server."""

from __future__ import annotations

import json
import signal
import typing as t

from pathlib import Path

import pytest


pytest.importorskip("redis")


def test_visits(
    *,
    page: t.Callable[[str], Path],
    redis: t.Callable[[int], t.Any],
    buvar: t.Callable[..., t.Any],
    http: t.Callable[..., tuple[int, str]],
    free_port: t.Callable[[], int],
    eventually: t.Callable[[t.Callable[[], object]], None],
) -> None:
    """Workers share the count, and go on when the server is back."""
    page("redis.md")
    server, port, served = redis(database := free_port()), free_port(), 20
    service = buvar(
        *("visits", "--env-prefix", "APP", "--forks", "2"),
        *("--bind", f"tcp://127.0.0.1:{port}"),
        env={"APP_REDIS_URL": f"redis://127.0.0.1:{database}/0"},
    )
    service.until("workers are ready")

    answers = [json.loads(http(port, "/home")[1]) for _ in range(served)]
    assert [answer["visits"] for answer in answers] == [*range(1, served + 1)]

    server.stop(signal.SIGKILL)
    assert http(port, "/home")[0] == 500
    redis(database)
    # The answer says how many were counted before the server was killed.
    eventually(lambda: http(port, "/home")[0] == 200)

    assert service.stop() == 0


def test_no_server(
    page: t.Callable[[str], Path],
    buvar: t.Callable[..., t.Any],
    free_port: t.Callable[[], int],
) -> None:
    """Without a server the service does not start, and keeps the secret."""
    page("redis.md")

    service = buvar(
        *("visits", "--env-prefix", "APP"),
        env={"APP_REDIS_URL": f"redis://:s3cret@127.0.0.1:{free_port()}/0"},
    )

    assert service.popen.wait(30) == 1
    assert "ConnectionError" in service.output
    assert "s3cret" not in service.output


def test_channel(
    page: t.Callable[[str], Path],
    redis: t.Callable[[int], t.Any],
    buvar: t.Callable[..., t.Any],
    free_port: t.Callable[[], int],
    eventually: t.Callable[[t.Callable[[], object]], None],
) -> None:
    """A subscription is a task, and ends with the stage."""
    import redis as client

    folder = page("redis.md")
    listen = (
        (Path(__file__).parents[2] / "docs/how-to/redis.md")
        .read_text("utf-8")
        .split("```py\n")[2]
        .partition("```")[0]
    )
    # Its client is that of the program above.
    program = listen.replace(
        "    yield", "    di.register(open_redis, scope='stage')\n    yield"
    )
    folder.joinpath("listening.py").write_text(
        f"from visits import open_redis\n{program}", "utf-8"
    )
    redis(port := free_port())
    service = buvar(
        *("listening", "--env-prefix", "APP"),
        env={"APP_REDIS_URL": f"redis://127.0.0.1:{port}/0"},
    )

    with client.Redis(port=port) as publisher:
        eventually(lambda: publisher.publish("news", "it rains"))
    service.until("news: it rains")

    assert service.stop() == 0
