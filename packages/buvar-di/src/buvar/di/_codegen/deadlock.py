"""
Find out whether something waits for itself, through tasks of its own.

An adapter may start tasks. One of them that asks for what the adapter builds
waits for it: that is fine as long as the adapter does not wait for that task.
Asyncio keeps no record of which task waits for which, but each future knows
what goes on once it is done: following that from the task that waits leads to
all that wait for it, directly or through ``gather``, ``wait``, ``shield`` or a
``TaskGroup``. If the call that builds is among them, none of them ever ends.

A task group is waited for only when its block ends, so the question is asked
again from time to time.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import types
import typing as t


#: What the file names of compiled code start with.
COMPILED: t.Final = "<buvar.di "

#: Seconds before the question is asked first, and at most until it is again.
_FIRST, _MOST = 0.05, 5.0

#: Seconds of waiting that are worth a line in the log.
_LONG = 10.0

#: A chain of awaitables longer than this is not followed any further.
_DEEP = 1000

#: The modules of the callbacks that tasks add, written in C.
_OF_TASKS: t.Final = ("builtins", "_asyncio")

_FRAMES = (
    ("cr_frame", "cr_await"),
    ("ag_frame", "ag_await"),
    ("gi_frame", "gi_yieldfrom"),
)

_log = logging.getLogger("buvar.di")

Future: t.TypeAlias = "asyncio.Future[t.Any]"

#: The call that each waiting task waits for, and those it is in itself.
waiting: dict[t.Any, tuple[t.Any, frozenset[int]]] = {}


class Lookout:
    """
    Ends a wait that would never end, and names one that takes long.

    Args:
        over: What the task awaits.
        claim: The call that it waits for.
        name: What that builds.
        error: Makes the error if it waits for itself.
    """

    def __init__(
        self,
        over: asyncio.Future[None],
        claim: dict[t.Any, t.Any],
        name: str,
        error: t.Callable[[], Exception],
    ) -> None:
        self._over = over
        self._claim = claim
        self._name = name
        self._error = error
        self._task = asyncio.current_task()
        self._pause = _FIRST
        self._waited = 0.0
        self._named = False
        self._timer = self._start()

    def _start(self) -> asyncio.TimerHandle:
        return self._over.get_loop().call_later(self._pause, self._look)

    def _look(self) -> None:
        if self._over.done():
            return
        self._waited += self._pause
        if self._task and waits_for_itself(self._task, self._claim):
            self._over.set_exception(self._error())
            return
        if self._waited >= _LONG and not self._named:
            self._named = True
            _log.warning(
                "The task %r has waited %d s for %s, which another call is "
                "building: does that call wait for this task?",
                self._task and self._task.get_name(),
                self._waited,
                self._name,
            )
        self._pause = min(2 * self._pause, _MOST)
        self._timer = self._start()

    def cancel(self) -> None:
        """Stop: the wait is over."""
        self._timer.cancel()


def waits_for_itself(task: Future, claim: dict[t.Any, t.Any]) -> bool:
    """
    Tell whether a call waits, by some way, for a task that waits for it.

    Args:
        task: The task.
        claim: The keywords of the call, by which it is known.
    """
    todo: list[Future] = [task]
    seen = {id(task)}
    while todo:
        future = todo.pop()
        found = list(_woken(future))
        if isinstance(future, asyncio.Task):
            held = claims_of(t.cast("t.Any", future))
            if id(claim) in held:
                return True
            found += [
                other
                for other, (wanted, _) in tuple(waiting.items())
                if id(wanted) in held
            ]
        for other in found:
            if id(other) not in seen:
                seen.add(id(other))
                todo.append(other)
    return False


def claims_of(task: asyncio.Task[t.Any]) -> frozenset[int]:
    """Return the ids of the keywords of the calls that a task is in."""
    return frozenset(
        id(frame.f_locals["given"])
        for frame in _frames(task.get_coro())
        if frame.f_code.co_filename.startswith(COMPILED)
    )


def _frames(awaited: t.Any) -> t.Iterator[types.FrameType]:
    """Return the frames of something suspended, outermost first."""
    for _ in range(_DEEP):
        for name, inner in _FRAMES:
            if hasattr(awaited, inner):
                frame = getattr(awaited, name)
                if frame is not None:
                    yield frame
                awaited = getattr(awaited, inner)
                break
        else:
            # A step of an async generator, say: what it steps is known to
            # the garbage collector only.
            awaited = _inside(awaited, 2)
        if awaited is None:
            return


def _inside(awaited: t.Any, depth: int) -> t.Any:
    """Return the coroutine or generator that an awaitable goes through."""
    if awaited is None or asyncio.isfuture(awaited):
        return None
    inner = gc.get_referents(awaited)
    for referent in inner:
        if any(hasattr(referent, name) for _, name in _FRAMES):
            return referent
    if depth:
        for referent in inner:
            if not isinstance(referent, type) and hasattr(
                referent, "__await__"
            ):
                found = _inside(referent, depth - 1)
                if found is not None:
                    return found
    return None


def _woken(future: Future) -> t.Iterator[Future]:
    """Return the tasks and futures that go on when a future is done."""
    callbacks: t.Any = getattr(future, "_callbacks", None)
    for callback, *_ in callbacks or ():
        yield from _targets(callback)


def _targets(callback: t.Any) -> t.Iterator[Future]:
    """Return what a callback of a future has go on."""
    todo, seen = [callback], 0
    while todo and seen < _DEEP:
        part = todo.pop()
        seen += 1
        if asyncio.isfuture(part):
            yield part
        else:
            todo += _parts(part)


def _parts(callback_part: t.Any) -> t.Sequence[t.Any]:
    """Return what a part of a callback is made of."""
    if isinstance(callback_part, functools.partial):
        return (callback_part.func, *callback_part.args)
    if isinstance(callback_part, types.MethodType):
        # Such as that of ``as_completed``, which fills a queue.
        attributes: t.Any = getattr(
            callback_part.__self__, "__dict__", {}
        ).values()
        return (callback_part.__self__, *filter(_is_queue, attributes))
    if isinstance(callback_part, types.FunctionType):
        # Not the functions among them: they would lead anywhere.
        return [
            part
            for part in map(_content, callback_part.__closure__ or ())
            if not isinstance(part, types.FunctionType)
        ]
    if isinstance(callback_part, asyncio.Queue | asyncio.TaskGroup):
        inside = vars(callback_part)
        # That of a group is there only while its block waits for the tasks.
        return (*inside.get("_getters", ()), inside.get("_on_completed_fut"))
    if type(callback_part).__module__ in _OF_TASKS:
        # What a task itself adds where it awaits a future.
        return [
            referent
            for referent in gc.get_referents(callback_part)
            if asyncio.isfuture(referent)
        ]
    return ()


def _is_queue(value: object) -> bool:
    return isinstance(value, asyncio.Queue)


def _content(cell: types.CellType) -> t.Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None
