"""A terminal, recorded while the pages are built: the first program, run."""

from __future__ import annotations

import html
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import typing as t
import urllib.request

from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx


PROGRAM = re.compile(r"^```py\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TIMEOUT: t.Final = 60
#: Seconds from one command to the next one, and to what it prints.
PAUSE: t.Final = 1.1
LINE: t.Final = 19
WIDTH: t.Final = 720
#: What differs from one build to the next.
PROCESS: t.Final = re.compile(r"process \d+")


def children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()]


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
        return str(response.read().decode())


def record(program: str) -> list[tuple[str, str]]:
    """Run a service, and return the commands and what they print."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    shown: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "hello.py").write_text(program.replace("8080", port))
        with subprocess.Popen(
            [sys.executable, "hello.py"],
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                said = t.cast("t.IO[str]", process.stderr)
                shown.append(("python hello.py &", said.readline()))
                url = f"http://127.0.0.1:{port}"
                for path in ("/Ada", "/health/ready"):
                    body = get(url + path)
                    shown.append((f"curl {url}{path}", body))
                worker = children(process.pid)[0]
                os.kill(worker, signal.SIGKILL)
                lines = said.readline() + said.readline()
                shown.append(("kill -9 4711  # a worker", lines))
                process.send_signal(signal.SIGTERM)
                code = process.wait(TIMEOUT)
                shown.append(("kill %1; wait %1; echo $?", f"{code}\n"))
            finally:
                process.kill()
    return [
        (command.replace(port, "8080"), _same(output.replace(port, "8080")))
        for command, output in shown
    ]


def _same(text: str) -> str:
    return PROCESS.sub("process 4711", text)


def render(shown: t.Iterable[tuple[str, str]]) -> str:
    """Draw a terminal whose lines appear one after the other."""
    lines: list[tuple[float, str, str]] = []
    now = 0.4
    for command, output in shown:
        lines.append((now, "command", f"$ {command}"))
        now += PAUSE / 2
        lines += [(now, "output", line) for line in output.splitlines()]
        now += PAUSE
    height = len(lines) * LINE + 58
    text = "".join(
        f'<text class="{kind}" x="18" y="{52 + number * LINE}" '
        f'style="animation-delay:{at:.1f}s">{html.escape(line)}</text>'
        for number, (at, kind, line) in enumerate(lines)
    )
    lights = "".join(
        f'<circle class="light" cx="{20 + 18 * n}" cy="18" r="5"/>'
        for n in range(3)
    )
    return (
        '<svg class="terminal" xmlns="http://www.w3.org/2000/svg" role="img" '
        'aria-label="A terminal in which the service runs" '
        f'viewBox="0 0 {WIDTH} {height}"><rect width="{WIDTH}" '
        f'height="{height}" rx="8"/>{lights}{text}</svg>'
    )


class Terminal(Directive):
    """The first program of the page, in a terminal."""

    def run(self) -> list[nodes.Node]:
        env = self.state.document.settings.env
        page = Path(env.doc2path(env.docname)).read_text("utf-8")
        match = PROGRAM.search(page)
        if match is None:
            msg = "The page shows no program."
            raise self.error(msg)
        svg = render(record(match[1]))
        return [
            nodes.raw("", f'<div class="picture">{svg}</div>', format="html")
        ]


def setup(app: Sphinx) -> dict[str, t.Any]:
    """Add the directive."""
    app.add_directive("terminal", Terminal)
    return {"parallel_read_safe": True}
