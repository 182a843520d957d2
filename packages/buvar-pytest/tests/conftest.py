"""Runs of pytest, each in a process of its own."""

from __future__ import annotations

import os
import sys
import textwrap
import time
import typing as t
import warnings

import pytest


MODES = ("strict", "auto")


@pytest.fixture
def forked(pytester: pytest.Pytester) -> t.Callable[..., pytest.RunResult]:
    """
    Run pytest in a copy of this process, and return its outcomes.

    It has imported already what a new interpreter would take a second for,
    and nothing that a run leaves behind comes back.
    """
    if sys.platform == "win32":
        return pytester.runpytest_subprocess

    def run(*args: str) -> pytest.RunResult:
        began = time.monotonic()
        output = pytester.path / "output-of-pytest"
        with warnings.catch_warnings():
            # The threads of xdist hold no lock that the copy needs.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            code = int(pytest.ExitCode.INTERNAL_ERROR)
            try:
                with output.open("w") as file:
                    os.dup2(file.fileno(), 1)
                    os.dup2(file.fileno(), 2)
                    sys.stdout = sys.stderr = file
                    code = int(pytest.main([*args]))
            finally:
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        lines = output.read_text().splitlines()
        sys.stdout.write("\n".join(lines))  # for the report of a failure
        return pytest.RunResult(code, lines, [], time.monotonic() - began)

    return run


@pytest.fixture
def run(
    pytester: pytest.Pytester, forked: t.Callable[..., pytest.RunResult]
) -> t.Callable[..., pytest.RunResult]:
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
        return forked(*args)

    return run
