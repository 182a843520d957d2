"""What workers write stays line by line, whoever else writes there."""

from __future__ import annotations

import collections
import re

import pytest


#: Two workers that print, log and complain as fast as they can, again and
#: again, and a supervisor that is told to log beside them.
BUSY = """
import asyncio, logging, os, sys
from buvar import context, fork, plugin
logging.basicConfig(level="INFO", format="%(message)s", stream={stream})

async def write():
    slot = context.get(fork.Worker).slot
    word = "abcdefgh" * 3
    for number in range(500):
        print("printed", slot, number, word)
        print("complained", slot, number, word, file=sys.stderr)
        logging.info("logged %d %d %s", slot, number, word)
        print("in", "pieces", slot, end=" ")
        print(number, word)
        await asyncio.sleep(0)

async def prepare(): yield write()
print(fork.stage(prepare, forks=2))
"""


@pytest.mark.parametrize("unbuffered", ["1", ""])
@pytest.mark.parametrize("stream", ["sys.stderr", "sys.stdout"])
def test_lines_are_whole(start, unbuffered: str, stream: str) -> None:
    """Two busy workers never write into the line of another process."""
    program = start(
        BUSY.format(stream=stream), env={"PYTHONUNBUFFERED": unbuffered}
    )

    assert program.wait() == 0
    line = re.compile(
        r"(printed|complained|logged|in pieces) ([12]) (\d+) (?:abcdefgh){3}"
    )
    found: collections.Counter[str] = collections.Counter()
    others = []
    for text in program.output.splitlines():
        match = line.fullmatch(text)
        if match is None:
            others.append(text)
        else:
            found[match[1]] += 1
    assert found == dict.fromkeys(
        ("printed", "complained", "logged", "in pieces"), 1000
    )
    supervisor = re.compile(
        r"\d workers? (is|are) ready\.|Worker \d started, process \d+\."
        r"|\[None, None\]"
    )
    assert [text for text in others if not supervisor.fullmatch(text)] == []


def test_streams_of_other_kinds_stay(start) -> None:
    """What is not a stream of Python's own is left as it is."""
    program = start(
        """
import io, os, sys
from buvar import fork
class Own(io.StringIO): ...
sys.stdout, sys.stderr = Own(), None
async def task(): return type(sys.stdout).__name__, sys.stderr is None
async def prepare(): yield task()
found = fork.stage(prepare, forks=2)
os.write(1, f"{found}\\n".encode())
"""
    )

    assert program.wait() == 0
    assert program.output == "[('Own', True), ('Own', True)]\n"
