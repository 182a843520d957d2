"""A failure shows what the user wrote, and says what it means."""

from __future__ import annotations

import asyncio
import logging
import sys
import traceback

import pytest

from buvar import plugin


class QuietError(Exception):
    exit_code = 2

    def __str__(self):
        return "the value is wrong\nChange it."


def connect():
    raise ValueError("no host")


async def prepare_fails():
    connect()


async def nested_fails(load: plugin.Loader):
    await load(prepare_fails)


async def task_fails():
    async def serve():
        await asyncio.sleep(0)
        connect()

    yield serve()


async def teardown_fails(teardown: plugin.Teardown):
    teardown.add(connect)


async def explained():
    raise QuietError


async def not_found(load: plugin.Loader):
    await load("nowhere.at.all")


@pytest.mark.parametrize(
    ("prepare", "meaning", "facts"),
    [
        (
            prepare_fails,
            "the plugin '{0}:prepare_fails' could not be prepared",
            {"phase": "prepare", "plugin": "{0}:prepare_fails"},
        ),
        (
            nested_fails,
            (
                "the plugin '{0}:prepare_fails', loaded by "
                "'{0}:nested_fails', could not be prepared"
            ),
            {"phase": "prepare", "plugin": "{0}:prepare_fails"},
        ),
        (
            task_fails,
            (
                "the task '{0}:task_fails:task_fails.<locals>.serve' of the "
                "plugin '{0}:task_fails' failed"
            ),
            {
                "phase": "task",
                "plugin": "{0}:task_fails",
                "task": "{0}:task_fails:task_fails.<locals>.serve",
            },
        ),
        (
            teardown_fails,
            "the teardown of the plugin '{0}:teardown_fails' failed",
            {"phase": "teardown", "plugin": "{0}:teardown_fails"},
        ),
    ],
)
def test_what_it_means(prepare, meaning, facts):
    """Each failure says what it means, as a sentence and as data."""
    meaning = meaning.format(__name__)
    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(prepare)
    assert str(info.value) == f"the stage failed: {meaning} (1 sub-exception)"
    (failure,) = plugin.failures(info.value)
    assert isinstance(failure.error, ValueError)
    assert failure.what == meaning
    assert failure.facts == {
        key: value.format(__name__) for key, value in facts.items()
    }
    line = f"{meaning[0].upper()}{meaning[1:]}"
    assert str(failure) == f"{line}: ValueError: no host"
    lines = failure.text().splitlines()
    assert lines[-2:] == ["ValueError: no host", f"{line}."]
    assert not failure.explains_itself


def test_the_traceback_is_the_users():
    """It begins where the user's code does, and has no other frames."""
    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(nested_fails)
    (error,) = info.value.exceptions
    names = [f.name for f in traceback.extract_tb(error.__traceback__)]
    assert names == ["nested_fails", "prepare_fails", "connect"]
    outer = traceback.extract_tb(info.value.__traceback__)
    assert [frame.name for frame in outer][1:] == ["stage"]


def test_libraries_below_the_users_code_stay():
    """Where a library failed that the user called is shown."""

    async def prepare():
        await asyncio.wait_for(fail(), 1)

    async def fail():
        int("x", base=99)

    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(prepare)
    (error,) = info.value.exceptions
    assert traceback.extract_tb(error.__traceback__)[-1].name == "fail"

    async def waits():
        await asyncio.wait([])

    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(waits)
    (error,) = info.value.exceptions
    last = traceback.extract_tb(error.__traceback__)[-1]
    assert "asyncio" in last.filename


def test_errors_that_explain_themselves(capsys):
    """No traceback hides a text that says what to do."""
    assert plugin.run(explained) == 2
    assert capsys.readouterr().err == "the value is wrong\nChange it.\n"
    assert plugin.run(not_found) == 2
    err = capsys.readouterr().err
    assert err.startswith("There is no plugin 'nowhere.at.all'")
    assert "Traceback" not in err


def test_causes_are_shortened_too():
    """Of our own errors no frames are shown but the user's."""
    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(not_found)
    (error,) = info.value.exceptions
    text = "".join(traceback.format_exception(error))
    assert text.count("PluginNotFoundError") == 1
    assert text.count("  File ") == 1


def test_groups_of_a_plugin_are_one_failure():
    """A group that a task raised is shown as it is."""

    async def prepare():
        async def serve():
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.to_thread(connect))

        yield serve()

    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(prepare)
    (failure,) = plugin.failures(info.value)
    assert isinstance(failure.error, ExceptionGroup)
    assert failure.facts["phase"] == "task"
    assert "ValueError: no host" in failure.text()


def test_any_exception():
    """What no stage raised is a failure without facts."""
    (failure,) = plugin.failures(ValueError("x"))
    assert (failure.what, failure.facts) == ("the stage failed", {})
    assert failure.text() == "ValueError: x\nThe stage failed.\n"


@pytest.mark.parametrize("kind", [SystemExit, asyncio.CancelledError])
def test_what_fails_beside_an_end_is_logged(caplog, kind):
    """What asks to end is raised, what failed as well is in the log."""

    async def prepare(teardown: plugin.Teardown):
        teardown.add(connect)
        raise kind

    with pytest.raises(kind), caplog.at_level(logging.ERROR):
        plugin.stage(prepare)
    (record,) = caplog.records
    assert record.name == "buvar.plugin"
    assert record.getMessage().endswith("failed: ValueError: no host")
    assert isinstance(record.exc_info[1], ValueError)
    assert record.phase == "teardown"


def test_exit_codes_are_kept_beside_failures(caplog):
    """SystemExit in a task ends with its code, after the teardown."""
    calls = []

    async def prepare(teardown: plugin.Teardown):
        async def leave():
            sys.exit(5)

        teardown.add(calls.append, "down")
        teardown.add(connect)
        yield leave()

    assert plugin.run(prepare) == 5
    assert calls == ["down"]
    assert "no host" in caplog.text


def test_a_module_that_cannot_be_imported(tmp_path, monkeypatch):
    """The failure names the plugin, and shows nothing of the machinery."""
    tmp_path.joinpath("with_a_mistake.py").write_text("def prepare(:\n")
    monkeypatch.syspath_prepend(tmp_path)

    async def loads(load: plugin.Loader):
        await load("with_a_mistake")

    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(loads)
    (failure,) = plugin.failures(info.value)

    assert failure.what == "the plugin 'with_a_mistake' could not be imported"
    assert failure.facts == {"phase": "import", "plugin": "with_a_mistake"}
    text = failure.text()
    assert text.count('File "') == 2
    assert "While preparing the plugin" in text
    assert text.endswith(f"{failure.what[:1].upper()}{failure.what[1:]}.\n")


def test_tracebacks_begin_at_the_users_code_wherever_they_are_caught():
    """What a stage never raised is shortened as well, groups included."""

    async def prepare(load: plugin.Loader):
        with pytest.raises(ValueError, match="no host") as info:
            await load(fails)
        caught.append(info.value)
        caught.append(ExceptionGroup("both", [info.value]))

    async def fails():
        connect()

    caught: list[Exception] = []
    plugin.stage(prepare)

    for error in caught:
        (failure,) = plugin.failures(error)
        frames = traceback.extract_tb(failure.error.__traceback__)
        assert [frame.name for frame in frames] == [
            "prepare",
            "fails",
            "connect",
        ]
