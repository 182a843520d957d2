"""Components may be added and read in several threads."""

from __future__ import annotations

import concurrent.futures
import os
import sys
import threading

import pytest

from buvar import components
from buvar import context


@pytest.fixture(autouse=True)
def _switch_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_nothing_is_lost():
    """What each thread added is there, unnamed and named."""
    stack = components.Components()
    upper = stack.push()
    kinds = [[type(f"T{i}_{j}", (), {}) for j in range(50)] for i in range(8)]
    barrier = threading.Barrier(8)

    def work(number):
        barrier.wait()
        for kind in kinds[number]:
            upper.get(kind, default=None)
            stack.add(kind())
            stack.add(number, name=(number, kind))
            assert type(upper.get(kind)) is kind

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(upper.find(int)) == 400
    assert all(upper.get(kind) for some in kinds for kind in some)


def test_a_thread_sees_what_another_one_replaced():
    """After an item was replaced nobody sees the old one."""
    stack = components.Components()
    stack.add(0)
    stop = threading.Event()

    def read():
        while not stop.is_set():
            stack.push().push().get(int)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        top = stack.push()
        for number in range(2000):
            stack.add(number)
            assert top.get(int) == number
        stop.set()
        for reader in readers:
            reader.result()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_the_lock_survives_a_fork(script):
    """A child may add although a thread was adding at the fork."""
    code = """
        import os, threading, warnings
        from buvar import components
        warnings.simplefilter("ignore")
        stack = components.Components()
        def work():
            while True:
                stack.push().get(str, default=None)
        threading.Thread(target=work, daemon=True).start()
        for _ in range(20):
            child = os.fork()
            if not child:
                stack.add("x")
                os._exit(0 if stack.push().get(str) == "x" else 1)
            assert os.waitpid(child, 0)[1] == 0
    """
    program = script(code, measured=False)
    assert program.end() == (0, "", "")


def test_bound_functions_see_the_context():
    """A function bound to the context sees it in an executor."""
    with context.child(), concurrent.futures.ThreadPoolExecutor(2) as pool:
        context.add("here")

        def work(number):
            context.add(number)
            return context.get(str), context.get(int)

        bound = context.bind(work)
        assert bound.__name__ == "work"
        found = list(pool.map(bound, range(4)))
        assert found == [("here", number) for number in range(4)]
        assert context.get(int, default=None) is None
