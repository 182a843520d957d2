"""Failures of plugins fail the test, and are shown clearly."""

from __future__ import annotations

import pytest


pytest_plugins = ["pytester"]


def test_prepare_fails(run) -> None:
    """A plugin that cannot be prepared is named with its own traceback."""
    result = run(
        """
        async def prepare_inner():
            raise RuntimeError("the disk is full")

        async def prepare(load: plugin.Loader):
            await load(prepare_inner)

        @pytest.mark.buvar_plugins.with_args(prepare)
        async def test_it():
            raise AssertionError("must not run")
        """
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at setup of test_it*",
            '*raise RuntimeError("the disk is full")*',
            "*RuntimeError: the disk is full",
            "*While preparing the plugin *prepare_inner*",
        ]
    )
    assert "must not run" not in result.stdout.str()


def test_plugin_does_not_exist(run) -> None:
    """A plugin that is not there is named, with what to do."""
    result = run(
        """
        @pytest.mark.buvar_plugins("test_i")
        async def test_it():
            raise AssertionError("must not run")
        """
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*There is no plugin 'test_i'*"])


def test_teardown_fails(run) -> None:
    """A callback that fails is an error of the test; the others run."""
    result = run(
        """
        done = []

        async def prepare(teardown: plugin.Teardown):
            def fail():
                raise RuntimeError("cannot close")
            teardown.add(done.append, 1)
            teardown.add(fail)

        @pytest.mark.buvar_plugins.with_args(prepare)
        async def test_it():
            pass

        def test_next():
            assert done == [1]
            assert context.get(plugin.Stage, default=None) is None
        """
    )

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        ["*ERROR at teardown of test_it*", "*RuntimeError: cannot close"]
    )


def test_task_crashes(run) -> None:
    """A task of a plugin that crashes while the test runs fails it."""
    result = run(
        """
        async def crash():
            raise RuntimeError("lost the connection")

        async def prepare():
            yield crash()

        @pytest.mark.buvar_plugins.with_args(prepare)
        async def test_it():
            await context.get(plugin.Cancel).wait()
        """
    )

    result.assert_outcomes(passed=1, errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_it*",
            "*RuntimeError: lost the connection",
            "*In task *crash*",
        ]
    )


def test_test_fails(run) -> None:
    """A test that fails is torn down as well, and is all that fails."""
    result = run(
        """
        done = []

        async def serve(cancel):
            await cancel.wait()
            done.append("stopped")

        async def prepare(teardown: plugin.Teardown, cancel: plugin.Cancel):
            teardown.add(done.append, "torn down")
            yield serve(cancel)

        @pytest.mark.buvar_plugins.with_args(prepare)
        async def test_it():
            await asyncio.sleep(0)
            raise AssertionError("as it should")

        def test_next():
            assert done == ["stopped", "torn down"]
        """
    )

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.no_fnmatch_line("*ExceptionGroup*")


def test_test_stops_the_stage(run) -> None:
    """A test may stop the stage itself."""
    result = run(
        """
        async def serve(cancel):
            await cancel.wait()
            return "done"

        async def prepare(cancel: plugin.Cancel):
            yield serve(cancel)

        @pytest.mark.buvar_plugins.with_args(prepare)
        async def test_it(buvar_stage):
            buvar_stage.stop()
            await buvar_stage.wait()
        """
    )

    result.assert_outcomes(passed=1)
