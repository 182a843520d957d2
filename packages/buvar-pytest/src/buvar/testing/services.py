"""Services in processes of their own: the fixture ``buvar_service``."""

from __future__ import annotations

import os
import signal
import subprocess
import typing as t

from ._notices import Notices
from ._processes import children
from ._processes import kill_all
from ._processes import poll
from ._timeout import check_timeout


if t.TYPE_CHECKING:
    from pathlib import Path

#: Seconds that any wait may take, unless told otherwise.
TIMEOUT: t.Final = 30.0
#: How many characters of its output an error shows.
SHOWN: t.Final = 4000


class ServiceError(Exception):
    """
    A service did not do what was expected of it.

    Attributes:
        name: What was run.
        reason: What happened.
        output: What the service has printed.
    """

    def __init__(self, name: str, reason: str, output: str) -> None:
        super().__init__(name, reason, output)
        self.name = name
        self.reason = reason
        self.output = output

    def __str__(self) -> str:
        """Say what happened, and what the service printed."""
        text = self.output[-SHOWN:].strip()
        shown = f"It printed:\n{text}" if text else "It printed nothing."
        return f"The service {self.name} {self.reason}\n{shown}"


class Service:
    """
    A service that runs, and what it has printed so far.

    Attributes:
        name: What is run.
        pid: Its process, the supervisor if it is forked.
        host: The address it listens on.
        port: The port it listens on.
        block_file: Says how long a worker blocks when it is told to.
    """

    def __init__(
        self,
        name: str,
        process: subprocess.Popen[bytes],
        *,
        port: int,
        log: Path,
        notices: Notices,
        mark: str,
    ) -> None:
        self.name = name
        self.pid = process.pid
        self.host = "127.0.0.1"
        self.port = port
        self.block_file = log.with_suffix(".block")
        self._process = process
        self._log = log
        self._notices = notices
        self._mark = mark
        self._expected = False

    def __repr__(self) -> str:
        """Show what it is and where."""
        return f"<Service {self.name} at {self.url}, process {self.pid}>"

    @property
    def url(self) -> str:
        """Where it is asked by HTTP, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    @property
    def output(self) -> str:
        """Its output so far, standard output and standard error."""
        return self._log.read_text("utf-8", "replace")

    @property
    def notices(self) -> list[str]:
        """The lines it has sent by ``sd_notify``, such as ``READY=1``."""
        self._notices.read()
        return self._notices.all

    @property
    def exit_code(self) -> int | None:
        """Its exit code, or None as long as it runs."""
        return self._process.poll()

    def workers(self) -> list[int]:
        """Return the process ids of its children. Linux only."""
        return children(self.pid)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def until(
        self,
        condition: str | t.Callable[[], object],
        *,
        count: int = 1,
        timeout: float = TIMEOUT,
    ) -> None:
        """
        Wait until it has printed something, or a condition holds.

        Args:
            condition: A text, or what is called again and again.
            count: How often it must have printed the text.
            timeout: Seconds that may take.

        Raises:
            ServiceError: That did not happen in time, or the service ended.
        """
        text = condition if isinstance(condition, str) else None

        def holds() -> object:
            if callable(condition):
                return condition()
            return self.output.count(condition) >= count

        what = f"print {text!r}" if text else "do what was waited for"
        self._wait_for(holds, what, timeout)

    def until_ready(self, *, count: int = 1, timeout: float = TIMEOUT) -> None:
        """
        Wait until it has said that it is ready.

        Args:
            count: How often: it says so again after each reload.
            timeout: Seconds that may take.

        Raises:
            ServiceError: It did not in time, or ended.
        """

        def ready() -> bool:
            self._notices.read()
            return self._notices.ready >= count

        self._wait_for(ready, "become ready", timeout)

    def reload(self, timeout: float = TIMEOUT) -> None:
        """Have all workers replaced, and wait until that is done."""
        self._notices.read()
        before = self._notices.ready
        self.signal(signal.SIGHUP)
        self.until_ready(count=before + 1, timeout=timeout)

    def wait(self, timeout: float = TIMEOUT) -> int:
        """
        Wait until it has ended, and return its exit code.

        Raises:
            ServiceError: It did not end in time.
        """
        check_timeout(timeout)
        self._expected = True
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise self.error(f"did not end within {timeout:g} s.") from None

    def stop(self, timeout: float = TIMEOUT) -> int:
        """
        Ask it to end with ``TERM``, and return its exit code.

        Raises:
            ServiceError: It did not end in time.
        """
        if self.exit_code is None:
            self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self) -> int:
        """End it and its children by ``KILL``, and return its exit code."""
        kill_all(self.pid, self._mark)
        return self.wait()

    def error(self, reason: str) -> ServiceError:
        """Return an error that shows what it has printed."""
        return ServiceError(self.name, reason, self.output)

    def close(self, timeout: float = TIMEOUT) -> None:
        """
        End it for sure, with everything that came of it.

        Raises:
            ServiceError: It ended though nothing asked it to, did not end
                when it was asked to, or failed while it ended.
        """
        ended = self.exit_code
        try:
            if self._expected:
                return
            if ended is not None:
                raise self.error(
                    f"ended with exit code {ended}, though nothing asked it "
                    "to. If that is expected, call wait() or stop()."
                )
            code = self.stop(timeout)
            if code not in {0, -signal.SIGTERM}:
                raise self.error(
                    f"ended with exit code {code} when it was stopped after "
                    "the test. If that is expected, call stop()."
                )
        finally:
            kill_all(self.pid, self._mark)
            self._process.wait()
            self._notices.close()

    def _wait_for(
        self, condition: t.Callable[[], object], what: str, timeout: float
    ) -> None:
        check_timeout(timeout)
        held = False

        def over() -> bool:
            nonlocal held
            # In this order: its last words count, too.
            ended = self.exit_code is not None
            held = bool(condition())
            return held or ended

        poll(over, timeout)
        if held:
            return
        if self.exit_code is not None:
            self._expected = True  # It is said here.
            raise self.error(
                f"ended with exit code {self.exit_code}; it was to {what}."
            )
        raise self.error(f"did not {what} within {timeout:g} s.")


def environment(
    extra: t.Mapping[str, str], mark: tuple[str, str], notices: Notices
) -> dict[str, str]:
    """Return the environment of a service."""
    name, value = mark
    return {
        # One that pytest itself was started under is not for the service.
        **{k: v for k, v in os.environ.items() if k not in _SYSTEMD},
        "PYTHONUNBUFFERED": "1",
        **extra,
        "NOTIFY_SOCKET": notices.address,
        name: value,
    }


_SYSTEMD: t.Final = frozenset(
    {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC"}
)

__all__ = [
    "SHOWN",
    "TIMEOUT",
    "Service",
    "ServiceError",
    "environment",
]
