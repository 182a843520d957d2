"""Prepare plugins only to look at what they prepare."""

from __future__ import annotations

import asyncio
import typing as t

from buvar import context
from buvar.components import Components
from buvar.components import Namespaces

from ._resolve import Plugin
from ._resolve import calling_frame
from ._run import complete
from ._stage import Stage
from ._traceback import begin_here


def checking() -> bool:
    """
    Tell whether plugins are only prepared to be looked at.

    ``buvar check`` and ``buvar graph`` do that, also beside the running
    service: a plugin then binds no socket, takes no lock, removes no file
    and changes nothing that others see.

    Example:
        >>> async def prepare():
        ...     if not checking():
        ...         bind_the_socket()
    """
    stage = context.get(Stage, default=None)
    return stage is not None and stage.checking


def add_check(function: t.Callable[[], object]) -> None:
    """
    Have a check call a function once all plugins are prepared.

    What it raises is reported, beside what other functions raise. It is never
    called outside of a check, see ``check()``.
    """
    stage = context.get(Stage, default=None)
    if stage is not None:
        stage.checks.append(function)


def check(
    *plugins: Plugin,
    look: t.Callable[[], object] = lambda: None,
    components: Components | Namespaces | None = None,
) -> None:
    """
    Prepare plugins, look at what they prepared, and tear down.

    No task is started, and ``checking()`` is true.

    Args:
        plugins: As for ``stage()``.
        look: Called last, in the layer of the plugins.
        components: Components that the plugins find in the context.

    Raises:
        ExceptionGroup: Something failed, as in ``stage()``.
    """
    run = Stage(
        *plugins,
        components=components,
        _look=look,
        _origin=calling_frame(),
    )
    try:
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            complete(loop, loop.create_task(run.run()), run)
    except BaseException as error:  # noqa: BLE001 - raised again
        raise begin_here(error)  # noqa: B904 - it is the same one
