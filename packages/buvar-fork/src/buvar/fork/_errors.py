"""What can go wrong before, and because of, forking."""

from __future__ import annotations


class ForkError(Exception, SystemExit):
    """
    Base of all errors of this module.

    It is an exit too: ``stage`` has printed it by the time it is raised, so a
    program that does not catch it ends with its code and no traceback.

    Attributes:
        code: The exit code.
    """

    def __init__(self, *args: object, code: int = 2) -> None:
        super().__init__(*args)
        self.code = code


class SocketURIError(ForkError):
    """
    A URI says no socket.

    Attributes:
        uri: The URI.
        reason: What is wrong with it, and the cure.
    """

    def __init__(self, uri: str, reason: str) -> None:
        super().__init__(uri, reason)
        self.uri = uri
        self.reason = reason

    def __str__(self) -> str:
        """Say which URI is wrong, why, and the cure."""
        return f"{self.uri}: {self.reason}"


class BindError(ForkError):
    """
    A socket cannot be bound or taken over.

    Attributes:
        uri: The URI.
        reason: Why not, and the cure.
    """

    def __init__(self, uri: str, reason: str) -> None:
        super().__init__(uri, reason)
        self.uri = uri
        self.reason = reason

    def __str__(self) -> str:
        """Say which socket, why not, and the cure."""
        return f"{self.uri}: {self.reason}"


class UnsupportedError(ForkError):
    """
    This platform, or this place in the program, cannot fork.

    Attributes:
        reason: What is missing, and the cure.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        """Say what is missing and the cure."""
        return self.reason


class PidFileError(ForkError):
    """
    The file for the process id cannot be had.

    Attributes:
        path: The file.
        reason: Why not, and the cure.
        pid: The process that it names, if that runs.
    """

    def __init__(self, path: str, reason: str, pid: int | None = None) -> None:
        super().__init__(path, reason, pid)
        self.path = path
        self.reason = reason
        self.pid = pid

    def __str__(self) -> str:
        """Say which file, why not, and the cure."""
        return f"{self.path}: {self.reason}"


class OptionError(ForkError):
    """
    An option of ``stage`` makes no sense.

    Attributes:
        option: Its name.
        value: What it was given.
        reason: What it may be.
    """

    def __init__(self, option: str, value: object, reason: str) -> None:
        super().__init__(option, value, reason)
        self.option = option
        self.value = value
        self.reason = reason

    def __str__(self) -> str:
        """Say which option, what it was given, and the cure."""
        return f"{self.option}={self.value!r} makes no sense; {self.reason}"


class WorkersFailedError(ForkError):
    """
    The workers failed, or had to be killed.

    Attributes:
        code: The exit code of the failure.
        reason: What happened.
    """

    def __init__(self, reason: str, *, code: int = 1) -> None:
        super().__init__(reason, code=code)
        self.reason = reason

    def __str__(self) -> str:
        """Say what happened and where to look."""
        return f"{self.reason}; the first error stands above."


class BootError(WorkersFailedError):
    """No worker can boot: the plugins do not even prepare."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, code=3)
