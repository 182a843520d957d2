"""Errors of plugins, their parameters and their tasks."""

from __future__ import annotations

import typing as t


class PluginError(Exception):
    """
    Base of all errors of this module.

    Attributes:
        exit_code: What a process that failed of it should exit with.
    """

    exit_code: t.ClassVar[int] = 2


class PluginNotFoundError(PluginError, ImportError):
    """
    There is no plugin of that name.

    Attributes:
        plugin: What was to be loaded.
        missing: The part that does not exist.
        near: Names that look alike.
    """

    def __init__(
        self, plugin: str, missing: str, near: t.Sequence[str] = ()
    ) -> None:
        super().__init__(plugin, missing)
        self.plugin = plugin
        self.missing = missing
        self.near = tuple(near)

    def __str__(self) -> str:
        """Say what is missing and the cure."""
        lines = [f"There is no plugin {self.plugin!r}: {self.missing}."]
        lines += [f"  - did you mean {near!r}?" for near in self.near]
        lines.append(
            "Give an importable module, 'module:function', '.relative' or "
            "the name of an entry point of the group 'buvar.plugins'."
        )
        return "\n".join(lines)


class RelativeNameError(PluginError, ImportError):
    """
    A relative name was used where there is no package to start from.

    Attributes:
        plugin: The name.
        module: The module that used it.
    """

    def __init__(self, plugin: str, module: str) -> None:
        super().__init__(plugin, module)
        self.plugin = plugin
        self.module = module

    def __str__(self) -> str:
        """Say who used which name and the cure."""
        return (
            f"The plugin {self.plugin!r} is named relative to "
            f"{self.module!r}, which is not that deep in a package.\n"
            "Give the absolute name, or start a script of a package with "
            "'python -m package.module'."
        )


class NoPrepareError(PluginError, TypeError):
    """
    What was given as a plugin cannot be prepared.

    Attributes:
        plugin: The name of what was given.
        reason: What it is or lacks.
        cure: What to give instead.
        file: The file that defines it, if it is a module or a function.
        line: The line there, from 1, if it is a function.
    """

    def __init__(
        self,
        plugin: str,
        reason: str,
        cure: str = "Write 'async def prepare(...)', which may yield tasks.",
        *,
        file: str | None = None,
        line: int | None = None,
    ) -> None:
        super().__init__(plugin, reason, cure, file, line)
        self.plugin = plugin
        self.reason = reason
        self.cure = cure
        self.file = file
        self.line = line

    def __str__(self) -> str:
        """Say what is wrong with it and the cure."""
        return (
            f"The plugin {self.plugin!r} cannot be prepared: {self.reason}.\n"
            f"{self.cure}"
        )


class ParameterError(PluginError, TypeError):
    """
    A parameter of ``prepare`` cannot be filled.

    Attributes:
        plugin: The name of the plugin.
        parameter: The name of the parameter.
        reason: Why it cannot be filled.
        cure: What to do.
        file: The file that defines the plugin.
        line: The line there, from 1.
    """

    def __init__(
        self,
        plugin: str,
        parameter: str,
        reason: str,
        cure: str,
        *,
        file: str,
        line: int,
    ) -> None:
        super().__init__(plugin, parameter, reason, cure, file, line)
        self.plugin = plugin
        self.parameter = parameter
        self.reason = reason
        self.cure = cure
        self.file = file
        self.line = line

    def __str__(self) -> str:
        """Say which parameter of which plugin, why, where, and the cure."""
        return (
            f"The plugin {self.plugin!r} cannot be given its parameter "
            f"{self.parameter!r}: {self.reason}\n"
            f"It is defined in {self.file}:{self.line}.\n{self.cure}"
        )


class TaskError(PluginError, TypeError):
    """
    A plugin gave something that cannot be run as a task.

    Attributes:
        plugin: The name of the plugin.
        item: What it yielded or returned.
        reason: What is wrong with it.
    """

    def __init__(self, plugin: str, item: object, reason: str) -> None:
        super().__init__(plugin, item, reason)
        self.plugin = plugin
        self.item = item
        self.reason = reason

    def __str__(self) -> str:
        """Say which plugin gave what and the cure."""
        return (
            f"The plugin {self.plugin!r} gave {self.item!r} as a task: "
            f"{self.reason}.\n"
            "Yield a new coroutine for each task, e.g. 'yield serve()'."
        )


class StateError(PluginError, RuntimeError):
    """
    Something was asked of a stage at the wrong time.

    Attributes:
        what: What was asked.
        state: The state of the stage.
        cure: What to do instead.
    """

    exit_code = 1

    def __init__(self, what: str, state: str, cure: str) -> None:
        super().__init__(what, state, cure)
        self.what = what
        self.state = state
        self.cure = cure

    def __str__(self) -> str:
        """Say what was asked when and the cure."""
        return f"{self.what} while the stage is {self.state}.\n{self.cure}"


class StageOptionError(PluginError, ValueError):
    """
    The stage was given options that make no sense.

    Attributes:
        option: The name of the option.
        reason: What is wrong with it.
        cure: What to give instead.
    """

    def __init__(self, option: str, reason: str, cure: str) -> None:
        super().__init__(option, reason, cure)
        self.option = option
        self.reason = reason
        self.cure = cure

    def __str__(self) -> str:
        """Say which option is wrong and the cure."""
        return f"The option {self.option!r}: {self.reason}.\n{self.cure}"


class AbandonedTaskError(PluginError, RuntimeError):
    """
    A task went on although it was cancelled.

    Attributes:
        plugin: The name of the plugin.
        task: The name of the task.
        seconds: How long it was waited for after it was cancelled.
        where: Where it was at that time, lines of a traceback.
    """

    exit_code = 1

    def __init__(
        self, plugin: str, task: str, seconds: float, where: str
    ) -> None:
        super().__init__(plugin, task, seconds, where)
        self.plugin = plugin
        self.task = task
        self.seconds = seconds
        self.where = where

    def __str__(self) -> str:
        """Say which task of which plugin hangs where and the cure."""
        return (
            f"The task {self.task!r} of the plugin {self.plugin!r} still ran "
            f"{self.seconds:g} seconds after it was cancelled and was "
            f"abandoned, here:\n{self.where}"
            "Let asyncio.CancelledError through, or end when plugin.Cancel "
            "is set."
        )


class WorkError(PluginError):
    """
    A supervised or periodic task cannot be.

    Attributes:
        task: Its name.
        option: What is wrong.
        value: What was given for it.
        cure: What to do.
    """

    def __init__(
        self, task: str, option: str, value: object, cure: str
    ) -> None:
        super().__init__(task, option, value, cure)
        self.task = task
        self.option = option
        self.value = value
        self.cure = cure

    def __str__(self) -> str:
        """Say what is wrong and the cure."""
        return (
            f"The task {self.task!r} cannot be run with "
            f"{self.option}={self.value!r}.\n{self.cure}"
        )
