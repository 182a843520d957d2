"""``buvar_run``: a stage from its beginning to its end."""

from __future__ import annotations

import asyncio
import logging

import pytest

from buvar import config
from buvar import context
from buvar import plugin
from buvar.testing.runs import RunTimeoutError


class WrongError(Exception):
    exit_code = 5


async def prepare():
    async def task():
        logging.getLogger("app").info("Counted.", extra={"number": 3})
        return 3

    yield task()


async def failing():
    async def task():
        raise WrongError("on purpose")

    yield task()


async def serving():
    yield asyncio.Event().wait()


def test_results_exit_code_and_logs(buvar_run):
    """A run that went well has the results of its tasks and its logs."""
    outcome = buvar_run(prepare)

    assert outcome.check().results == [3]
    assert outcome.exit_code == 0
    assert outcome.error is None
    assert outcome.failures == []
    assert outcome.logs.one("Counted.", logger="app", number=3)


def test_a_failure_is_the_outcome(buvar_run):
    """A run that failed has the exit code, the error and where it failed."""
    outcome = buvar_run(failing)

    assert outcome.exit_code == 5
    assert outcome.results == []
    (failure,) = outcome.failures
    assert isinstance(failure.error, WrongError)
    with pytest.raises(ExceptionGroup):
        outcome.check()


def test_names_are_relative_to_the_test(buvar_run):
    """A relative name starts at the package of the test."""
    outcome = buvar_run("._no_such_plugin")

    (failure,) = outcome.failures
    package = __name__.rpartition(".")[0]
    assert f"{package}._no_such_plugin" in str(failure.error)


@pytest.mark.buvar_config({"web": {"port": 8}})
def test_it_has_what_the_test_has(buvar_run, buvar_context):
    """Components and the configuration of the test are those of the run."""
    buvar_context.add(7)

    async def look():
        async def task():
            return context.get(int), context.get(config.ConfigSource)["web"]

        yield task()

    assert buvar_run(look).results == [(7, {"port": 8})]


def test_options_of_the_stage(buvar_run):
    """Options of ``plugin.stage`` are passed on."""
    outcome = buvar_run(failing, return_exceptions=True)

    assert [type(result) for result in outcome.results] == [WrongError]
    assert outcome.exit_code == 5


def test_a_run_that_does_not_end_is_an_error(buvar_run):
    """A server is stopped when its time is over, which is an error."""
    with pytest.raises(RunTimeoutError, match=r"within 0\.05 s"):
        buvar_run(serving, timeout=0.05, cancel_timeout=0.01)


@pytest.mark.asyncio
async def test_a_running_loop_is_refused(buvar_run):
    """Within a loop it cannot run, and says so."""
    with pytest.raises(plugin.StageOptionError, match="in this thread"):
        buvar_run(prepare)


def test_the_root_logger_is_left_as_it_was(buvar_run):
    """A run leaves no handler and no level behind."""
    root = logging.getLogger()
    before = root.level, [*root.handlers]

    buvar_run(prepare)

    assert (root.level, [*root.handlers]) == before
