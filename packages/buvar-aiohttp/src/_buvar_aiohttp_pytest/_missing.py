"""The fixtures, where the extra is not installed: they say so."""

from __future__ import annotations

import typing as t

import pytest


def _refuse() -> t.NoReturn:
    """
    Say what is missing.

    Raises:
        UsageError: The extra is not installed.
    """
    raise pytest.UsageError(
        "The fixtures of buvar-aiohttp need pytest-aiohttp and buvar-pytest, "
        "which are not installed, or disabled.\n"
        "Install the extra: pip install 'buvar-aiohttp[pytest]'."
    )


buvar_aiohttp_app = pytest.fixture(name="buvar_aiohttp_app")(_refuse)
buvar_aiohttp_client = pytest.fixture(name="buvar_aiohttp_client")(_refuse)
