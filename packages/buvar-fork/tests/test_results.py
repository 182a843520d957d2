"""What workers return reaches the parent as data, or is refused."""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import math
import pathlib
import threading
import uuid

import pytest

from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from buvar import fork
from buvar.fork._ipc import LIMITS
from buvar.fork._ipc import Kind
from buvar.fork._ipc import MessageError
from buvar.fork._results import Refused
from buvar.fork._results import pack
from buvar.fork._results import unpack


def test_results() -> None:
    """Results of all workers are returned, worker by worker."""

    async def tasks():
        return [1, ("a", {2: b"b"}), "x" * 1_000_000]

    async def nothing():
        return None

    async def prepare():
        yield tasks()
        yield nothing()

    one, two, three, four = fork.stage(prepare, forks=2)

    assert one == three == [1, ("a", {2: b"b"}), "x" * 1_000_000]
    assert two is four is None


@pytest.mark.parametrize(
    "value",
    [
        2**100,
        -(2**64),
        math.inf,
        complex(1, -2),
        "\ud800",
        b"\0\xff",
        {(1, 2): {3}, "a": frozenset({4}), None: []},
        dt.datetime(2026, 1, 2, 3, 4, 5, 6, dt.UTC),
        dt.date(2026, 1, 2),
        dt.time(3, 4),
        dt.timedelta(days=-3, microseconds=7),
        decimal.Decimal("1.10"),
        uuid.UUID(int=7),
        pathlib.Path("/a/b"),
    ],
    ids=repr,
)
def test_plain_data(value: object) -> None:
    """Plain data comes out equal and of the same type."""
    _, (copy,) = unpack(pack([value], signalled=False))

    assert copy == value
    assert type(copy) is type(value)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.text() | st.integers(), inner)
            | st.tuples(inner, inner)
        ),
        max_leaves=20,
    )
)
def test_any_data(value: object) -> None:
    """Whatever is made of plain data comes out as it was."""
    assert unpack(pack([value], signalled=True)) == (True, [value])


class _PickyError(Exception):
    """Could be written by pickle, but not read."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(one)

    def __str__(self) -> str:
        return "picky"


def test_exceptions() -> None:
    """Failures asked for as results are the same ones, or what they say."""

    async def own():
        raise _PickyError(1, 2)

    async def builtin():
        error = FileNotFoundError(2, "none", "x")
        error.add_note("a note")
        raise error

    async def prepare():
        yield own()
        yield builtin()

    own_error, error, *_ = fork.stage(prepare, forks=2, return_exceptions=True)

    assert isinstance(own_error, fork.TaskFailedError)
    assert own_error.type_name.endswith("._PickyError")
    assert str(own_error).endswith("_PickyError: picky")
    assert type(error) is FileNotFoundError
    assert error.args == (2, "none")
    assert error.__notes__[0] == "a note"


def test_exceptions_of_groups() -> None:
    """Groups and cancelled tasks come out as what they are."""

    class MuteError(Exception):
        def __str__(self) -> str:
            raise ValueError

    group = BaseExceptionGroup("g", [asyncio.CancelledError(), MuteError()])

    _, (copy,) = unpack(pack([group], signalled=False))

    assert type(copy) is BaseExceptionGroup
    cancelled, mute = copy.exceptions
    assert type(cancelled) is asyncio.CancelledError
    assert mute.text == "<its text raised ValueError>"


def test_exceptions_with_odd_arguments() -> None:
    """An exception whose arguments are no data is told by its text."""
    error = ValueError(threading.Lock())

    _, (copy,) = unpack(pack([error], signalled=False))

    assert isinstance(copy, fork.TaskFailedError)
    assert copy.type_name == "builtins.ValueError"


def test_what_is_no_data(capsys) -> None:
    """A result that cannot be handed over ends the stage with the cure."""

    async def lock():
        return {"lock": threading.Lock()}

    async def fine():
        return 1

    async def prepare():
        yield fine()
        yield lock()

    with pytest.raises(fork.ResultError) as caught:
        fork.stage(prepare, forks=2)

    assert caught.value.code == 1
    assert caught.value.number == 2
    assert caught.value.results == [1, 1]
    text = capsys.readouterr().err
    assert "an object of _thread.lock" in text
    assert text.endswith("or return nothing.\n")


def test_what_contains_itself() -> None:
    """A list in itself is refused as a mistake."""
    loop: list[object] = []
    loop.append(loop)

    _, (refused,) = unpack(pack([loop], signalled=False))

    assert isinstance(refused, Refused)
    assert "contains itself" in refused.reason


def test_what_is_too_large() -> None:
    """The largest results are refused, the others arrive."""
    large = "x" * LIMITS[Kind.RESULTS]
    data = pack([1, large, b"small"], signalled=False)

    _, (one, refused, small) = unpack(data)

    assert len(data) <= LIMITS[Kind.RESULTS]
    assert (one, small) == (1, b"small")
    assert isinstance(refused, Refused)
    assert refused.number == 2
    assert str(LIMITS[Kind.RESULTS]) in refused.reason


def test_too_many_refused() -> None:
    """Even what is said of refused results has its limit."""
    results = [object()] * 100_000

    data = pack(results, signalled=False)

    assert len(data) <= LIMITS[Kind.RESULTS]
    _, (refused,) = unpack(data)
    assert "there are 100000 of them" in refused.reason


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"rubbish",
        b"[true]",
        b"[1, []]",
        b"[true, {}]",
        b'[true, [{"bytes": 1}]]',
        b'[true, [{"bytes": "?"}]]',
        b'[true, [{"set": [[]]}]]',
        b'[true, [{"int": "zz"}]]',
        b'[true, [{"decimal": "x"}]]',
        b'[true, [{"timedelta": "x"}]]',
        b'[true, [{"a": 1, "b": 2}]]',
        b'[true, [{"dict": [[1]]}]]',
        b'[true, [{"dict": 1}]]',
        b'[true, [{"class": ["os.system", [], []]}]]',
        b'[true, [{"exception": ["eval", ["1"], []]}]]',
        b'[true, [{"exception": ["UnicodeError", [1], 1]}]]',
        b'[true, [{"group": ["g", [1], []]}]]',
        b"[true, [" + b"[" * 100_000,
        b"\x80\x04cposix\nsystem\n.",
    ],
)
def test_nonsense(data: bytes) -> None:
    """What is no result is an error, and runs nothing."""
    with pytest.raises(MessageError):
        unpack(data)
