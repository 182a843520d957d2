"""The number of workers respects affinity and quotas."""

from __future__ import annotations

import os

from pathlib import Path

import pytest

from buvar.fork import _cpus
from buvar.fork._cpus import available_cpus


@pytest.fixture
def cpus(tmp_path: Path, monkeypatch):
    """Count the CPUs of a made-up machine with 8 of them."""
    monkeypatch.setattr(_cpus, "_allowed", lambda: 8)

    def cpus(membership: str, **files: str) -> int:
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        file = tmp_path / "membership"
        file.write_text(membership)
        return available_cpus(cgroups=tmp_path, membership=file)

    return cpus


def test_no_quota(cpus) -> None:
    """Without a quota all CPUs are used."""
    assert cpus("0::/\n") == 8
    assert cpus("0::/\n", cpu_DOT_max="max 100000\n") == 8
    assert cpus("3:memory:/x\n") == 8


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("200000 100000", 2), ("150000 100000", 2), ("1000 100000", 1)],
)
def test_quota(cpus, quota: str, expected: int) -> None:
    """Version 2: a part of a CPU counts as one."""
    assert cpus("0::/a\n", a__cpu_DOT_max=quota) == expected


def test_quota_above(cpus) -> None:
    """Version 2: the narrowest limit on the way to the root counts."""
    assert (
        cpus(
            "0::/a/b\n",
            a__b__cpu_DOT_max="500000 100000",
            a__cpu_DOT_max="300000 100000",
        )
        == 3
    )


def test_quota_version_1(cpus) -> None:
    """Version 1: the quota counts, -1 is none; paths may be the host's."""
    group = "4:cpu,cpuacct:/docker/x\n"
    files = {"cpu,cpuacct__cpu_DOT_cfs_period_us": "100000"}

    assert cpus(group, **files) == 8
    quota = "cpu,cpuacct__cpu_DOT_cfs_quota_us"
    assert cpus(group, **files, **{quota: "-1"}) == 8
    assert cpus(group, **files, **{quota: "250000"}) == 3


@pytest.mark.parametrize(
    ("known", "expected"), [(3, 3), (None, 1)], ids=["known", "unknown"]
)
def test_python_counts(tmp_path, monkeypatch, known, expected) -> None:
    """Where Python counts itself, as it may be told to, that is taken."""
    monkeypatch.setattr(os, "process_cpu_count", lambda: known, raising=False)

    assert available_cpus(membership=tmp_path / "none") == expected


def test_python_does_not_count(tmp_path, monkeypatch) -> None:
    """Before Python 3.13 the affinity is asked for."""
    monkeypatch.delattr(os, "process_cpu_count", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 5})

    assert available_cpus(membership=tmp_path / "none") == 3


def test_no_cgroups(tmp_path: Path) -> None:
    """Where there are no control groups the affinity is all there is."""
    assert available_cpus(membership=tmp_path / "none") == len(
        os.sched_getaffinity(0)
    )
