"""The findings of a check: mistakes, each with its place."""

from __future__ import annotations

import pathlib
import re
import traceback
import typing as t

import attrs

from buvar import config
from buvar import di
from buvar import plugin

from ._application import FORK
from ._application import Application
from ._errors import Exit


#: What may be wrong, and with what the command then exits.
RULES: t.Final[dict[str, tuple[Exit, str]]] = {
    "configuration": (Exit.USAGE, "A value of the configuration is wrong."),
    "unread": (Exit.USAGE, "Nothing reads a setting."),
    "plugin": (Exit.USAGE, "A plugin cannot be found or loaded."),
    "prepare": (Exit.FAILED, "A plugin cannot be prepared."),
    "injection": (Exit.FAILED, "Something that is injected is missing."),
    "left-out": (Exit.FINE, "A condition says that it is not used."),
    "unseen": (Exit.FINE, "A static check cannot know this."),
}

#: A file and a line, as a configuration names them.
_ORIGIN: t.Final = re.compile(
    r"(?P<file>[^$-].*?)(?::(?P<line>\d+)(?::\d+)?)?"
)
#: The same, as injection does.
_PLACE: t.Final = re.compile(r"[(\[](?P<file>[^()\[\]\n]+):(?P<line>\d+)[)\]]")


@attrs.frozen
class Finding:
    """
    One mistake.

    Attributes:
        rule: What kind it is, one of ``RULES``.
        message: What is wrong.
        hint: What to do about it.
        file: The file in which it is.
        line: The line, from 1.
        origin: Where it came from if that is not a file: ``$VARIABLE``,
            ``--set key``.
    """

    rule: str
    message: str
    hint: str | None = None
    file: str | None = None
    line: int | None = None
    origin: str | None = None

    @property
    def exit_code(self) -> int:
        """With what the command exits."""
        return int(RULES[self.rule][0])

    @property
    def is_note(self) -> bool:
        """Whether it is not a mistake, but good to know."""
        return self.exit_code == Exit.FINE

    @property
    def place(self) -> str | None:
        """Where it is, as editors read it."""
        if self.file is None:
            return self.origin
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def __str__(self) -> str:
        """Render it in a line, with what to do about it below."""
        place = f"{self.place}: " if self.place else ""
        text = f"{place}{self.message} [{self.rule}]"
        if self.hint:
            text += "\n    " + self.hint.replace("\n", "\n    ")
        return text


def exit_code(findings: t.Iterable[Finding]) -> int:
    """
    Return with what a check exits that has found these.

    2 says that correcting the configuration is enough.
    """
    codes = [finding.exit_code for finding in findings if not finding.is_note]
    return min(codes, default=0)


def of_error(
    error: BaseException, source: config.ConfigSource | None = None
) -> list[Finding]:
    """
    Return what an error says is wrong, one by one.

    Args:
        error: What was raised.
        source: Knows where the tables are that lack something.
    """
    if isinstance(error, config.ConfigError):
        return [_of_problem(problem, source) for problem in error.errors]
    if isinstance(error, di.CheckError):
        return [_of_injection(failure) for failure in error.errors]
    if isinstance(error, di.ResolveError):
        return [_of_injection(error)]
    if isinstance(error, BaseExceptionGroup):
        group = t.cast("BaseExceptionGroup[BaseException]", error)
        found = [of_error(inner, source) for inner in group.exceptions]
        return [finding for findings in found for finding in findings]
    return [_of_failure(plugin.failures(error)[0])]


def named(
    finding: Finding, application: Application, name: plugin.Plugin
) -> Finding:
    """Say where a plugin is named that cannot be found."""
    if finding.rule != "plugin" or finding.place is not None:
        return finding
    for role in application.roles_with(name):
        path = (FORK, "roles", role, "plugins")
        place = _ORIGIN.fullmatch(application.source.where(path) or "")
        if place is not None:
            line = place["line"]
            return attrs.evolve(
                finding, file=place["file"], line=int(line) if line else None
            )
    return attrs.evolve(finding, origin="PLUGINS")


def _of_problem(
    problem: config.Problem, source: config.ConfigSource | None
) -> Finding:
    text = problem.message
    rule = "unread" if _UNREAD.search(problem.expected) else "configuration"
    origin = problem.source
    if origin is None and source is not None:
        # Something is missing: it belongs where its table is.
        origin = source.where(problem.path.split(".")[:-1])
    place = _ORIGIN.fullmatch(origin or "")
    if place is None or origin == "code":
        return Finding(rule, text, problem.hint, origin=origin)
    line = place["line"]
    return Finding(
        rule, text, problem.hint, place["file"], int(line) if line else None
    )


#: How ``check_unknown`` says that nothing reads something.
_UNREAD: t.Final = re.compile(r"^unknown (?!value)")


def _of_injection(error: di.ResolveError) -> Finding:
    lines = [line.rstrip() for line in error.tree]
    place = _PLACE.search("\n".join(lines))
    return Finding(
        "injection",
        "\n    ".join(lines),
        "\n".join(f"Hint: {hint}" for hint in error.hints) or None,
        place["file"] if place else None,
        int(place["line"]) if place else None,
    )


def _of_failure(failure: plugin.Failure) -> Finding:
    """Return what failed while a plugin was prepared."""
    error = failure.error
    if isinstance(error, plugin.ParameterError):
        message, *_ = str(error).partition("\n")
        return Finding("plugin", message, error.cure, error.file, error.line)
    file, line = _place_of(error)
    if isinstance(error, plugin.PluginError):
        message, _, hint = str(error).partition("\n")
        return Finding("plugin", message, hint or None, file, line)
    if failure.explains_itself:
        message, _, hint = str(error).partition("\n")
        code = getattr(error, "exit_code", Exit.FAILED)
        rule = "configuration" if code == Exit.USAGE else "prepare"
        return Finding(rule, message, hint or None, file, line)
    name = failure.facts.get("plugin")
    said = f"{type(error).__name__}: {error}"
    what = "prepared"
    if name is None or failure.facts.get("phase") == "import":
        what = "imported"
    # A static check knows only where an import failed.
    which = "A plugin" if name is None else f"The plugin {name!r}"
    text = f"{which} could not be {what}: {said}"
    asked = [x for x in getattr(error, "__notes__", ()) if "condition" in x]
    if name is None and asked:
        # It was raised while something was planned, not by an import.
        text = f"{said}, {asked[0]}"
    return Finding("prepare", text, None, file, line)


def _place_of(error: BaseException) -> tuple[str | None, int | None]:
    """Return where an exception was raised."""
    if isinstance(error, SyntaxError):
        return error.filename, error.lineno
    # What names a place itself knows better than where it was raised.
    place = _PLACE.fullmatch(f"({getattr(error, 'place', '')})")
    if place is not None:
        return place["file"], int(place["line"])
    if isinstance(error, plugin.NoPrepareError) and error.file is not None:
        return error.file, error.line
    frames = [
        (frame.f_code.co_filename, line, frame.f_globals.get("__name__", ""))
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    written = [
        (file, line)
        for file, line, module in frames
        if module.partition(".")[0] not in _MACHINERY
    ]
    # What is wrong is more often here than in what is installed.
    found = [place for place in written if _is_here(place[0])] or written
    if not found and not isinstance(error, plugin.PluginError):
        found = [(file, line) for file, line, _ in frames]
    return found[-1] if found else (None, None)


#: Packages whose own lines say nothing of what a user did wrong.
_MACHINERY: t.Final = frozenset(
    {"asyncio", "buvar", "buvar_aiohttp", "importlib"}
)


def _is_here(file: str) -> bool:
    """Tell whether a file is one of the project in the working directory."""
    path = pathlib.Path(file)
    return (
        path.is_relative_to(pathlib.Path.cwd())
        and "site-packages" not in path.parts
    )
