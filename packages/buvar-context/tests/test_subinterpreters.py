"""A stage runs in an interpreter beside the main one."""

from __future__ import annotations

import sys

import pytest


interpreters = pytest.importorskip("concurrent.interpreters")


def test_a_stage_in_another_interpreter(capfd):
    """It runs its tasks there; signals are left to the main interpreter."""
    interpreter = interpreters.create()
    try:
        interpreter.exec(
            f"""if True:
            import sys
            sys.path[:] = {sys.path!r}
            from buvar import context, plugin
            async def prepare(teardown: plugin.Teardown):
                async def task():
                    return context.get(int)
                context.add(42)
                teardown.add(print, "down", flush=True)
                yield task()
            print(plugin.stage(prepare), flush=True)
            """
        )
    finally:
        interpreter.close()
    assert capfd.readouterr().out == "down\n[42]\n"
