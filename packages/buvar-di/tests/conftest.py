"""A registry and a context of its own for each test."""

from __future__ import annotations

import collections.abc

import pytest

from buvar import di
from buvar.components import Components
from buvar.context import buvar_context


@pytest.fixture(autouse=True)
def isolated() -> collections.abc.Iterator[None]:
    adapters = di.buvar_adapters.set(di.Adapters())
    components = buvar_context.set(Components())
    yield
    buvar_context.reset(components)
    di.buvar_adapters.reset(adapters)
