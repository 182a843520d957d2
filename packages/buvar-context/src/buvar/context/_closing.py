"""The names that ``buvar.components.spi`` replaces."""

from __future__ import annotations

from buvar.components._closing import ENDING as ENDING
from buvar.components._closing import close as close
from buvar.components._closing import raise_failures as raise_failures
from buvar.components._types import ENDED as ENDED
