"""Allow ``python -m buvar.cli``."""

from __future__ import annotations

from buvar.cli import main


main()
