"""The life of a worker, from the fork to its end."""

from __future__ import annotations

import atexit
import gc
import logging
import os
import random
import signal
import sys
import threading
import typing as t
import weakref

from buvar import plugin
from buvar.components import Components
from buvar.components import Namespaces

from ._failure import Failure
from ._first_failure import FirstFailure
from ._heartbeat import Heartbeat
from ._ipc import Kind
from ._ipc import Sender
from ._options import Options
from ._parent import ParentDeathSignal
from ._preload import NewModules
from ._results import pack
from ._serving import Serving
from ._sockets import Socket
from ._streams import write_whole_lines
from ._supervise.signals import FORWARDED
from ._supervise.signals import HANDLED
from ._supervise.signals import TERMINAL
from ._terminal import no_terminal_input
from ._title import Title
from ._worker import Worker


#: What ends a process whose stage handles no signals, as it does any other.
_FATAL: t.Final = (signal.SIGINT, signal.SIGTERM)


class WorkerMain:
    """
    A worker, seen from inside.

    Args:
        options: What to run.
        worker: The component that tells which worker this is.
        sender: Where to report.
        sockets: What to listen on.
        lifeline: Readable when the parent is gone.
        parent_death: What ends this process with its parent.
        title: What names it.
    """

    def __init__(
        self,
        options: Options,
        worker: Worker,
        sender: Sender,
        sockets: t.Iterable[Socket],
        lifeline: int,
        *,
        parent_death: ParentDeathSignal,
        title: Title,
    ) -> None:
        self.options = options
        self.worker = worker
        self.sender = sender
        self.sockets = sockets
        self.lifeline = lifeline
        self.parent_death = parent_death
        self.title = title
        self.ready = False
        self._failed = FirstFailure()
        self.heartbeat = self._heartbeat()
        self.modules = NewModules(options.plugins)

    def run(self) -> int:
        """Run the stage, report, do what is to be done at exit."""
        _forget_exit()
        self._settle()
        code = self._stage()
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001
        # Nothing else does what the interpreter does at its exit.
        atexit._run_exitfuncs()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        return code

    def _settle(self) -> None:
        """Become a process of one's own."""
        # A terminal's Ctrl-C is the parent's: it passes it on, once.
        os.setpgid(0, 0)
        # So the worker is in the background of that terminal. It may write
        # there, also after `stty tostop`; what it reads is an error.
        for number in TERMINAL:
            signal.signal(number, signal.SIG_IGN)
        no_terminal_input()
        write_whole_lines()
        self.parent_death.tie()
        if self.options.collects:
            gc.enable()
        _seed()
        # Not for the workers: each would report for the whole service.
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
            os.environ.pop(name, None)
        self.title.show(f"worker {self.options.label(self.worker.slot)}")
        # It cannot be imported in a subinterpreter.
        import faulthandler  # noqa: PLC0415

        faulthandler.register(signal.SIGQUIT, file=2, chain=False)

    def _stage(self) -> int:
        serving = Serving(
            self.sockets, self._on_ready, strict=self.options.strict
        )
        try:
            self.options.identity.assume()
            # Another user was let off it.
            self.parent_death.tie()
            results = plugin.stage(
                self.heartbeat.prepare,
                *self.options.plugins,
                components=self._components(),
                on_ready=serving.begin,
                **self._stage_options(),
            )
            serving.end()
        except BaseException as error:  # noqa: BLE001 - told to the parent
            failure = Failure.of(error, ready=self.ready)
            self.sender.send(Kind.FAILED, failure.pack())
            return failure.code
        signalled = self.worker.signalled
        self.sender.send(Kind.RESULTS, pack(results, signalled=signalled))
        return 0

    def _heartbeat(self) -> Heartbeat:
        return Heartbeat(
            self.sender,
            self.options.heartbeat_interval,
            self.lifeline,
            HANDLED | FORWARDED,
            self._tell_modules,
            weigh=self.options.max_memory is not None,
        )

    def _components(self) -> Components:
        return own_components(
            self.options.components, self.worker, self.sockets
        )

    def _stage_options(self) -> dict[str, t.Any]:
        """Have the worker, and its parent, know when and why it ends."""
        options = self.options.stage_options()
        listeners = options.get("listeners", ())
        options["listeners"] = [self._tell_ending, *listeners]
        base: type[plugin.Signals] | None
        base = options.get("signals", plugin.Signals)
        if base is not None:
            options["signals"] = observed(base, self._note)
        else:
            for number in _FATAL:
                signal.signal(number, signal.SIG_DFL)
        return options

    def _note(self, stop: t.Callable[[], None]) -> t.Callable[[], None]:
        def noted() -> None:
            self.worker.signalled = True
            stop()

        return noted

    def _tell_modules(self) -> None:
        """Tell which modules were loaded, if all are to be preloaded."""
        asker = self.worker.asker
        if self.options.preload and asker is not None:
            modules = self.modules.look()
            if modules:
                asker.tell(modules)

    def _tell_ending(self, event: plugin.Event) -> None:
        """Tell at once that the stage ends: how it ended comes much later."""
        self._failed.hear(event)
        if event == plugin.StateChanged(plugin.State.STOPPING):
            self.sender.send(Kind.ENDING)
            if self._failed.error is not None:
                # It may never come, if the end takes too long.
                failure = Failure.of(self._failed.error, ready=self.ready)
                self.sender.send(Kind.FAILED, failure.pack())

    def _on_ready(self) -> None:
        self.ready = True
        self._tell_modules()
        self.sender.send(Kind.READY)
        self.heartbeat.once_after(self.options.stable_after)


def observed(
    base: type[plugin.Signals],
    wrap: t.Callable[[t.Callable[[], None]], t.Callable[[], None]],
) -> type[plugin.Signals]:
    """
    Return handlers of signals that stop a stage in another way.

    Args:
        base: The class of handlers.
        wrap: Gets what stops the stage, returns what they are to call.
    """

    def init(signals: plugin.Signals, stop: t.Callable[[], None]) -> None:
        base.__init__(signals, wrap(stop))

    return type(base.__name__, (base,), {"__init__": init})


def _forget_exit() -> None:
    """Leave to the parent what it is to do at its exit, e.g. remove files."""
    atexit._clear()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    atexit.register(logging.shutdown)
    finalize: t.Any = weakref.finalize
    for item in finalize._registry:  # noqa: SLF001
        item.atexit = False
    # Else those that are made from now on would be forgotten, too.
    finalize._registered_with_atexit = False  # noqa: SLF001


def own_components(
    given: Components | Namespaces | None,
    worker: Worker,
    sockets: t.Iterable[Socket],
) -> Components:
    """Put what a worker has of its own on top of what the caller gave."""
    if isinstance(given, Components):
        components = given.push()
    else:
        components = Components(given or {})
    components.add(worker)
    for item in sockets:
        # What was asked for before was only to set it up.
        item.served = False
        for uri in (item.uri, *item.aliases):
            components.add(item, name=uri)
    return components


def _seed() -> None:
    """Have no two workers draw the same random numbers."""
    random.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None:  # pragma: no cover - not installed for tests
        numpy.random.seed()
