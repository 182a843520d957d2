"""Development: run the program again whenever its source changes."""

from __future__ import annotations

import importlib
import os
import shlex
import sys
import typing as t

from ._errors import UnsupportedError


#: Set in the program that is run again and again.
_MARK: t.Final = "BUVAR_FORK_RELOADED"


def reload_forever(
    paths: t.Iterable[str | os.PathLike[str]] | None,
) -> None:
    """
    Run this program in a child, again and again; return only in that child.

    Args:
        paths: What to watch; None means the sources in this directory, but
            not what the program may write there.

    Raises:
        UnsupportedError: ``watchfiles`` is not installed.
        SystemExit: The watching process was told to end.
    """
    if os.environ.pop(_MARK, None):
        return
    try:
        watchfiles: t.Any = importlib.import_module("watchfiles")
    except ImportError as error:
        raise UnsupportedError(
            "reload=True needs watchfiles: pip install 'buvar-fork[reload]'."
        ) from error
    options: dict[str, t.Any] = {}
    if paths is None:
        paths = ["."]
        options["watch_filter"] = watchfiles.PythonFilter(
            extra_extensions=(".toml",)
        )
    os.environ[_MARK] = "1"
    try:
        watchfiles.run_process(
            *paths,
            **options,
            target=shlex.join([sys.executable, *sys.orig_argv[1:]]),
            target_type="command",
        )
    finally:
        os.environ.pop(_MARK, None)
    raise SystemExit(0)
