"""
The fixtures, each of which imports what it needs when a test asks for it.

``globals()`` gets the fixtures of all scopes of event loops at the end.
"""

from __future__ import annotations

import contextlib
import sys
import typing as t

import pytest

from . import MARKER
from . import TESTING
from . import Load
from . import Override
from ._loops import PREPARED
from ._loops import STAGE
from ._loops import check_loop
from ._loops import fixtures
from ._loops import in_loop_of_test
from ._loops import scope_of
from ._markers import MarkerError
from ._markers import absolute
from ._markers import check_value
from ._markers import plugins_of
from ._markers import values_of
from ._shared import shared
from ._shared import shared_fixtures


if t.TYPE_CHECKING:
    from pathlib import Path

    from buvar import plugin
    from buvar.components import Components
    from buvar.config import ConfigSource

    from ._stages import Shared
    from ._start import Services
    from .chaos import Chaos
    from .clock import Clock
    from .logs import Logs
    from .runs import Outcome
    from .runs import Run

_VALUES: t.Final = "_buvar_values"
_SHARED: t.Final = "_buvar_shared"
#: Where a test keeps its services, for the report of its failure.
SERVICES: t.Final = pytest.StashKey["Services"]()


@pytest.fixture(name=_VALUES)
def buvar_values(
    request: pytest.FixtureRequest,
) -> list[t.Mapping[str, t.Any] | str]:
    """Return the configuration that the markers give."""
    return values_of(request.node)


@pytest.fixture
def buvar_config_source() -> ConfigSource:
    """Return the configuration of the test: override it to have one."""
    from buvar.config import ConfigSource  # noqa: PLC0415

    return ConfigSource()


@pytest.fixture(name=_SHARED)
def buvar_shared(request: pytest.FixtureRequest) -> Shared | None:
    """Return the stage that the test shares with others, if it does."""
    return shared(request, scope_of)


@pytest.fixture
def buvar_context(
    buvar_config_source: ConfigSource,
    _buvar_values: list[t.Mapping[str, t.Any] | str],
    _buvar_shared: Shared | None,
) -> t.Iterator[Components]:
    """Give a layer of components and a registry that end with the test."""
    from buvar import context  # noqa: PLC0415
    from buvar import di  # noqa: PLC0415

    below, registered = context.current_context(), di.buvar_adapters.get()
    if _buvar_shared is not None:
        below, registered = _buvar_shared.stage.layer, _buvar_shared.adapters
    adapters = di.buvar_adapters.set(registered.copy())
    components = context.buvar_context.set(below)
    try:
        with context.child() as layer:
            context.add(configured(buvar_config_source, _buvar_values))
            # What binds a port takes a free one.
            context.add(True, TESTING)  # noqa: FBT003 - a fact
            yield layer
    finally:
        context.buvar_context.reset(components)
        di.buvar_adapters.reset(adapters)


def configured(
    source: ConfigSource, values: t.Iterable[t.Mapping[str, t.Any] | str]
) -> ConfigSource:
    """Return a source with more values on top; it is not changed itself."""
    # Strings win over dicts.
    values = sorted(values, key=lambda value: isinstance(value, str))
    return source.with_values(*values) if values else source


@pytest.fixture
def buvar_config(
    request: pytest.FixtureRequest,
    buvar_context: Components,
    _buvar_values: list[t.Mapping[str, t.Any] | str],
) -> t.Callable[..., ConfigSource]:
    """Return a function that puts values on top of the configuration."""
    from buvar.config import ConfigSource  # noqa: PLC0415

    def put(*values: t.Mapping[str, t.Any] | str) -> ConfigSource:
        for value in values:
            check_value(request.node.nodeid, value)
        _buvar_values.extend(values)
        source = buvar_context.get(ConfigSource)
        return buvar_context.add(configured(source, values))

    return put


@pytest.fixture
def buvar_override(buvar_context: Components) -> t.Iterator[Override]:
    """Return a function that gives other objects in the place of types."""
    from buvar import di  # noqa: PLC0415

    del buvar_context
    with contextlib.ExitStack() as stack:

        def override(fakes: t.Mapping[t.Any, t.Any]) -> None:
            stack.enter_context(di.override(fakes))

        yield override


@pytest.fixture
def buvar_stage(
    request: pytest.FixtureRequest, _buvar_shared: Shared | None
) -> plugin.Stage:
    """Return a stage for the length of the test, without any plugins yet."""
    if _buvar_shared is not None:
        return _buvar_shared.stage
    stage: plugin.Stage = in_loop_of_test(request, STAGE)
    return stage


@pytest.fixture
def buvar_load(
    request: pytest.FixtureRequest,
    buvar_stage: plugin.Stage,
    _buvar_shared: Shared | None,
) -> Load:
    """Return a function that prepares more plugins."""
    from buvar.plugin.spi import load_from  # noqa: PLC0415

    def load(*plugins: plugin.Plugin) -> t.Awaitable[None]:
        if _buvar_shared is not None:
            raise MarkerError(
                MARKER,
                request.node.nodeid,
                "buvar_load() would change the stage that others share; name "
                "the plugins in the marker, or leave out shared=True.",
            )
        # Relative names start at the module of the test.
        frame = sys._getframe(1)  # noqa: SLF001
        check_loop(buvar_stage)
        return load_from(buvar_stage.loader, plugins, frame)

    return load


@pytest.fixture
def buvar_plugin_context(
    request: pytest.FixtureRequest,
    buvar_context: Components,
    _buvar_shared: Shared | None,
) -> Components:
    """Return the components, with the plugins of the markers prepared."""
    if _buvar_shared is not None:
        return buvar_context
    layer: Components = in_loop_of_test(request, PREPARED)
    return layer


@pytest.fixture
def buvar_run(
    request: pytest.FixtureRequest, buvar_context: Components
) -> Run:
    """Return a function that runs a stage from its beginning to its end."""
    from .runs import TIMEOUT  # noqa: PLC0415
    from .runs import run  # noqa: PLC0415

    del buvar_context

    def resolved(
        *plugins: plugin.Plugin, timeout: float = TIMEOUT, **options: t.Any
    ) -> Outcome:
        found = (
            absolute(request.node, each) if isinstance(each, str) else each
            for each in plugins
        )
        return run(*found, timeout=timeout, **options)

    return resolved


@pytest.fixture
def buvar_service(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    _buvar_values: list[t.Mapping[str, t.Any] | str],
) -> t.Iterator[Services]:
    """Return what starts services, which end with the test."""
    from ._start import Services  # noqa: PLC0415

    node: pytest.Item = request.node
    services = Services(
        tmp_path, _buvar_values, lambda name: absolute(node, name)
    )
    node.stash[SERVICES] = services
    try:
        yield services
    finally:
        services.close()


@pytest.fixture
def buvar_chaos(tmp_path: Path) -> t.Iterator[Chaos]:
    """Return what does to services what happens to services."""
    from .chaos import Chaos  # noqa: PLC0415

    chaos = Chaos(tmp_path)
    try:
        yield chaos
    finally:
        chaos.close()


@pytest.fixture
def buvar_clock() -> Clock:
    """Return the virtual clock of the test."""
    from .clock import Clock  # noqa: PLC0415

    return Clock()


@pytest.fixture
def buvar_logs() -> t.Iterator[Logs]:
    """Return the records that the test and its plugins log."""
    from .logs import Logs  # noqa: PLC0415

    logs = Logs()
    with logs.collecting():
        yield logs


globals().update(fixtures(plugins_of) | shared_fixtures(configured))
