"""Warnings are events."""

from __future__ import annotations

import warnings

from buvar import log


def test_a_warning_is_an_event(events):
    """The logger py.warnings says what, which and where."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        log.setup_logging(tty=False)
        warnings.warn("careful", UserWarning, stacklevel=1)
        log.reset()
    (event,) = events()
    assert (event["logger"], event["level"]) == ("py.warnings", "warning")
    assert (event["event"], event["category"]) == ("careful", "UserWarning")
    assert event["file"] == __file__
    assert isinstance(event["line"], int)


def test_warnings_can_be_left_alone():
    """Without capture_warnings the hook stays as it is."""
    before = warnings.showwarning
    log.setup_logging(capture_warnings=False)
    assert warnings.showwarning is before


def test_a_warning_for_a_file_goes_there(run):
    """Who names a file gets the text there."""
    done = run(
        "import sys, warnings\n"
        "from buvar import log\n"
        "log.setup_logging(tty=False)\n"
        "warnings.showwarning('careful', UserWarning, 'a.py', 1, sys.stdout)"
    )
    assert done.stdout == "a.py:1: UserWarning: careful\n"
    assert done.stderr == ""
