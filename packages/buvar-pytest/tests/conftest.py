"""Runs of pytest, each in a process of its own."""

from __future__ import annotations

import textwrap
import typing as t

import pytest


MODES = ("strict", "auto")


@pytest.fixture
def run(pytester: pytest.Pytester) -> t.Callable[..., pytest.RunResult]:
    """Run tests and return their outcomes, strict unless told otherwise."""
    pytester.makeini(
        """
        [pytest]
        filterwarnings = error
        asyncio_mode = strict
        asyncio_default_fixture_loop_scope = function
        """
    )

    def run(source: str, *args: str) -> pytest.RunResult:
        head = (
            "import asyncio\nimport pytest\nimport pytest_asyncio\n"
            "from buvar import config, context, di, plugin\n"
        )
        pytester.makepyfile(test_it=head + textwrap.dedent(source))
        return pytester.runpytest_subprocess(*args)

    return run
