"""Logging from within an event loop."""

from __future__ import annotations

import json

import pytest


@pytest.mark.parametrize("output", ["stderr", "file"])
def test_a_detector_of_blocking_calls_does_not_object(run, tmp_path, output):
    """Where blocking calls are errors, events are written still."""
    pytest.importorskip("blockbuster")
    path = tmp_path / "app.log"
    done = run(
        "import asyncio, logging, os, sys\n"
        "from blockbuster import blockbuster_ctx\n"
        "from buvar import log\n"
        "log.setup_logging(tty=False, output=sys.argv[1])\n"
        "async def main(): logging.getLogger('x').info('a')\n"
        "with blockbuster_ctx(): asyncio.run(main())\n"
        # It patches types of C: some interpreters crash when they end then.
        "os._exit(0)\n",
        str(path) if output == "file" else "stderr",
    )
    text = path.read_text() if output == "file" else done.stderr
    assert done.returncode == 0
    assert json.loads(text)["event"] == "a"
