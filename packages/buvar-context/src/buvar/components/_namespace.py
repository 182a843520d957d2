"""Refuse to work beside the older, regular package of the same name."""

from __future__ import annotations

import sys


def check_namespace() -> None:
    """
    Make sure that ``buvar`` is a namespace (PEP 420).

    Raises:
        ImportError: An older distribution owns ``buvar/__init__.py``.
    """
    parent = sys.modules["buvar"]
    if getattr(parent, "__file__", None) is not None:
        msg = (
            f"{parent.__file__} belongs to an older release of buvar "
            "(before 1.0), which hides the packages installed beside it: run "
            "'pip uninstall buvar', then install the buvar packages again."
        )
        raise ImportError(msg, name="buvar", path=parent.__file__)


check_namespace()
