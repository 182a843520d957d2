"""What the documents show is what the programs print."""

from __future__ import annotations

import ast
import importlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import types
import typing as t
import urllib.request

from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 60  # seconds, a bound and no expectation
EXAMPLE = re.compile(
    r"^```python\n(?P<program>.*?)^```$"
    r"(?:(?:(?!^```).)*?^```text\n(?P<output>.*?)^```$)?",
    re.DOTALL | re.MULTILINE,
)
#: A program that does not end, or is not whole: it is compiled only.
PROGRAM = re.compile(r"^```py\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
DOCUMENTS = sorted(
    {
        ROOT / "README.md",
        *ROOT.glob("packages/*/README.md"),
        *ROOT.glob("docs/**/*.md"),
    }
    - {*ROOT.glob("docs/_build/**/*.md")}
)


#: Pages that a test of a package writes and compares.
GENERATED = ("errors.md", "errors-di.md", "log-gallery.md")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def examples() -> t.Iterator[t.Any]:
    for document in DOCUMENTS:
        if document.name in GENERATED:
            continue
        text = document.read_text("utf-8")
        for number, match in enumerate(EXAMPLE.finditer(text), 1):
            name = f"{document.relative_to(ROOT)}-{number}"
            yield pytest.param(match["program"], match["output"], id=name)


@pytest.mark.parametrize(("program", "expected"), [*examples()])
def test_examples(program: str, expected: str | None, tmp_path: Path) -> None:
    """A program in a document runs, and prints what stands below it."""
    tmp_path.joinpath("example.py").write_text(program)
    env = {k: v for k, v in os.environ.items() if k != "PYTEST_ADDOPTS"}
    # In a CI Hypothesis does not mind a machine that stands still for a while.
    env["CI"] = "true"

    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "example.py"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    if expected is not None:
        assert done.stdout == expected


@pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)
def test_programs_compile(document: Path) -> None:
    """A program that is shown but not run here has no mistake in its form."""
    for program in PROGRAM.findall(document.read_text("utf-8")):
        compile(program, document, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def public_modules() -> t.Iterator[types.ModuleType]:
    """Import all modules that users may name."""
    for source in ROOT.glob("packages/*/src"):
        for file in sorted(source.glob("**/__init__.py")):
            name = ".".join(file.parent.relative_to(source).parts)
            if not name.startswith("_") and "._" not in name:
                yield importlib.import_module(name)


def errors_of(module: types.ModuleType) -> set[type[BaseException]]:
    """Return the exceptions that a module publishes."""
    found = (getattr(module, name) for name in getattr(module, "__all__", ()))
    return {
        item
        for item in found
        if isinstance(item, type) and issubclass(item, BaseException)
    }


def test_every_error_is_listed() -> None:
    """The page of errors has a table of all that any package publishes."""
    page = (ROOT / "docs/reference/errors.md").read_text("utf-8")
    match = re.search(r"^```\{errors\} (.+)$", page, re.MULTILINE)
    assert match
    listed = set[type[BaseException]]()
    for name in match[1].split():
        listed |= errors_of(importlib.import_module(name))
    for module in public_modules():
        missing = errors_of(module) - listed
        assert not missing, f"list {module.__name__} in docs/reference"


@pytest.mark.parametrize("name", ["README.md", "docs/index.md"])
def test_the_first_program_serves(name: str, tmp_path: Path) -> None:
    """The program that readers see first answers as shown, and ends with 0."""
    text = (ROOT / name).read_text("utf-8")
    port = free_port()
    match = PROGRAM.search(text)
    assert match
    program = tmp_path / "hello.py"
    program.write_text(match[1].replace("8080", str(port)), "utf-8")
    command = [sys.executable, "-W", "error", str(program)]

    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        bound = threading.Timer(TIMEOUT, process.kill)
        bound.start()
        try:
            ready = process.stderr.readline()
            url = f"http://127.0.0.1:{port}/Ada"
            with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
                answer = response.read().decode()
            process.send_signal(signal.SIGTERM)
            code = process.wait(TIMEOUT)
        finally:
            bound.cancel()
            process.kill()

    assert answer == "Hello, Ada!\n"
    assert code == 0
    # The landing page has a terminal that is recorded when it is built.
    if "```{terminal}" not in text:
        assert ready.replace(str(port), "8080") in text
        assert answer in text


@pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)
def test_links(document: Path) -> None:
    """A link to another file of the repository leads somewhere."""
    for target in LINK.findall(document.read_text("utf-8")):
        assert (document.parent / target).exists(), target


def test_every_section_has_a_table() -> None:
    """The page of the settings has all the classes that define one."""
    text = (ROOT / "docs/reference/settings.md").read_text("utf-8")
    tables = re.findall(r"^```\{settings\} (\S+) (\w+)$", text, re.MULTILINE)
    program = (
        "import buvar_aiohttp, buvar.log, buvar.cli._application as own\n"
        "from buvar import config\n"
        "print(*{*config.sections(), *own.OWN})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=True,
    )

    assert {section for _, section in tables} == {*done.stdout.split()}


def test_every_command_is_shown() -> None:
    """The page of the command line prints the help of each command."""
    text = (ROOT / "docs/reference/cli.md").read_text("utf-8")
    program = "from buvar.cli._commands import buvar; print(*buvar.commands)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=True,
    )

    for command in done.stdout.split():
        assert f"\nbuvar {command} --help\n" in text
