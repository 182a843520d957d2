"""
Stages that several tests share, as long as the event loop they run in.

The stage of a test with ``shared=True`` is kept for the next one in the same
loop that has the same plugins and the same configuration. Each test has a
layer of its own on top of it. A stage is entered and left by one task, its
host, as a test that enters it could not leave it for the others.
"""

from __future__ import annotations

import asyncio
import dataclasses
import typing as t

import pytest
import pytest_asyncio

from . import MARKER
from . import TESTING
from ._markers import MarkerError
from ._markers import plugins_of
from ._markers import steering_of


if t.TYPE_CHECKING:
    from buvar import di
    from buvar import plugin
    from buvar.config import ConfigSource

#: What the fixtures are called, before the scope of their loop.
SHARED: t.Final = "_buvar_shared_in"
STAGES: t.Final = "_buvar_shared_stages_in"

#: Those of a loop that has more than one test.
Scope: t.TypeAlias = t.Literal["class", "module", "package", "session"]
SCOPES: t.Final[tuple[Scope, ...]] = t.get_args(Scope)


def shared(
    request: pytest.FixtureRequest,
    scope_of: t.Callable[[pytest.FixtureRequest], str],
) -> Shared | None:
    """
    Return the stage that a test shares, if its marker says so.

    Args:
        request: That of a fixture of the test.
        scope_of: Returns that of its event loop.

    Raises:
        MarkerError: The loop is that of this test alone.
    """
    node: pytest.Item = request.node
    if node.get_closest_marker(MARKER) is None:
        return None
    if not steering_of(node, None).shared:
        return None
    scope = scope_of(request)
    if scope not in SCOPES:
        raise MarkerError(
            MARKER,
            node.nodeid,
            "shared=True needs an event loop that tests share: "
            "@pytest.mark.asyncio(loop_scope='module'), or the option "
            "asyncio_default_test_loop_scope.",
        )
    # Set up by now, a coroutine can ask for it.
    request.getfixturevalue(f"{STAGES}_{scope}")
    found: Shared = request.getfixturevalue(f"{SHARED}_{scope}")
    return found


@dataclasses.dataclass(frozen=True)
class Shared:
    """
    A stage that runs for several tests.

    Attributes:
        stage: The stage, with its plugins prepared.
        adapters: What its plugins have registered.
    """

    stage: plugin.Stage
    adapters: di.Adapters


class Stages:
    """The stages that run in one event loop."""

    def __init__(self) -> None:
        self._hosts: list[_Host] = []

    async def get(
        self, plugins: t.Sequence[plugin.Plugin], source: ConfigSource
    ) -> Shared:
        """
        Return the stage of plugins and a configuration, and start it.

        Raises:
            ExceptionGroup: It had failed during another test.
        """
        for host in self._hosts:
            if host.plugins == plugins and host.source == source:
                break
        else:
            host = _Host(plugins, source)
            started = await host.start()
            self._hosts.append(host)
            return started
        started = await host.start()
        if started.stage.cancel.is_set():
            # Its error is that of this test, the next one has a new stage.
            self._hosts.remove(host)
            await host.end()
        return started

    async def end(self) -> None:
        """
        End all of them, the last one first.

        Raises:
            ExceptionGroup: Some had failed, or fail now.
        """
        errors: list[Exception] = []
        while self._hosts:
            try:
                await self._hosts.pop().end()
            except Exception as error:  # noqa: BLE001 - raised below
                errors.append(error)
        if errors:
            raise ExceptionGroup("Stages that tests shared failed.", errors)


class _Host:
    """
    Runs a stage.

    Args:
        plugins: Its plugins.
        source: Its configuration.
    """

    def __init__(
        self, plugins: t.Sequence[plugin.Plugin], source: ConfigSource
    ) -> None:
        self.plugins = plugins
        self.source = source
        self._ready: asyncio.Future[Shared] = asyncio.Future()
        self._end = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="buvar-shared")

    async def start(self) -> Shared:
        """Wait until the plugins are prepared; what failed is raised."""
        await asyncio.wait(
            (self._ready, self._task), return_when=asyncio.FIRST_COMPLETED
        )
        if not self._ready.done():
            await self._task
        return self._ready.result()

    async def end(self) -> None:
        """End the stage; what failed is raised."""
        self._end.set()
        await self._task

    async def _run(self) -> None:
        from buvar import context  # noqa: PLC0415 - only where it is used
        from buvar import di  # noqa: PLC0415
        from buvar import plugin  # noqa: PLC0415

        adapters = di.buvar_adapters.get().copy()
        di.buvar_adapters.set(adapters)
        with context.child():
            context.add(self.source)
            # What binds a port takes a free one.
            context.add(True, TESTING)  # noqa: FBT003 - a fact
            async with plugin.Stage(*self.plugins) as stage:
                self._ready.set_result(Shared(stage, adapters))
                await self._end.wait()


def shared_fixtures(
    configured: t.Callable[..., ConfigSource],
) -> dict[str, t.Any]:
    """
    Make the fixtures of all scopes.

    Args:
        configured: Puts values on top of a configuration.
    """
    found: dict[str, t.Any] = {}
    for scope in SCOPES:
        for name, fixture in (
            (STAGES, _stages(scope)),
            (SHARED, _shared(scope, configured)),
        ):
            found[f"{name}_{scope}"] = fixture
    return found


def _stages(scope: Scope) -> t.Any:
    @pytest_asyncio.fixture(
        scope=scope, loop_scope=scope, name=f"{STAGES}_{scope}"
    )
    async def stages() -> t.AsyncIterator[Stages]:
        found = Stages()
        yield found
        await found.end()

    return stages


def _shared(scope: Scope, configured: t.Callable[..., ConfigSource]) -> t.Any:
    @pytest_asyncio.fixture(loop_scope=scope, name=f"{SHARED}_{scope}")
    async def shared(
        request: pytest.FixtureRequest,
        buvar_config_source: ConfigSource,
        _buvar_values: list[t.Mapping[str, t.Any] | str],
    ) -> Shared:
        stages: Stages = request.getfixturevalue(f"{STAGES}_{scope}")
        source = configured(buvar_config_source, _buvar_values)
        return await stages.get([*plugins_of(request.node)], source)

    return shared
