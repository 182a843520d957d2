"""Write the findings of a check for people, programs and editors."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import textwrap
import typing as t

from importlib import metadata

import click

from ._findings import RULES
from ._findings import Finding
from ._findings import exit_code


_SCHEMA: t.Final = "https://json.schemastore.org/sarif-2.1.0.json"
#: What relative paths start at, in the language of SARIF.
_HERE: t.Final = "PWD"


def as_text(findings: t.Sequence[Finding]) -> str:
    """Return a line for each mistake, and how many there are."""
    number = sum(not finding.is_note for finding in findings)
    total = f"{number} mistake{'' if number == 1 else 's'} found."
    return "\n".join([*map(str, findings), total])


def terminal_width(stream: t.TextIO | None) -> int:
    """Return the columns of a terminal that shows colours, else 0."""
    # There is none if it was closed before the start.
    if stream is None or not stream.isatty() or os.environ.get("NO_COLOR"):
        return 0
    if os.environ.get("TERM") == "dumb":
        return 0
    return shutil.get_terminal_size().columns


def for_terminal(findings: t.Sequence[Finding], width: int) -> str:
    """Return the same with colours, and lines that are broken at words."""
    lines: list[str] = []
    for finding in findings:
        message, *more = finding.message.split("\n")
        place = f"{finding.place}: " if finding.place else ""
        rule = f"[{finding.rule}]"
        # A place or a path is not broken: people click on it, or copy it.
        text = textwrap.fill(
            f"{place}{message} {rule}",
            width,
            break_long_words=False,
            break_on_hyphens=False,
        )
        if place and text.startswith(place):
            text = click.style(place, bold=True) + text[len(place) :]
        text = text.removesuffix(rule) + click.style(rule, fg="red")
        lines.append(text)
        lines += more
        for hint in (finding.hint or "").split("\n"):
            lines += [
                click.style(line, dim=True) for line in _broken(hint, width)
            ]
        lines.append("")
    total = as_text(findings).rpartition("\n")[2]
    return "\n".join([*lines, click.style(total, fg="red", bold=True)])


def _broken(text: str, width: int) -> list[str]:
    indent = " " * (4 + len(text) - len(text.lstrip()))
    return textwrap.wrap(
        text.strip(), width, initial_indent=indent, subsequent_indent=indent
    )


def as_json(findings: t.Sequence[Finding]) -> str:
    """Return an object with all mistakes, and notes if there are any."""
    data: dict[str, t.Any] = {
        "exit_code": exit_code(findings),
        "mistakes": [
            _data(finding) for finding in findings if not finding.is_note
        ],
    }
    notes = [_data(finding) for finding in findings if finding.is_note]
    if notes:
        data["notes"] = notes
    return json.dumps(data, indent=2)


def _data(finding: Finding) -> dict[str, t.Any]:
    return {
        "rule": finding.rule,
        "message": finding.message,
        "hint": finding.hint,
        "file": finding.file,
        "line": finding.line,
        "origin": finding.origin,
    }


def as_sarif(findings: t.Sequence[Finding]) -> str:
    """Return a log in the Static Analysis Results Interchange Format."""
    names = list(RULES)
    run = {
        "tool": {
            "driver": {
                "name": "buvar",
                "version": metadata.version("buvar"),
                "rules": [
                    {"id": name, "shortDescription": {"text": text}}
                    for name, (_, text) in RULES.items()
                ],
            }
        },
        "originalUriBaseIds": {
            _HERE: {"uri": f"{pathlib.Path.cwd().as_uri()}/"}
        },
        "invocations": [
            {
                "executionSuccessful": True,
                "exitCode": exit_code(findings),
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [
            {
                "ruleId": finding.rule,
                "ruleIndex": names.index(finding.rule),
                "level": "note" if finding.is_note else "error",
                "message": {"text": _message(finding)},
                **_locations(finding),
            }
            for finding in findings
        ],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2)


def _message(finding: Finding) -> str:
    origin = f" ({finding.origin})" if finding.origin else ""
    hint = f"\n{finding.hint}" if finding.hint else ""
    return f"{finding.message}{origin}{hint}"


def _locations(finding: Finding) -> dict[str, t.Any]:
    if finding.file is None:
        return {}
    path = pathlib.Path(finding.file)
    here = pathlib.Path.cwd()
    artifact: dict[str, str]
    if not path.is_absolute() or path.is_relative_to(here):
        relative = os.path.relpath(path, here)
        if relative.startswith(".."):
            artifact = {"uri": path.resolve().as_uri()}
        else:
            uri = pathlib.PurePath(relative).as_posix()
            artifact = {"uri": _quoted(uri), "uriBaseId": _HERE}
    else:
        artifact = {"uri": path.as_uri()}
    physical: dict[str, t.Any] = {"artifactLocation": artifact}
    if finding.line is not None:
        physical["region"] = {"startLine": finding.line}
    return {"locations": [{"physicalLocation": physical}]}


def _quoted(path: str) -> str:
    import urllib.parse  # noqa: PLC0415 - only where something is wrong

    return urllib.parse.quote(path)


FORMATS: t.Final[dict[str, t.Callable[[t.Sequence[Finding]], str]]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
}
