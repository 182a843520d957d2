"""Events know the span they belong to."""

from __future__ import annotations

import logging
import sys
import types

import pytest

from buvar import log


def test_ids_of_the_current_span(events):
    """Where OpenTelemetry is in use, its ids are part of each event."""
    trace = pytest.importorskip("opentelemetry.trace")
    log.setup_logging(tty=False)
    context = trace.SpanContext(trace_id=1, span_id=2, is_remote=False)
    with trace.use_span(trace.NonRecordingSpan(context)):
        logging.getLogger("x").info("a")
    logging.getLogger("x").info("b")
    inside, outside = events()
    assert inside["trace_id"] == "0" * 31 + "1"
    assert inside["span_id"] == "0" * 15 + "2"
    assert "trace_id" not in outside


def test_a_half_imported_package_does_no_harm(events, monkeypatch):
    """While OpenTelemetry is being imported there is no span."""
    half = types.ModuleType("opentelemetry.trace")
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", half)
    log.setup_logging(tty=False)
    logging.getLogger("x").info("a")
    assert "log_error" not in events()[0]


def test_it_is_not_imported(run):
    """Logging does not import OpenTelemetry."""
    done = run(
        "import logging, sys\n"
        "from buvar import log\n"
        "log.setup_logging(tty=False)\n"
        "logging.getLogger('x').info('a')\n"
        "print('opentelemetry' in sys.modules)\n"
    )
    assert done.stdout == "False\n"
