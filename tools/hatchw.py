"""
Run Hatch where there is only Python: ``python3 tools/hatchw.py run test``.

Hatch and uv are installed on first use into a virtual environment of their
own, ``.venv/`` at the root of the repository, which also keeps all other
environments: nothing is written elsewhere but the installers' caches.
Standard library only, and old syntax, so that an old Python can say that it
is too old.
"""

import os
import shutil
import signal
import subprocess
import sys


OLDEST = (3, 11)
#: Set where what the lock names was installed whole.
STAMP = "complete"

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
#: Hatch and uv with all they need, by release and hash.
LOCK = os.path.join(ROOT, "tools", "locks", "hatchw.txt")
HOME = os.path.join(ROOT, ".venv", "py{}.{}".format(*sys.version_info[:2]))
BIN = os.path.join(HOME, "Scripts" if os.name == "nt" else "bin")
PYTHON = os.path.join(BIN, "python.exe" if os.name == "nt" else "python")


class RefusalError(Exception):
    """Something that this machine lacks, in one line."""


def check_python() -> None:
    """Refuse a Python that buvar does not support."""
    if sys.version_info < OLDEST:
        raise RefusalError(
            "Python {}.{} is too old: run this with Python {}.{} or newer."
            "".format(*(sys.version_info[:2] + OLDEST))
        )
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian leaves it out
        import venv  # noqa: F401, PLC0415
    except ImportError:
        raise RefusalError(
            "This Python lacks venv or ensurepip: install them (Debian and "
            "Ubuntu: apt-get install python3-venv) and run this again."
        ) from None


def install() -> None:
    """Make the virtual environment of Hatch, once."""
    stamp = os.path.join(HOME, STAMP)
    with open(LOCK, encoding="utf-8") as file:
        wanted = file.read()
    try:
        with open(stamp, encoding="utf-8") as file:
            if file.read() == wanted and os.path.exists(PYTHON):
                return
    except OSError:
        pass
    check_python()
    where = os.path.relpath(HOME)
    say("Installing Hatch and uv into {} (once) ...".format(where))
    shutil.rmtree(HOME, ignore_errors=True)
    run([sys.executable, "-m", "venv", HOME], "make a virtual environment")
    pip = [PYTHON, "-m", "pip", "install", "--quiet"]
    pip += ["--disable-pip-version-check", "--no-input"]
    run(
        [*pip, "--require-hashes", "--requirement", LOCK],
        "install Hatch (is there a network, and a package index?)",
    )
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(wanted)


def run(command: "list[str]", purpose: str) -> None:
    """Run a step; what it printed is shown only when it failed."""
    done = subprocess.run(  # noqa: PLW1510 - the exit code is looked at
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        shutil.rmtree(HOME, ignore_errors=True)
        text = done.stdout.decode("utf-8", "replace").strip()
        last = text.splitlines()[-1] if text else "no output"
        raise RefusalError("Cannot {}: {}".format(purpose, last))


def environment() -> "dict[str, str]":
    """Return the variables Hatch is started with."""
    variables = dict(os.environ)
    # An environment that happens to be active must not be taken for Hatch's.
    variables.pop("VIRTUAL_ENV", None)
    variables.pop("PYTHONHOME", None)
    variables.setdefault("HATCH_DATA_DIR", os.path.join(HOME, "hatch"))
    uv = os.path.join(BIN, "uv.exe" if os.name == "nt" else "uv")
    variables.setdefault("HATCH_ENV_TYPE_VIRTUAL_UV_PATH", uv)
    # uv must not look for a project above or a Python to download.
    variables.setdefault("UV_PYTHON_DOWNLOADS", "never")
    variables["PATH"] = os.pathsep.join(
        [BIN, variables.get("PATH", os.defpath), *other_pythons()]
    )
    return variables


def other_pythons() -> "list[str]":
    """Find the interpreters a version manager put beside the running one."""
    versions = os.path.dirname(os.path.realpath(sys.base_prefix))
    if os.path.basename(versions) != "versions":
        return []
    found = [
        os.path.join(versions, name, "bin")
        for name in sorted(os.listdir(versions), reverse=True)
    ]
    return [path for path in found if os.path.isdir(path)]


def start(arguments: "list[str]") -> int:
    """Replace this process by the Python of the virtual environment."""
    command = [PYTHON, os.path.abspath(__file__), "--inside", *arguments]
    os.chdir(ROOT)
    if os.name == "nt":
        return subprocess.call(command, env=environment())
    return os.execve(PYTHON, command, environment())


def inside(arguments: "list[str]") -> int:
    """Be Hatch, and pass SIGTERM on to the command it runs."""
    children = []  # type: list[subprocess.Popen]

    class Popen(subprocess.Popen):
        """Remembers what was started."""

        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)  # type: ignore[call-overload]
            children.append(self)

    def forward(number: int, frame: object) -> None:
        del frame
        running = [child for child in children if child.poll() is None]
        for child in running:
            child.send_signal(number)
        if not running:
            sys.exit(128 + number)

    subprocess.Popen = Popen
    signal.signal(signal.SIGTERM, forward)
    sys.argv = ["hatch", *arguments]

    from hatch.cli import main  # noqa: PLC0415 - is there only inside

    return main()


def say(text: object) -> None:
    """Print a line beside what the command prints."""
    print("hatchw: {}".format(text), file=sys.stderr, flush=True)


def main() -> int:
    """Install what is missing, then run Hatch."""
    arguments = sys.argv[1:]
    try:
        if arguments[:1] == ["--inside"]:
            return inside(arguments[1:])
        if sys.version_info < OLDEST:
            check_python()
        install()
        return start(arguments)
    except RefusalError as refusal:
        say(refusal)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
