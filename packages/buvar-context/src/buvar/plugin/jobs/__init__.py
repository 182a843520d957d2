"""
Background jobs, a bounded number at a time.

A job is work that nobody waits for, such as sending a mail after a request was
answered. Load this module as a plugin and jobs end with the stage.
"""

from __future__ import annotations

from buvar.components._public import publish as _publish

from ._impl import Jobs
from ._impl import JobsClosedError
from ._impl import prepare


__all__ = [
    "Jobs",
    "JobsClosedError",
    "prepare",
]

_publish(globals())
