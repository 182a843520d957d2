"""Options do what they say, or are refused before anything is done."""

from __future__ import annotations

import math

import pytest

from buvar import context
from buvar import fork
from buvar.fork._options import Options
from buvar.fork._worker import Worker


#: What no number of seconds is, and what no count is.
BAD = (-1, -math.inf, math.nan, "60", True)
NO_COUNTS = (-1, 1.5, math.inf, math.nan, "2", True)
#: What bounds something else may be infinite.
BOUNDS = ("worker_timeout",)
BOUND = "a number of seconds more than 0, or inf"
TIMES = ("graceful_timeout", "backoff_limit", "stable_after")
TIME = "a finite number of seconds, 0 or more"
WAIT = "a finite number of seconds more than 0"
COUNTS = ("forks", "max_failures")
NATURAL = "a whole number, 0 or more"


async def _task():
    return sorted(context.find(fork.Socket))


async def _prepare():
    return _task()


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        *((name, value, BOUND) for name in BOUNDS for value in (*BAD, 0)),
        *((name, value, TIME) for name in TIMES for value in (*BAD, math.inf)),
        *(("backoff", value, WAIT) for value in (*BAD, 0, math.inf)),
        *((name, value, NATURAL) for name in COUNTS for value in NO_COUNTS),
        *(
            (name, value, "a whole number more than 0, or None")
            for name in ("max_memory", "max_requests")
            for value in (*NO_COUNTS, 0)
        ),
        ("worker_timeout", None, BOUND),
        ("graceful_timeout", None, TIME),
        ("boot_timeout", -1.5, f"{BOUND}, or None"),
        ("max_requests_jitter", -1, f"{NATURAL}, or None"),
        ("max_requests_jitter", 1, "less than max_requests, which is None"),
    ],
)
def test_refused(tmp_path, capsys, option, value, reason) -> None:
    """What makes no sense is one line, exit code 2, and nothing is left."""
    options = {"forks": 2, option: value}

    with pytest.raises(fork.OptionError) as caught:
        fork.stage(_prepare, sockets=[f"unix://{tmp_path}/x"], **options)

    line = f"{option}={value!r} makes no sense; it is {reason}.\n"
    assert capsys.readouterr().err == line
    assert caught.value.code == 2
    assert caught.value.option == option
    assert list(tmp_path.iterdir()) == []


def test_no_bounds() -> None:
    """Bounds that are not wanted can be left out."""
    results = fork.stage(
        _prepare,
        forks=2,
        worker_timeout=math.inf,
        boot_timeout=math.inf,
        max_failures=0,
    )

    assert results == [[], []]


def test_one_uri() -> None:
    """A single URI need not be put into a list."""
    uri = "tcp://127.0.0.1:0"

    assert fork.stage(_prepare, forks=1, sockets=uri) == [[uri]]


def test_backoff() -> None:
    """The wait doubles up to its limit, however often a worker crashes."""
    options = Options(backoff=0.1, backoff_limit=1.0)

    waits = [options.delay(streak) for streak in (1, 2, 3, 4, 5, 5000)]

    assert waits == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage(start, enabled: bool) -> None:
    """Workers and parent collect garbage, unless the caller does not."""
    program = start(
        f"""
import gc
from buvar import fork
if not {enabled}: gc.disable()
async def task(): return gc.isenabled()
async def prepare(): yield task()
print(fork.stage(prepare, forks=2), gc.isenabled(), gc.get_freeze_count())
"""
    )

    assert program.wait() == 0
    assert program.output == f"[{enabled}, {enabled}] {enabled} 0\n"


def test_jitter() -> None:
    """Workers are replaced by at most so many requests sooner."""
    drawn = {
        Worker(max_requests=10, jitter=3).max_requests for _ in range(500)
    }

    assert drawn == {7, 8, 9, 10}
    assert Worker(max_requests=10, jitter=0).max_requests == 10
    assert {Worker(max_requests=10).max_requests for _ in range(99)} == {9, 10}
