"""The one lock that guards views while they are filled and emptied."""

from __future__ import annotations

import os
import threading


#: Guards the views, and what is told to listeners: held for as short as
#: possible, no other lock is waited for meanwhile. It is reentrant.
LOCK = threading.RLock()

if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows
    # A thread of the parent may hold it at the fork; the child has no such
    # thread to release it.
    os.register_at_fork(
        before=LOCK.acquire,
        after_in_parent=LOCK.release,
        after_in_child=LOCK.release,
    )
