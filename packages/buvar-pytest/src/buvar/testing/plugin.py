"""
The plugin of pytest: the markers, the options and the fixtures.

It is imported by every run of pytest where the package is installed, so it
imports the rest of buvar only when a test asks for it.
"""

from __future__ import annotations

import inspect
import typing as t

import pytest

from buvar.testing import CONFIG
from buvar.testing import MARKER

from . import _fixtures
from ._markers import MarkerError
from ._markers import Steering
from ._markers import steering_of


_SEED: t.Final = "--buvar-seed"
#: The tests of which an order has failed, by the function.
_FAILED: t.Final = pytest.StashKey[dict[str, int]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that replays an order of tasks."""
    parser.getgroup("buvar").addoption(
        _SEED,
        type=int,
        metavar="SEED",
        help="run tests that have schedules=... in this order of tasks only",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers and the fixtures known."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(*plugins, clock='real', schedules=0, seed=0, "
        "leaks='ignore', shared=False): run the test inside a stage in which "
        "these plugins are prepared, those of outer markers first",
    )
    config.addinivalue_line(
        "markers",
        f"{CONFIG}(*values): nested dicts and strings key=value that win over "
        "the configuration of the test, those of inner markers last",
    )
    config.stash[_FAILED] = {}
    config.pluginmanager.register(_fixtures, _fixtures.__name__)


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: t.Any
) -> None:
    """Let the marker alone make a coroutine function an asyncio test."""
    if not inspect.iscoroutinefunction(obj):
        if inspect.iscoroutine(obj) or inspect.isasyncgen(obj):
            _refuse_called_plugin(collector, name, obj)
        return
    names = {mark.name for mark in getattr(obj, "pytestmark", ())}
    if "asyncio" in names or collector.get_closest_marker("asyncio"):
        return
    if MARKER in names or collector.get_closest_marker(MARKER):
        if not collector.config.pluginmanager.hasplugin("asyncio"):
            raise collector.CollectError(
                f"{collector.nodeid}::{name} needs pytest-asyncio, which is "
                "disabled. Leave out '-p no:asyncio'."
            )
        pytest.mark.asyncio(obj)


def _refuse_called_plugin(
    collector: pytest.Module | pytest.Class, name: str, obj: t.Any
) -> None:
    """
    Refuse to lose a test.

    pytest takes ``@mark(function)`` for a decorated function, so that the
    plugin was called with the test, and is now all that is left of it.
    """
    if not collector.funcnamefilter(name):
        return
    if inspect.iscoroutine(obj):
        obj.close()  # It would warn that it was never awaited.
    raise collector.CollectError(
        f"{collector.nodeid}::{name} is not a test: pytest gave it to the "
        f"plugin {obj.__qualname__!r} instead of marking it.\n"
        f"Write '@pytest.mark.{MARKER}.with_args({obj.__name__})' where a "
        "function is the only plugin."
    )


@pytest.hookimpl(wrapper=True)
def pytest_generate_tests(
    metafunc: pytest.Metafunc,
) -> t.Generator[None, object, object]:
    """Let pytest-asyncio run a test in the loop that its marker asks for."""
    node = metafunc.definition
    try:
        steering = (
            steering_of(node, metafunc.config.getoption(_SEED))
            if node.get_closest_marker(MARKER)
            else None
        )
    except MarkerError as error:
        pytest.fail(str(error), pytrace=False)
    if steering is None or not steering.loop:
        return (yield)
    # Only for this test: an implementation that is always there would be
    # asked for the loops of all of them.
    manager = metafunc.config.pluginmanager
    factories = _Factories(steering)
    manager.register(factories)
    try:
        return (yield)
    finally:
        manager.unregister(factories)


class _Factories:
    """
    Names the event loops of one test.

    Args:
        steering: How they are steered.
    """

    def __init__(self, steering: Steering) -> None:
        self._steering = steering

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_asyncio_loop_factories(
        self,
    ) -> dict[str, t.Callable[[], t.Any]]:
        """Return a factory for each order, or the one of the clock."""
        from ._steered_loop import LoopFactory  # noqa: PLC0415

        virtual, seeds = self._steering.virtual, self._steering.seeds
        if not seeds:
            return {"virtual": LoopFactory(virtual, None)}
        return {f"seed-{seed}": LoopFactory(virtual, seed) for seed in seeds}


def pytest_itemcollected(item: pytest.Item) -> None:
    """
    Prepare the plugins of the marker after all other fixtures.

    So a fixture can give them a fake; one that needs them prepared asks for
    ``buvar_plugin_context``, which has them prepared when it is asked for.
    """
    if item.get_closest_marker(MARKER) is None:
        return
    # Tests of one function may share the list.
    names: list[str] = getattr(item, "fixturenames", [])
    if "buvar_plugin_context" not in names:
        names.append("buvar_plugin_context")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """
    Refuse what runs in another event loop than its stage.

    More orders of a test are skipped when one has failed: they say the same.
    """
    _refuse_anyio(item)
    if _seed_of(item) is None:
        return
    failed = item.config.stash[_FAILED].get(_function(item))
    if failed is not None:
        pytest.skip(f"it failed with seed {failed} already")


def _refuse_anyio(item: pytest.Item) -> None:
    """Say which plugin of pytest runs a test that has two of them."""
    names: list[str] = getattr(item, "fixturenames", [])
    if (
        "anyio_backend" in names
        and item.get_closest_marker(MARKER) is not None
        and inspect.iscoroutinefunction(getattr(item, "obj", None))
    ):
        pytest.fail(
            f"{item.nodeid} is marked for a stage, which runs in the event "
            "loop of pytest-asyncio, and would be run by anyio in another "
            f"one.\nLeave out @pytest.mark.anyio: @pytest.mark.{MARKER} runs "
            "the test by itself, and anyio can be used in it.",
            pytrace=False,
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> t.Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what explains a failure: how to replay it, and its services."""
    report = yield
    if not report.failed:
        return report
    seed = _seed_of(item)
    if seed is not None:
        item.config.stash[_FAILED].setdefault(_function(item), seed)
        replay = f"pytest '{_function(item)}' {_SEED}={seed}"
        text = f"It failed with seed {seed}. To replay it:\n{replay}"
        report.sections.append(("buvar: order of tasks", text))
    services = item.stash.get(_fixtures.SERVICES, None)
    for service in services.started if services is not None else ():
        report.sections.append(
            (f"buvar: output of {service.name}", service.output)
        )
    return report


def _seed_of(item: pytest.Item) -> int | None:
    """Return the seed of the order that a test is run in."""
    if item.get_closest_marker(MARKER) is None:
        return None
    from ._steered_loop import LoopFactory  # noqa: PLC0415

    callspec = getattr(item, "callspec", None)
    for value in () if callspec is None else callspec.params.values():
        if isinstance(value, LoopFactory):
            return value.seed
    return None


def _function(item: pytest.Item) -> str:
    """Return the id of a test without its parameters."""
    return item.nodeid.partition("[")[0]
