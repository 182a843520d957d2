"""Workers become another user, and nothing else is."""

from __future__ import annotations

import os
import sys

from pathlib import Path

import pytest

from buvar import fork


pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="no users and groups"
)
ROOT = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="only root can become another user",
)

#: Other users can import what is installed only if they can reach it.
READABLE = pytest.mark.skipif(
    not all(
        folder.stat().st_mode & 0o001
        for place in (sys.prefix, fork.__file__)
        for folder in Path(place).parents
    ),
    reason="other users cannot read this environment",
)

TELL = """
import os
from buvar import context, fork

async def task():
    os.umask(mask := os.umask(0))
    return {
        "ids": (os.getresuid(), os.getresgid(), os.getgroups()),
        "mask": mask,
        "folder": os.getcwd(),
        "home": os.environ.get("HOME"),
        "port": [s.address[1] for s in context.find(fork.Socket).values()],
    }

async def prepare(): yield task()
"""


async def _prepare() -> None: ...


@ROOT
@pytest.mark.parametrize("forks", [1, 2])
def test_another_user(start, forks: int) -> None:
    """Workers are another user for good, the supervisor stays as it was."""
    program = start(
        TELL
        + f"""
for found in fork.stage(
    prepare, forks={forks}, user="nobody", umask=0o027, directory="/",
    sockets="tcp://127.0.0.1:0",
):
    print(found["ids"], oct(found["mask"]), found["folder"], found["home"])
print(os.geteuid(), os.getcwd() == "/")
"""
    )

    assert program.wait() == 0, program.output
    *workers, parent = [
        line for line in program.output.splitlines() if "worker" not in line
    ]
    pwd = pytest.importorskip("pwd")
    nobody = pwd.getpwnam("nobody")
    uid, gid = nobody.pw_uid, nobody.pw_gid
    groups = os.getgrouplist("nobody", gid)
    line = f"{((uid,) * 3, (gid,) * 3, groups)} 0o27 / {nobody.pw_dir}"
    assert workers == [line] * forks
    assert parent == (f"{uid} True" if forks == 1 else "0 False")


@ROOT
def test_numbers(start) -> None:
    """A user without a name has the group of its number, and no other."""
    program = start(
        TELL
        + """
print([found["ids"] for found in fork.stage(prepare, forks=2, user="4711")])
"""
    )

    assert program.wait() == 0, program.output
    ids = ((4711,) * 3, (4711,) * 3, [4711])
    assert program.output == f"{[ids, ids]}\n"


@ROOT
def test_workers_of_another_user_end_with_their_parent(
    serve, alive, eventually
) -> None:
    """A change of user does not untie a worker from its parent."""
    program = serve("forks=2, user='nobody', sockets='tcp://127.0.0.1:0'")
    workers = program.workers()
    assert len(workers) == 2

    program.process.kill()
    program.wait()

    eventually(lambda: not any(map(alive, workers)))


@ROOT
def test_a_closed_directory(start, tmp_path) -> None:
    """A directory that the user may not enter is named, exit code 2."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    program = start(
        TELL
        + f"""
fork.stage(prepare, forks=2, user="nobody", directory={str(closed)!r})
"""
    )

    assert program.wait() == 2
    assert f"directory={str(closed)!r} makes no sense" in program.output
    assert "the workers cannot enter it" in program.output
    assert "Traceback" not in program.output


@ROOT
def test_what_the_user_may_not_remove(start) -> None:
    """Without a supervisor a file that has to be left behind is named."""
    program = start(
        TELL
        + """
folder = os.path.realpath("run")
os.mkdir(folder, 0o755)
fork.stage(
    prepare, forks=1, user="nobody", pid_path=f"{folder}/pid",
    sockets=f"unix://{folder}/socket",
)
""".replace("s.address[1]", "s.uri")
    )

    assert program.wait() == 0, program.output
    assert program.output.count("is left behind") == 2


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("user", "nobody-at-all", "there is no such user; create it"),
        ("group", "nobody-at-all", "there is no such group; create it"),
        ("user", -1, "it is a name, or a number"),
        ("umask", 0o1000, "it is a number up to 0o777"),
        ("umask", "027", "it is a number up to 0o777"),
        ("directory", "nowhere", "it is the path of a folder"),
    ],
)
def test_refused(tmp_path, option, value, reason: str) -> None:
    """What cannot be is refused before anything is bound."""
    uri = f"unix://{tmp_path}/x"

    with pytest.raises(fork.OptionError, match=reason) as caught:
        fork.stage(_prepare, sockets=uri, forks=2, **{option: value})

    assert caught.value.code == 2
    assert list(tmp_path.iterdir()) == []


@ROOT
@READABLE
def test_only_root_may(start) -> None:
    """Anybody but root is told so, and may name what they are already."""
    program = start(
        TELL
        + """
os.setgroups([])
os.setgid(4711)
os.setuid(4711)
for options in ({"user": "root"}, {"group": "root"}):
    try:
        fork.stage(prepare, forks=2, **options)
    except fork.OptionError:
        pass
print(len(fork.stage(prepare, forks=2, user=4711, group=4711)))
"""
    )

    assert program.wait() == 0, program.output
    assert "only root may become another user" in program.output
    assert "only root may become another group" in program.output
    assert program.output.endswith("2\n")
