"""Whatever is logged becomes valid JSON, with or without orjson."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import logging
import sys
import types
import uuid

import pytest

from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from buvar import log


class Colour(enum.Enum):
    RED = "red"


class Text(str):
    __slots__ = ()


class Bad:
    def __repr__(self):
        raise ValueError("no repr")

    __str__ = __repr__


@pytest.fixture(params=[True, False], ids=["orjson", "json"])
def render(request):
    """Return a function that renders fields as JSON and reads them back."""
    if request.param:
        pytest.importorskip("orjson")
    formatter = log.JsonFormatter(orjson=request.param)
    return lambda **fields: event_of(formatter, fields)


def event_of(formatter, fields):
    record = logging.LogRecord("x", 20, "", 0, "a", (), None)
    record.__dict__.update(fields)
    line = formatter.render(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    event = json.loads(line, parse_constant=pytest.fail)
    assert "log_error" not in event
    return event


def test_json_values_stay(render):
    """What JSON knows is written as it is."""
    value = {"a": [1, 2.5, None, True, "ü", {"b": []}]}
    assert render(value=value)["value"] == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({1}, "{1}"),
        (b"bytes", "b'bytes'"),
        (1j, "1j"),
        (Colour.RED, "red"),
        (Text("text"), "text"),
        ((1, 2), [1, 2]),
        (float("nan"), None),
        (float("inf"), None),
        (2**70, 2**70),
        (1 << 20_000, hex(1 << 20_000)),
        ("\ud800", "\\ud800"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (
            dt.datetime.fromisoformat("2026-01-02T03:04:00"),
            "2026-01-02T03:04:00",
        ),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (int, "<class 'int'>"),
    ],
    ids=[str(number) for number in range(16)],
)
def test_other_values_have_one_form(render, value, expected):
    """Other values are written the same way alone, nested and as neighbour."""
    event = render(value=value, nested={"list": [value]}, odd="\ud800")
    assert event["value"] == expected
    assert event["nested"] == {"list": [expected]}
    assert render(value=value)["value"] == expected


def test_keys_of_any_type_are_written(render):
    """Keys become text, and none gets lost to another."""
    value = {
        1: "int",
        "1": "str",
        None: "none",
        (1, 2): "tuple",
        b"x": "bytes",
        Colour.RED: "enum",
        Text("t"): "text",
        1.5: "float",
        frozenset({3}): "set",
        "\ud800": "surrogate",
    }
    value[False] = "false"
    assert render(value=value)["value"] == {
        "1": "int",
        "1 (str)": "str",
        "null": "none",
        "false": "false",
        "(1, 2)": "tuple",
        "b'x'": "bytes",
        "red": "enum",
        "t": "text",
        "1.5": "float",
        "frozenset({3})": "set",
        "\\ud800": "surrogate",
    }


def test_objects_without_repr_are_named(render):
    """An object whose repr raises costs its own text only."""
    event = render(value=Bad(), nested=[Bad()], keys={Bad(): 1}, fine=1)
    assert "its repr raised ValueError" in event["value"]
    assert "its repr raised ValueError" in event["nested"][0]
    assert event["fine"] == 1


def test_odd_containers_are_named(render):
    """A mapping that raises is written by its repr."""

    class Odd(dict):
        def items(self):
            raise RuntimeError

    assert render(value=Odd(a=1))["value"] == "{'a': 1}"


def test_odd_subclasses_are_written(render):
    """A subclass of str that has no text still has a type."""

    class Odd(str):
        __slots__ = ()

        def __str__(self):
            raise RuntimeError

        def __repr__(self):
            return "odd"

    value = Odd("a")
    assert render(value=value, n="\ud800")["value"] == "odd"
    assert render(value=value)["value"] == "odd"
    assert render(value={value: 1})["value"] == {"odd": 1}


def test_cycles_and_depth_end(render):
    """What contains itself, or is 10,000 deep, is cut."""
    cycle: list[object] = []
    cycle.append({"again": cycle})
    deep: list[object] = []
    for _ in range(10_000):
        deep = [deep]
    event = render(cycle=cycle, deep=deep)
    assert event["cycle"] == [{"again": "..."}]
    assert '"..."' in json.dumps(event["deep"])


def test_shared_containers_do_not_explode(render):
    """A few lists that hold each other many times do not fill the disk."""
    value: list[object] = []
    for _ in range(40):
        value = [value, value]
    assert len(json.dumps(render(value=value))) < 1_000_000


def test_long_reprs_are_cut(render):
    """A repr of a megabyte is cut, and says so."""
    value = render(value=b"x" * 1_000_000)["value"]
    assert len(value) < 11_000
    assert value.endswith("more characters)")


def test_a_repr_may_log(events):
    """An object that logs itself in its repr does not recurse for ever."""

    class Loud:
        def __repr__(self):
            logging.getLogger("x").info("inner", extra={"me": self})
            return "loud"

    log.setup_logging(tty=False)
    logging.getLogger("x").info("outer", extra={"me": Loud()})
    got = [(event["event"], event["me"]) for event in events()]
    assert got == [("inner", "loud")] * 2 + [("outer", "loud")]


def test_a_broken_event_still_leaves_a_line():
    """What cannot be rendered at all is named."""
    record = logging.LogRecord("x", 20, "", 0, "a", (), None)
    record.created = "never"  # type: ignore[assignment]
    event = json.loads(log.JsonFormatter().render(record))
    assert (event["event"], event["level"]) == ("a", "info")
    assert "log_error" in event


def test_orjson_is_an_extra(events, monkeypatch):
    """Without orjson the lines are the same."""
    monkeypatch.setitem(sys.modules, "orjson", None)
    log.setup_logging(tty=False)
    logging.getLogger("x").info("ü", extra={"n": 1})
    (event,) = events()
    assert (event["event"], event["n"]) == ("ü", 1)


def test_dataclasses_are_written_by_repr(render):
    """A dataclass keeps what its repr says."""

    @dataclasses.dataclass
    class Point:
        x: int

    assert render(value=Point(1))["value"] == repr(Point(1))


_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.characters(categories=["Cs"]),
    st.binary(),
    st.datetimes(),
    st.uuids(),
)
_values = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(_scalars, inner, max_size=3),
        st.tuples(inner),
    ),
    max_leaves=10,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fields=st.dictionaries(st.text(min_size=1), _values, max_size=4))
@pytest.mark.parametrize("orjson", [True, False])
def test_any_fields_make_a_line(orjson, fields):
    """Random fields always give one valid line, no field missing."""
    event = event_of(
        log.JsonFormatter(orjson=orjson),
        {f"f {name}": value for name, value in fields.items()},
    )
    assert len(event) == 5 + len(fields)
