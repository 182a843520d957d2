"""Refuse to work beside the older, regular package of the same name."""

from __future__ import annotations

import sys

from importlib.machinery import PathFinder


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
    check_whole("buvar.components")
    check_whole("buvar.di")


def check_whole(name: str) -> None:
    """
    Make sure that a package of ours has not lost its ``__init__``.

    pip installs what a distribution needs first, then removes the files of
    the release that it replaces. An older buvar had these packages itself.

    Raises:
        ImportError: The folder is there, but not what makes it a package.
    """
    # A module that looks further would have to be imported for it.
    spec = PathFinder.find_spec(name, sys.modules["buvar"].__path__)
    if spec is not None and spec.origin is None:
        folder = next(iter(spec.submodule_search_locations or ()), "?")
        msg = (
            f"{folder} has lost its '__init__.py', as happens when pip "
            "replaces a release of buvar before 1.0: run 'pip install "
            "--force-reinstall --no-deps buvar-context buvar-di'."
        )
        raise ImportError(msg, name=name, path=folder)


check_namespace()
