"""
Run pyright, and hold two of its rules to a list of exceptions.

``reportPrivateUsage`` and ``reportImportCycles`` are on. What they still find
is listed in ``pyright_known.toml``, by package; anything else fails, and so
does an exception that is not needed any more: the list only gets shorter.
Two functions of ``sys`` with an underscore are documented for everybody.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import typing as t

from collections import Counter
from pathlib import Path


ROOT = Path(__file__).resolve().parent.parent
RULES = ("reportPrivateUsage", "reportImportCycles")

#: Functions that the documentation of Python offers to everybody.
DOCUMENTED = frozenset({"_current_frames", "_getframe"})

#: Package, rule, and the name that is private, or the module of a circle.
Finding = tuple[str, str, str]


def main() -> int:
    """Run pyright and compare what it finds with the list."""
    config = ROOT / "tools" / "pyrightconfig.json"
    done = subprocess.run(
        ["pyright", "--project", str(config), "--outputjson"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        report = json.loads(done.stdout)["generalDiagnostics"]
    except ValueError:
        print(done.stdout + done.stderr, file=sys.stderr)
        return done.returncode or 1
    listed = (ROOT / "tools" / "pyright_known.toml").read_text("utf-8")
    lines = problems(report, known(tomllib.loads(listed)))
    print("\n".join(lines) if lines else "pyright: nothing new")
    return bool(lines)


def known(content: t.Mapping[str, t.Any]) -> Counter[Finding]:
    """Return the exceptions that a file lists, and how often each."""
    return Counter(
        {
            (package, rule, name): number
            for package, rules in content.items()
            for rule, names in rules.items()
            for name, number in names.items()
        }
    )


def problems(
    report: t.Iterable[t.Mapping[str, t.Any]], exceptions: Counter[Finding]
) -> list[str]:
    """
    Return a line for all that is wrong.

    Args:
        report: The diagnostics of pyright.
        exceptions: The findings that are listed.
    """
    lines: list[str] = []
    found: dict[Finding, list[str]] = {}
    for item in report:
        path = Path(item["file"]).relative_to(ROOT)
        # A circle has no place in the file.
        start = item.get("range", {"start": {"line": 0}})["start"]
        line = start["line"] + 1
        text = f"{path}:{line}: {item['message']} ({item.get('rule')})"
        if item.get("rule") in RULES:
            finding = _finding(path, item)
            if finding[2] not in DOCUMENTED:
                found.setdefault(finding, []).append(text)
        else:
            lines.append(text)
    for finding, texts in found.items():
        if len(texts) > exceptions[finding]:
            lines += texts
    lines += [
        f"tools/pyright_known.toml: {' '.join(finding)} is listed "
        f"{number} times, {len(found.get(finding, ()))} are left: shorten it"
        for finding, number in exceptions.items()
        if number > len(found.get(finding, ()))
    ]
    return lines


def _finding(path: Path, item: t.Mapping[str, t.Any]) -> Finding:
    package, rule = path.parts[1], item["rule"]
    if rule == "reportPrivateUsage":
        name = re.findall(r'"(\w+)"', item["message"])[0]
        return package, rule, name
    # Which file of a circle is told changes with the order of the imports.
    return package, rule, "circles"


if __name__ == "__main__":
    sys.exit(main())
