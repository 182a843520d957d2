"""
Run the tests on the interpreters of Debian sid: ``sudo python3 tools/sid.py``.

Debian's unstable distribution has the newest Pythons long before other
systems do. Makes a small root of it on first use (needs ``debootstrap`` and
to be root; about 700 MB), installs the interpreters there, and runs this
repository's ``hatchw.py`` inside, with the repository seen under its own path:

    python3 tools/sid.py                            # all tests, 3.14 and 3.15
    python3 tools/sid.py --python 3.15 -- run test packages/buvar-di

Mounts live in a namespace of their own and vanish with the command. The
mirror is the one of this machine's apt, the index that of its pip.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import typing as t

from pathlib import Path


REPOSITORY = Path(__file__).resolve().parent.parent
PYTHONS = ("3.14", "3.15")
#: What the tests start or compile, beside the interpreters.
PACKAGES = ("ca-certificates", "gcc", "git", "libc6-dev", "lsof", "procps")
APT = Path("/etc/apt")
#: How this machine reaches the network, and the root has to.
COPIED = (
    "etc/hosts",
    "etc/resolv.conf",
    "etc/pip.conf",
    "etc/ssl/certs/ca-certificates.crt",
)


class RefusalError(Exception):
    """Something that this machine lacks, and what to do, in one line."""


def main(argv: t.Sequence[str] | None = None) -> int:
    """Make the root where there is none, then run a command in it."""
    options = _parser().parse_args(argv)
    pythons = options.python or PYTHONS
    command = [word for word in options.command if word != "--"]
    try:
        require_tools()
        mirror = options.mirror or find_mirror(APT)
        make_root(options.root, mirror, check_dates=not options.stale_mirror)
        install(options.root, pythons)
    except RefusalError as error:
        print(f"sid: {error}", file=sys.stderr)
        return 1
    failed = []
    for python in pythons:
        print(f"--- Python {python}", flush=True)
        if run_inside(options.root, python, command or ["run", "test"]):
            failed.append(python)
    if failed:
        print(f"failed on {', '.join(failed)}")
    return bool(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--root",
        type=Path,
        default=Path("/var/tmp/buvar-sid"),  # noqa: S108 - a folder to keep
        help="the folder of the root (default: %(default)s)",
    )
    parser.add_argument(
        "--mirror", help="Debian's mirror (default: the one of apt)"
    )
    parser.add_argument(
        "--stale-mirror",
        action="store_true",
        help="accept a mirror whose index has expired",
    )
    parser.add_argument(
        "--python",
        action="append",
        metavar="VERSION",
        help=f"may be repeated (default: {', '.join(PYTHONS)})",
    )
    parser.add_argument(
        "command",
        nargs=argparse.REMAINDER,
        help="arguments of hatchw.py (default: run test)",
    )
    return parser


def require_tools() -> None:
    """
    Make sure that a root can be made here.

    Raises:
        RefusalError: It cannot.
    """
    if os.geteuid():
        raise RefusalError("only root can make and enter a root: use sudo")
    for name in ("debootstrap", "unshare", "chroot"):
        if shutil.which(name) is None:
            raise RefusalError(f"{name} is missing: apt-get install {name}")


def find_mirror(folder: Path) -> str:
    """
    Return the mirror of Debian's main archive that apt uses.

    Args:
        folder: The folder of apt's settings.

    Raises:
        RefusalError: There is none.
    """
    files = [folder / "sources.list", *sorted(folder.glob("sources.list.d/*"))]
    for path in files:
        if path.exists():
            for uri in _uris(path.read_text(encoding="utf-8")):
                # Not the archives of security updates and of other vendors.
                if uri.rstrip("/").endswith("/debian"):
                    return uri
    raise RefusalError(
        f"no mirror of Debian in {folder}: pass --mirror with its URL"
    )


def _uris(text: str) -> t.Iterator[str]:
    """Yield the addresses in both forms that apt reads."""
    for line in text.splitlines():
        if match := re.match(r"deb\s+(?:\[.*?\]\s+)?(\S+)", line):
            yield match[1]
        elif match := re.match(r"URIs:\s*(.+)", line):
            yield from match[1].split()


def make_root(root: Path, mirror: str, *, check_dates: bool) -> None:
    """Make the root, once; a broken attempt is made anew."""
    stamp = root / "complete"
    if stamp.exists():
        return
    begun = (root / "debootstrap").exists()
    if root.exists() and any(root.iterdir()) and not begun:
        raise RefusalError(f"{root} is not empty: pass another --root")
    say(f"Making {root} from {mirror} (once) ...")
    root.mkdir(parents=True, exist_ok=True)
    variant = ["--variant=minbase", "--include=ca-certificates"]
    step("debootstrap", *variant, "sid", str(root), mirror)
    if not check_dates:
        settings = root / "etc/apt/apt.conf.d/99stale"
        settings.write_text('Acquire::Check-Valid-Until "false";\n')
    stamp.touch()


def install(root: Path, pythons: t.Iterable[str]) -> None:
    """Install the interpreters, and let the root reach the network."""
    for name in COPIED:
        if Path("/", name).exists():
            shutil.copyfile(Path("/", name), root / name)
    missing = [
        python
        for python in pythons
        if not (root / "usr/bin" / f"python{python}").exists()
    ]
    if missing:
        names = [
            f"python{python}{part}"
            for python in missing
            for part in ("", "-venv", "-dev")
        ]
        say(f"Installing {', '.join(names)} ...")
        step("chroot", str(root), "apt-get", "update", "--quiet")
        apt = ["apt-get", "install", "--yes", "--quiet"]
        apt.append("--no-install-recommends")
        step("chroot", str(root), *apt, *PACKAGES, *names)


def run_inside(root: Path, python: str, command: t.Sequence[str]) -> int:
    """Run ``hatchw.py`` in the root and return its exit code."""
    where = shlex.quote(str(REPOSITORY))
    inside = f"{shlex.quote(str(root))}{where}"
    hatchw = shlex.join([f"python{python}", "tools/hatchw.py", *command])
    script = "\n".join(
        [
            "set -e",
            *(
                f"mount --rbind /{name} {shlex.quote(str(root / name))}"
                for name in ("proc", "sys", "dev")
            ),
            f"mkdir -p {inside}",
            f"mount --bind {where} {inside}",
            f"exec chroot {shlex.quote(str(root))} sh -c "
            + shlex.quote(f"cd {where} && exec {hatchw}"),
        ]
    )
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    # A Python of this machine means nothing inside.
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
        environment.pop(name, None)
    environment["PATH"] = os.defpath + ":/usr/sbin:/sbin"
    namespace = ["unshare", "--mount", "--propagation", "private"]
    done = subprocess.run(
        [*namespace, "sh", "-c", script], env=environment, check=False
    )
    return done.returncode


def step(*command: str) -> None:
    """
    Run a step; what it printed is shown only when it failed.

    Raises:
        RefusalError: It failed.
    """
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        last = "\n".join(done.stdout.strip().splitlines()[-5:])
        hint = ""
        if "expired" in done.stdout:
            hint = " (a mirror that lags behind: pass --stale-mirror)"
        raise RefusalError(f"{shlex.join(command)} failed{hint}:\n{last}")


def say(text: str) -> None:
    """Print what takes long."""
    print(f"sid: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
