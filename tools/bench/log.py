"""
Time a line of JSON, from the call to the file, and a level that is off.

Each case runs in a process of its own, for logging is configured once per
process; the processes take turns. An event has a message, two fields, a time,
a level, the logger's name and the process id.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from _rounds import machine
from _rounds import ratio


def buvar(path):
    from buvar import log

    log.LogConfig(tty=False, level="INFO", output=path).setup()


def stdlib_plain(path):
    import logging

    logging.basicConfig(
        filename=path,
        level="INFO",
        format="%(asctime)s %(levelname)s %(name)s %(process)d %(message)s",
    )


def json_logger(path):
    import logging

    from pythonjsonlogger.orjson import OrjsonFormatter

    handler = logging.FileHandler(path)
    handler.setFormatter(
        OrjsonFormatter(["asctime", "levelname", "name", "process", "message"])
    )
    logging.basicConfig(handlers=[handler], level="INFO")


def add_pid(_logger, _method, event):
    event["pid"] = os.getpid()
    return event


def structlog_stdlib(path):
    import logging

    import orjson
    import structlog

    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_pid,
    ]
    handler = logging.FileHandler(path)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(
                    serializer=lambda *a, **k: orjson.dumps(*a, **k).decode()
                ),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level="INFO")
    structlog.configure(
        processors=[
            *(
                s
                for s in shared
                if not isinstance(s, structlog.stdlib.ExtraAdder)
            ),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def loguru(path):
    from loguru import logger

    logger.remove()
    logger.add(path, serialize=True, level="INFO")


def call_stdlib():
    import logging

    log = logging.getLogger("bench")
    return (
        lambda: log.info("served", extra={"user": "alice", "status": 200}),
        lambda: log.debug("served", extra={"user": "alice", "status": 200}),
    )


def call_structlog():
    import structlog

    log = structlog.get_logger("bench")
    return (
        lambda: log.info("served", user="alice", status=200),
        lambda: log.debug("served", user="alice", status=200),
    )


def call_loguru():
    from loguru import logger

    log = logger
    return (
        lambda: log.bind(user="alice", status=200).info("served"),
        lambda: log.bind(user="alice", status=200).debug("served"),
    )


CASES = {
    "buvar-log, standard library": (buvar, call_stdlib),
    "buvar-log, structlog": (buvar, call_structlog),
    "structlog ProcessorFormatter, standard library": (
        structlog_stdlib,
        call_stdlib,
    ),
    "structlog ProcessorFormatter, structlog": (
        structlog_stdlib,
        call_structlog,
    ),
    "python-json-logger (orjson)": (json_logger, call_stdlib),
    "loguru (serialize)": (loguru, call_loguru),
    "plain text, standard library": (stdlib_plain, call_stdlib),
}


def work(name, folder):
    """Be the process of one case: a turn per line read, its times written."""
    setup, calls = CASES[name]
    setup(os.path.join(folder, name.replace(" ", "_") + ".log"))
    enabled, disabled = calls()
    enabled()
    for _ in sys.stdin:
        print(json.dumps([turn(enabled, 5_000), turn(disabled, 50_000)]))
        sys.stdout.flush()


def turn(func, number):
    for _ in range(number // 10):
        func()
    repeat = range(number)
    start = time.perf_counter()
    for _ in repeat:
        func()
    return (time.perf_counter() - start) / number


def main(rounds=21):
    with tempfile.TemporaryDirectory() as folder:
        workers = {
            name: subprocess.Popen(
                [sys.executable, __file__, name, folder],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for name in CASES
        }
        times = {name: ([], []) for name in CASES}
        for _ in range(rounds):
            for name, worker in workers.items():
                worker.stdin.write("\n")
                worker.stdin.flush()
                for kept, spent in zip(
                    times[name], json.loads(worker.stdout.readline())
                ):
                    kept.append(spent)
        for worker in workers.values():
            worker.communicate()
    base = times["structlog ProcessorFormatter, structlog"]
    print("### A line of JSON to a file\n")
    packages = ["structlog", "orjson", "python-json-logger", "loguru"]
    print(machine(packages) + "\n")
    print("| case | us per event | x structlog's | disabled, us |")
    print("|---|--:|--:|--:|")
    for name, (on, off) in times.items():
        print(
            f"| {name} | {statistics.median(on) * 1e6:.1f} "
            f"| {ratio(on, base[0]):.2f} "
            f"| {statistics.median(off) * 1e6:.2f} |"
        )


if __name__ == "__main__":
    main() if len(sys.argv) == 1 else work(*sys.argv[1:])
