"""What the package shows, and what importing it costs."""

from __future__ import annotations

import sys
import types

import pytest

from buvar import log
from buvar.log import _namespace


def test_all_is_what_is_defined():
    """Every public name is in __all__, and nothing else."""
    public = {
        name
        for name, value in vars(log).items()
        if not name.startswith("_")
        and not isinstance(value, types.ModuleType)
        and name != "annotations"
    }
    assert public == set(log.__all__)
    assert sorted(log.__all__, key=lambda name: name.lower()) == sorted(
        log.__all__, key=str.lower
    )


def test_importing_does_not_import_structlog(run):
    """structlog, and rich with it, is imported when logging is set up."""
    done = run(
        "import sys\n"
        "import buvar.log\n"
        "heavy = {'structlog', 'rich', 'orjson', 'logging.config'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    assert done.stdout == "[]\n"


def test_an_older_package_of_the_name_is_refused(monkeypatch):
    """A regular package called buvar hides ours: one sentence says so."""
    older = types.ModuleType("buvar")
    older.__file__ = "/site-packages/buvar/__init__.py"
    monkeypatch.setitem(sys.modules, "buvar", older)
    with pytest.raises(ImportError, match="pip uninstall buvar"):
        _namespace.check_namespace()
