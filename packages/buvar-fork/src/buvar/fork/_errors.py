"""Errors before, and because of, forking."""

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


class UnservedSocketError(ForkError):
    """
    A socket was bound that nothing serves: its clients would wait for ever.

    Attributes:
        uris: The URIs of such sockets.
        seconds: How long the tasks had to ask for them.
    """

    def __init__(self, uris: list[str], seconds: float) -> None:
        super().__init__(uris, seconds)
        self.uris = uris
        self.seconds = seconds

    def __str__(self) -> str:
        """Say which sockets, and the cure."""
        it, is_ = ("it", "is") if len(self.uris) == 1 else ("them", "are")
        return (
            f"{', '.join(self.uris)} {is_} bound, and nothing has begun to "
            f"serve {it} within {self.seconds:g} s; load a plugin that does, "
            f"such as buvar_aiohttp, or bind {it} no more. A plugin that "
            "serves later sets fork.Socket.served in its prepare."
        )


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
    """
    No worker can boot: the plugins do not even prepare.

    Attributes:
        code: 3, or 2 where the configuration or the usage is wrong.
    """

    def __init__(self, reason: str, *, code: int = 3) -> None:
        super().__init__(reason, code=code)


class ResultError(ForkError):
    """
    The stage has ended well, but a result of it cannot reach the caller.

    Attributes:
        number: Which of the results of its worker it is, from 1.
        reason: Why it cannot.
        results: The results of all workers that could be handed over.
    """

    def __init__(
        self, number: int, reason: str, results: list[object]
    ) -> None:
        super().__init__(number, reason, results, code=1)
        self.number = number
        self.reason = reason
        self.results = results

    def __str__(self) -> str:
        """Say which result, why not, and how to hand it over."""
        return (
            f"Result {self.number} of a worker cannot be handed to the "
            f"parent: {self.reason}; return plain data (text, numbers, "
            "bytes, dates, lists, tuples, sets and dictionaries of these), "
            "write what is large or special to a file and return its path, "
            "or return nothing."
        )


class TaskFailedError(ForkError):
    """
    What a task in a worker raised, where the parent cannot have it itself.

    Only exceptions of the standard library's builtins come out of a worker
    as they are.

    Attributes:
        type_name: The module and the name of the exception's class.
        text: What it says.
    """

    def __init__(self, type_name: str, text: str) -> None:
        super().__init__(type_name, text, code=1)
        self.type_name = type_name
        self.text = text

    def __str__(self) -> str:
        """Say what was raised."""
        return f"{self.type_name}: {self.text}"
