"""Errors while logging is set up."""

from __future__ import annotations

import typing as t


class LogError(Exception):
    """The base of all errors of this package."""


class LogConfigError(LogError, ValueError):
    """
    A setting that cannot be applied.

    Attributes:
        path: Where the setting stands, such as ``level`` or
            ``user_config.handlers.file``.
        value: The offending value.
        problem: What is wrong with it.
        cure: What to do about it.
        exit_code: With what a command should exit.
    """

    exit_code: t.ClassVar[int] = 2

    def __init__(
        self, path: str, value: t.Any, problem: str, cure: str
    ) -> None:
        super().__init__(f"{path}: {problem}\n{cure}")
        self.path = path
        self.value = value
        self.problem = problem
        self.cure = cure

    def __reduce__(self) -> tuple[t.Any, ...]:
        return type(self), (self.path, self.value, self.problem, self.cure)
