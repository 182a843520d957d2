"""How many workers there are: ``TTIN`` and ``TTOU``."""

from __future__ import annotations

from . import commands as do
from . import ending
from .state import Slot
from .turn import Turn


def scale(turn: Turn, *, more: bool) -> None:
    """Have one worker more or less of the first role that may."""
    service = turn.service
    roles = service.options.each_role()
    role = next((each for each in roles if not each.exclusive), None)
    if role is None:
        turn.warning("All roles are exclusive: each keeps its one worker.")
        return
    slots = [slot for slot in service.slots if slot.options is role]
    if more:
        service.slots.append(Slot(number=len(slots) + 1, options=role))
    elif len(slots) > 1:
        service.slots.remove(slots[-1])
        for worker in service.serving(slots[-1]):
            ending.retire(turn, worker)
        turn.do(do.DropSlot(slots[-1].number, role.role))
