"""Complete words of the command line in a shell."""

from __future__ import annotations

import logging
import pathlib
import typing as t

import click
import click.shell_completion


Item: t.TypeAlias = click.shell_completion.CompletionItem

#: The shells that click knows.
SHELLS: t.Final = ("bash", "zsh", "fish")
#: What is not a plugin although it can be imported.
_OTHERS: t.Final = frozenset({"conftest", "setup"})


def script(shell: str, command: click.Command) -> str:
    """Return what a shell reads to complete the words of a command."""
    cls = click.shell_completion.get_completion_class(shell)
    assert cls is not None, shell  # noqa: S101 - one of SHELLS
    return cls(command, {}, "buvar", "_BUVAR_COMPLETE").source()


def files(
    _ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[Item]:
    """Complete to the files there are."""
    return [Item(incomplete, type="file")]


def folders(
    _ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[Item]:
    """Complete to the folders there are."""
    return [Item(incomplete, type="dir")]


def levels(
    _ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[Item]:
    """Complete to the levels of logs."""
    names = sorted(logging.getLevelNamesMapping())
    return [Item(name) for name in names if name.startswith(incomplete)]


def plugins(
    _ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[Item]:
    """Complete to modules of this folder and entry points; import none."""
    package, dot, _ = incomplete.rpartition(".")
    folder = pathlib.Path(*package.split("."))
    found = {
        f"{package}{dot}{path.stem}"
        for path in folder.glob("[!.]*")
        if _is_module(path)
    }
    from importlib import metadata  # noqa: PLC0415 - it imports much

    group = metadata.entry_points(group="buvar.plugins")
    found.update(entry_point.name for entry_point in group)
    names = sorted(found)
    return [Item(name) for name in names if name.startswith(incomplete)]


def _is_module(path: pathlib.Path) -> bool:
    if not path.stem.isidentifier() or path.stem.startswith("_"):
        return False
    if path.is_dir():
        return (path / "__init__.py").is_file()
    return path.suffix == ".py" and path.stem not in _OTHERS


def settings(
    _ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[Item]:
    """Complete to the settings that the command itself reads."""
    import attrs  # noqa: PLC0415

    from ._application import OWN  # noqa: PLC0415

    keys = [
        f"{section}.{field.name}="
        for section, cls in OWN.items()
        if attrs.has(cls)
        for field in attrs.fields(cls)
    ]
    return [Item(key) for key in sorted(keys) if key.startswith(incomplete)]
