"""
Stages that several tests share, as long as the event loop they run in.

The stage of a test with ``shared=True`` is kept for the next one in the same
loop that has the same plugins and the same configuration. Each test has a
layer of its own on top of it.
"""

from __future__ import annotations

import typing as t

import pytest
import pytest_asyncio

from . import MARKER
from ._markers import MarkerError
from ._markers import plugins_of
from ._markers import steering_of


if t.TYPE_CHECKING:
    from buvar.config import ConfigSource

    from ._stages import Shared
    from ._stages import Stages

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
        from ._stages import Stages  # noqa: PLC0415 - where it is used

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
