"""
The files in which several workers keep their metrics.

Each process has files of its own, which stay when it ends, as what it counted
has to stay. Those of processes that are gone are merged into one, so that
their number does not grow with each worker that was replaced. Whoever reads
the folder, or merges, holds a lock: nothing is counted twice meanwhile.

What lies in the folder may be cut off, as by a process that was killed, or be
anything at all: only regular files of this user that can be read count.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import pathlib
import re
import stat
import typing as t

from prometheus_client import multiprocess
from prometheus_client.mmap_dict import MmapedDict

from ._throttle import Throttle


fcntl: t.Any = None
with contextlib.suppress(ImportError):  # Windows, which does not fork
    import fcntl

# They have no annotations.
_Dict: t.Any = MmapedDict
_multiprocess: t.Any = multiprocess

_log = logging.getLogger("buvar_aiohttp")

#: Kind of metrics, how gauges are merged, and the process.
_NAME = re.compile(
    r"(counter|histogram|summary|gauge)(?:_([a-z]+))?_(\d{1,20}|merged)\.db",
    re.ASCII,
)
#: In place of the number of a process.
_MERGED: t.Final = "merged"
#: How long to wait for the lock, in seconds, and how often to try.
_PATIENCE: t.Final = 1.0
_TICK: t.Final = 0.01

Entry: t.TypeAlias = tuple[float, float]


def _add(old: Entry, new: Entry) -> Entry:
    return old[0] + new[0], new[1]


def _latest(old: Entry, new: Entry) -> Entry:
    return max(old, new, key=lambda entry: entry[1])


#: How values of one metric become one, by kind and way of merging. Gauges of
#: all processes are told apart by process: their files stay.
_Combine: t.TypeAlias = t.Callable[[Entry, Entry], Entry]
_WAYS: t.Final[dict[tuple[str, str | None], _Combine]] = {
    ("counter", None): _add,
    ("histogram", None): _add,
    ("summary", None): _add,
    ("gauge", "sum"): _add,
    ("gauge", "min"): min,
    ("gauge", "max"): max,
    ("gauge", "mostrecent"): _latest,
}


class MetricsFile(t.NamedTuple):
    """
    A file of the folder.

    Attributes:
        path: Where it is.
        kind: The kind of its metrics.
        way: How those of several processes are merged, for gauges.
        process: Whose it is, ``None`` for those that are gone.
    """

    path: pathlib.Path
    kind: str
    way: str | None
    process: int | None


class MetricsFolder:
    """
    The folder that workers share.

    Args:
        path: Where it is; it is made if there is none.
    """

    def __init__(self, path: str) -> None:
        self.path = pathlib.Path(path)
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._complaint = Throttle(60)

    def collect(self) -> t.Iterable[t.Any]:
        """Return the metrics of all processes, as a collector does."""
        return t.cast(
            "t.Iterable[t.Any]",
            _multiprocess.MultiProcessCollector.merge(
                [
                    str(file.path)
                    for file in self._files()
                    if self._read(file.path) is not None
                ]
            ),
        )

    @contextlib.asynccontextmanager
    async def locked(self) -> t.AsyncGenerator[bool]:
        """
        Hold the lock for the length of a block.

        Returns:
            Whether it could be had in time.
        """
        if fcntl is None:  # pragma: no cover - see above
            yield False
            return
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield await self._lock(descriptor)
        finally:
            os.close(descriptor)

    async def _lock(self, descriptor: int) -> bool:
        loop = asyncio.get_running_loop()
        end = loop.time() + _PATIENCE
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if loop.time() >= end:
                    return False
                await asyncio.sleep(_TICK)
            else:
                return True

    def bury(self) -> None:
        """Merge the files of processes that are gone, with the lock held."""
        alive: dict[int, bool] = {}
        for file in [*self._files()]:
            number = file.process
            if number is None or alive.setdefault(number, _is_alive(number)):
                continue
            if file.way is not None and file.way.startswith("live"):
                file.path.unlink(missing_ok=True)
            elif (file.kind, file.way) in _WAYS:
                self._merge(file)

    def leave(self, pid: int) -> None:
        """Take a process out of what only living ones count in."""
        for path in self.path.glob(f"gauge_live*_{pid}.db"):
            path.unlink(missing_ok=True)

    def _merge(self, file: MetricsFile) -> None:
        """Add what a file says to the one of all that are gone."""
        added = self._read(file.path)
        if added is None:
            return
        parts = [file.kind, *([file.way] if file.way else []), _MERGED]
        target = self.path / f"{'_'.join(parts)}.db"
        combine = _WAYS[file.kind, file.way]
        values = (self._read(target) if _is_ours(target) else None) or {}
        for key, entry in added.items():
            old = values.get(key)
            values[key] = entry if old is None else combine(old, entry)
        draft = target.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        written = _Dict(str(draft))
        try:
            for key, entry in values.items():
                written.write_value(key, *entry)
        finally:
            written.close()
        draft.replace(target)
        file.path.unlink(missing_ok=True)

    def _files(self) -> t.Iterator[MetricsFile]:
        """Yield the files that were named by prometheus-client."""
        for path in self.path.iterdir():
            match = _NAME.fullmatch(path.name)
            if match is None or not _is_ours(path):
                continue
            kind, way, number = match.groups()
            if (kind == "gauge") == (way is not None):
                process = None if number == _MERGED else int(number)
                yield MetricsFile(path, kind, way, process)

    def _read(self, path: pathlib.Path) -> dict[str, Entry] | None:
        """Return the values of a file, ``None`` if it cannot be read."""
        try:
            return _read(path)
        except FileNotFoundError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it contains
            self._complain(path.name, error)
        return None

    def _complain(self, name: str, error: Exception) -> None:
        """Say once in a while that there is a file that cannot be read."""
        if self._complaint.ready():
            _log.warning(
                "The file %a of metrics cannot be read, and is left out: %s",
                name,
                error,
                extra={"file": ascii(name)},
            )


def _is_ours(path: pathlib.Path) -> bool:
    """Tell whether something is a file, of this user, and no link."""
    try:
        status = path.lstat()
    except OSError:
        return False
    if not stat.S_ISREG(status.st_mode):
        return False
    return not hasattr(os, "geteuid") or status.st_uid == os.geteuid()


def _is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except (OSError, OverflowError):
        # There is none, or it is somebody else's by now.
        return False
    return True


def _read(path: pathlib.Path) -> dict[str, Entry]:
    """Return the values of a file, by their keys."""
    values = _Dict.read_all_values_from_file(str(path))
    found = {key: (value, stamp) for key, value, stamp, _ in values}
    for key in found:
        name, sample, labels, text = json.loads(key)
        if not all(isinstance(part, str) for part in (name, sample, text)):
            raise TypeError(key)
        sorted(labels.items())
    return found
