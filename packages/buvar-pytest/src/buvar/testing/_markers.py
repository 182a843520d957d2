"""Read the markers of a test."""

from __future__ import annotations

import typing as t

import pytest

from . import CONFIG
from . import MARKER


if t.TYPE_CHECKING:
    import types

    from buvar import plugin

#: The keywords that the marker of plugins takes.
_KEYWORDS: t.Final = ("clock", "leaks", "schedules", "seed", "shared")
_CLOCKS: t.Final = ("real", "virtual")
_LEAKS: t.Final = ("ignore", "error")


class MarkerError(Exception):
    """
    A marker of a test makes no sense.

    Attributes:
        marker: The name of the marker.
        nodeid: The test.
        reason: What is wrong, and the cure.
    """

    def __init__(self, marker: str, nodeid: str, reason: str) -> None:
        super().__init__(marker, nodeid, reason)
        self.marker = marker
        self.nodeid = nodeid
        self.reason = reason

    def __str__(self) -> str:
        """Say which marker, on which test, and the cure."""
        return f"{self.nodeid}: @pytest.mark.{self.marker}: {self.reason}"


def plugins_of(node: pytest.Item) -> t.Iterator[plugin.Plugin]:
    """Name the plugins of all markers, those of the module first."""
    for mark in reversed([*node.iter_markers(MARKER)]):
        for name in mark.args:
            yield absolute(node, name) if isinstance(name, str) else name


def absolute(node: pytest.Item, name: str) -> str:
    """
    Resolve a relative name where the marker stands.

    Raises:
        RelativeNameError: There is no package to start from.
    """
    from buvar.plugin import spi  # noqa: PLC0415

    module = t.cast("types.ModuleType", getattr(node, "module"))  # noqa: B009
    return spi.absolute_name(name, vars(module))


def values_of(node: pytest.Item) -> list[t.Mapping[str, t.Any] | str]:
    """
    Return the configuration of all markers, that of the module first.

    Raises:
        MarkerError: It has something that is neither dict nor string.
    """
    values: list[t.Mapping[str, t.Any] | str] = []
    for mark in reversed([*node.iter_markers(CONFIG)]):
        if mark.kwargs:
            raise MarkerError(
                CONFIG,
                node.nodeid,
                f"unknown keywords {', '.join(mark.kwargs)}; write a section "
                "as a dict: buvar_config({'web': {'port': 0}}).",
            )
        values += mark.args
    for value in values:
        check_value(node.nodeid, value)
    return values


def check_value(nodeid: str, value: object) -> None:
    """
    Refuse what is not a configuration.

    Raises:
        MarkerError: It is neither a dict nor a string.
    """
    if not isinstance(value, str | t.Mapping):
        raise MarkerError(
            CONFIG,
            nodeid,
            f"{value!r} is neither a dict nor a string; write "
            "{'web': {'port': 0}} or 'web.port=0'.",
        )


class Steering(t.NamedTuple):
    """
    How the event loop of a test is steered, and its stage is run.

    Attributes:
        virtual: Whether its time is virtual.
        seeds: The order of its tasks, a run of the test for each.
        leaks: Whether what its plugins leave behind is an error.
        shared: Whether its stage is that of other tests, too.
    """

    virtual: bool = False
    seeds: tuple[int, ...] = ()
    leaks: bool = False
    shared: bool = False

    @property
    def loop(self) -> bool:
        """Whether the loop is one of ours."""
        return self.virtual or bool(self.seeds)


def steering_of(node: pytest.Item, replayed: int | None) -> Steering:
    """
    Return how the markers want the event loop, the closest one first.

    Args:
        node: The test.
        replayed: The only seed that is asked for, if one is.

    Raises:
        MarkerError: A keyword makes no sense.
    """
    given: dict[str, t.Any] = {}
    for mark in node.iter_markers(MARKER):
        given = {**mark.kwargs, **given}
    if unknown := ", ".join(sorted(given.keys() - {*_KEYWORDS})):
        raise MarkerError(
            MARKER,
            node.nodeid,
            f"unknown keywords {unknown}; it takes {', '.join(_KEYWORDS)}.",
        )
    clock = given.get("clock", "real")
    if clock not in _CLOCKS:
        raise MarkerError(
            MARKER, node.nodeid, f"clock={clock!r} is not one of {_CLOCKS}."
        )
    leaks = given.get("leaks", "ignore")
    if leaks not in _LEAKS:
        raise MarkerError(
            MARKER, node.nodeid, f"leaks={leaks!r} is not one of {_LEAKS}."
        )
    schedules = _whole(node, given, "schedules", 0)
    seed = _whole(node, given, "seed", 0)
    if "seed" in given and not schedules:
        raise MarkerError(
            MARKER, node.nodeid, "seed= needs schedules=, the number of runs."
        )
    seeds = tuple(range(seed, seed + schedules))
    if replayed is not None and seeds:
        seeds = (replayed,)
    steering = Steering(
        clock == "virtual",
        seeds,
        leaks == "error",
        bool(given.get("shared", False)),
    )
    if steering.shared and (steering.loop or steering.leaks):
        raise MarkerError(
            MARKER,
            node.nodeid,
            "shared= cannot go with clock=, schedules= or leaks=: each of "
            "these is about the stage of one test.",
        )
    return steering


def _whole(
    node: pytest.Item, given: t.Mapping[str, t.Any], name: str, default: int
) -> int:
    value = given.get(name, default)
    if type(value) is not int or value < default:
        raise MarkerError(
            MARKER,
            node.nodeid,
            f"{name}={value!r} makes no sense; give it a whole number from 0.",
        )
    return value
