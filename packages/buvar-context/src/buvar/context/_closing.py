"""The names that ``buvar.components.spi`` replaces."""

from __future__ import annotations

from buvar.components._closing import ENDING
from buvar.components._closing import close
from buvar.components._closing import raise_failures
from buvar.components._types import ENDED


__all__ = ["ENDED", "ENDING", "close", "raise_failures"]
