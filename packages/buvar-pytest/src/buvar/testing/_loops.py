"""
Run the stage of a test in the event loop of the test.

pytest-asyncio has a loop for each scope. A test says which it uses, by its
marker or the configuration, a fixture says so for itself. A stage in another
loop than its test's would wait for ever, so there is a fixture for each scope,
and the one of the test's is asked for.
"""

from __future__ import annotations

import asyncio
import typing as t

import pytest
import pytest_asyncio

from . import Load
from ._markers import steering_of


if t.TYPE_CHECKING:
    from buvar import plugin
    from buvar.components import Components

_Scope: t.TypeAlias = t.Literal[
    "function", "class", "module", "package", "session"
]
_SCOPES: t.Final[tuple[_Scope, ...]] = t.get_args(_Scope)
#: What the fixtures are called, before the scope of their loop.
STAGE: t.Final = "_buvar_stage_in"
PREPARED: t.Final = "_buvar_prepared_in"


class LoopScopeError(Exception):
    """
    The stage runs in another event loop than the test.

    Attributes:
        test: Whether it is the test, or else a fixture, that asks.
    """

    def __str__(self) -> str:
        """Say what is wrong and the cure."""
        return (
            "The stage of this test runs in another event loop than what "
            "loads plugins into it, so that neither could wait for the "
            "other.\nGive the test and its own asynchronous fixtures the same "
            "loop: @pytest.mark.asyncio(loop_scope=...), "
            "@pytest_asyncio.fixture(loop_scope=...), or the options "
            "asyncio_default_test_loop_scope and "
            "asyncio_default_fixture_loop_scope."
        )


def in_loop_of_test(request: pytest.FixtureRequest, name: str) -> t.Any:
    """Ask for the fixture of that name which uses the loop of the test."""
    return request.getfixturevalue(f"{name}_{scope_of(request)}")


def scope_of(request: pytest.FixtureRequest) -> str:
    """Return the scope of the event loop of a test."""
    node: pytest.Item = request.node
    marker = node.get_closest_marker("asyncio")
    if marker is None:
        # A sync test: only its fixtures use a loop.
        scope = request.config.getini("asyncio_default_fixture_loop_scope")
    else:
        scope = marker.kwargs.get("loop_scope") or marker.kwargs.get("scope")
        scope = scope or request.config.getini(
            "asyncio_default_test_loop_scope"
        )
    return scope if scope in _SCOPES else "function"


def check_loop(stage: plugin.Stage) -> None:
    """
    Refuse to load plugins in another loop than that of their stage.

    Raises:
        LoopScopeError: This is another one.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        # The coroutine is only made here.
        return
    if stage.loop is not loop:
        raise LoopScopeError


def fixtures(
    named: t.Callable[[pytest.Item], t.Iterable[plugin.Plugin]],
) -> dict[str, t.Any]:
    """
    Make the fixtures of all scopes.

    Args:
        named: Returns the plugins that the markers of a test name.
    """
    found: dict[str, t.Any] = {}
    for scope in _SCOPES:
        for name, fixture in (
            (STAGE, _stage(scope)),
            (PREPARED, _prepared(scope, named)),
        ):
            found[f"{name}_{scope}"] = fixture
    return found


def _stage(scope: _Scope) -> t.Any:
    @pytest_asyncio.fixture(loop_scope=scope, name=f"{STAGE}_{scope}")
    async def stage(
        buvar_context: Components, request: pytest.FixtureRequest
    ) -> t.AsyncIterator[plugin.Stage]:
        from buvar import plugin  # noqa: PLC0415

        del buvar_context
        watch = None
        if steering_of(request.node, None).leaks:
            from .checks import Watch  # noqa: PLC0415

            watch = Watch()
        async with plugin.Stage() as running:
            yield running
            if watch is not None:
                watch.look()
        if watch is not None:
            await watch.end(entry.plugin for entry in running.report())

    return stage


def _prepared(
    scope: _Scope,
    named: t.Callable[[pytest.Item], t.Iterable[plugin.Plugin]],
) -> t.Any:
    @pytest_asyncio.fixture(loop_scope=scope, name=f"{PREPARED}_{scope}")
    async def prepared(
        buvar_stage: plugin.Stage,
        buvar_load: Load,
        request: pytest.FixtureRequest,
    ) -> Components:
        check_loop(buvar_stage)
        await buvar_load(*named(request.node))
        return buvar_stage.layer

    return prepared
