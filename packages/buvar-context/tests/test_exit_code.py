"""The outcome of a stage as an exit code."""

from __future__ import annotations

import asyncio

import pytest

from buvar import plugin


class UsageError(Exception):
    exit_code = 2


class OddError(Exception):
    exit_code = "odd"


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (None, 0),
        ([], 0),
        (["x", None, -1, True], 0),
        ([asyncio.CancelledError()], 0),
        ([1, ValueError()], 1),
        (ValueError(), 1),
        (OddError(), 1),
        (UsageError(), 2),
        (ExceptionGroup("", [UsageError(), UsageError()]), 2),
        (ExceptionGroup("", [UsageError(), ValueError()]), 1),
        (plugin.NoPrepareError("x", "y"), 2),
        (plugin.StateError("x", "y", "z"), 1),
        (KeyboardInterrupt(), 130),
        (SystemExit(), 0),
        (SystemExit(5), 5),
        (SystemExit("text"), 1),
    ],
)
def test_codes(outcome, code):
    """0 went well, 1 failed, 2 was used wrongly; exceptions may tell."""
    assert plugin.exit_code(outcome) == code


def test_run_prints_what_failed(capsys):
    """``run`` returns the code and prints the traceback."""

    async def crash():
        raise ValueError

    async def prepare():
        yield crash()

    assert plugin.run(prepare) == 1
    assert "ValueError" in capsys.readouterr().err
    assert plugin.run() == 0


def test_run_does_not_print_what_is_asked_for(capsys):
    """Leaving with a code is no failure to be shown."""

    async def prepare():
        raise SystemExit(4)

    assert plugin.run(prepare) == 4
    assert capsys.readouterr().err == ""


def test_a_script_that_crashes(script):
    """A crash prints traceback and plugin, the exit code is 1."""
    program = script("""
        import asyncio
        from buvar import context, plugin
        async def serve():
            await context.get(plugin.Cancel).wait()
            print("served")
        async def crash():
            raise KeyError("oh")
        async def prepare():
            yield serve()
            yield crash()
        plugin.stage(prepare)
    """)
    code, out, err = program.end()
    assert (code, out) == (1, "served\n")
    assert "KeyError: 'oh'" in err
    assert "In task '__main__:crash' of plugin '__main__'" in err
