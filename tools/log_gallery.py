"""
Write docs/reference/log-gallery.md and its picture of a terminal.

The same program logs twice, for people and as JSON, in a process of its own.
What it wrote is shown as it is; the colours become an SVG.
"""

from __future__ import annotations

import io
import json
import os
import pathlib
import re
import subprocess
import sys

import rich.console
import rich.text


FOLDER = pathlib.Path(__file__).parent.parent / "docs" / "reference"
WIDTH = 100

PROGRAM = """\
import logging
import structlog
from buvar import log

log.LogConfig(tty={tty}, level="DEBUG").setup()
logger = structlog.get_logger("shop.orders")
structlog.contextvars.bind_contextvars(request_id="8f14e45f")


def charge(order):
    return order["total"] / order["parts"]


headers = {{"Authorization": "Basic c2VjcmV0"}}
logger.debug("order received", order=17, headers=headers)
database = logging.getLogger("shop.db")
database.info("connected to %s", "db-1", extra={{"pool": 4}})
logger.warning("stock is low", item="tea", left=2, password="hunter2")
try:
    charge({{"total": 10, "parts": 0}})
except ZeroDivisionError:
    logger.exception("payment failed", order=17)
"""

# The program lives at a path of nobody's machine.
RUNNER = """\
import linecache, sys
source, path = sys.stdin.read(), "/srv/shop/orders.py"
linecache.cache[path] = (len(source), None, source.splitlines(True), path)
exec(compile(source, path, "exec"), {"__name__": "__main__"})
"""

PAGE = """\
# A gallery of logs

Written by `tools/log_gallery.py`: one program, run once for a terminal and
once without. It logs through structlog and through the standard library, binds
a context variable, hides two secrets and ends in an exception.

```python
{program}```

## On a terminal

`LogConfig(tty=True)`, in colours:

![The same events on a terminal, in colours](log-tty.svg)

and as text:

```none
{text}```

## As JSON

`LogConfig(tty=False)`, one line per event:

```none
{lines}```

The last line, indented:

```json
{last}
```
"""


def run(*, tty: bool) -> str:
    """Return what the program writes to standard error."""
    environment = {**os.environ, "COLUMNS": str(WIDTH), "FORCE_COLOR": "1"}
    environment.pop("NO_COLOR", None)
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=PROGRAM.format(tty=tty),
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stderr


def main() -> None:
    """Write the page and the picture."""
    coloured = rich.text.Text.from_ansi(run(tty=True))
    console = rich.console.Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True
    )
    console.print(coloured)
    picture = console.export_svg(title="orders.py")
    # No fonts from somebody's server: the reader's own will do.
    picture = re.sub(r"@font-face \{.*?\}\n", "", picture, flags=re.DOTALL)
    (FOLDER / "log-tty.svg").write_text(picture, encoding="utf-8")
    lines = run(tty=False)
    page = PAGE.format(
        program=PROGRAM.format(tty="sys.stderr.isatty()").replace(
            "import logging\n", "import logging\nimport sys\n", 1
        ),
        text="\n".join(
            line.rstrip() for line in coloured.plain.strip().splitlines()
        )
        + "\n",
        lines=lines,
        last=json.dumps(json.loads(lines.splitlines()[-1]), indent=2),
    )
    (FOLDER / "log-gallery.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
