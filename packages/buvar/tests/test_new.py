"""``new`` writes a service that works as it is."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import tomllib
import typing as t
import urllib.request

from pathlib import Path

import pytest

from buvar.cli._errors import CommandError
from buvar.cli._new import write

from .warm import TIMEOUT
from .warm import Interpreter


@pytest.fixture
def run(interpreter: Interpreter, monkeypatch, tmp_path: Path):
    """Run ``python -m`` in a folder, which is that of the test by default."""
    monkeypatch.setenv("HOME", str(tmp_path))

    def run(*words: str, code: int = 0, **options: t.Any) -> str:
        done = interpreter.run("-m", *words, **{"cwd": tmp_path, **options})
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr if code else done.stdout

    return run


@pytest.mark.parametrize("features", ["", "sqlite", "aiohttp,sqlite"])
def test_its_commands_work(run, tmp_path: Path, features: str) -> None:
    """The tests of a new service pass, and it has no mistakes."""
    if "aiohttp" in features:
        # The tests of such a service name it among what they need.
        pytest.importorskip("pytest_aiohttp")
    output = run(
        *("buvar.cli", "new", "shop", "--with", features),
        fresh=not features,
    )

    assert output == "Wrote shop; see shop/README.md.\n"
    folder = tmp_path / "shop"
    tests = ("pytest", "-q", "-p", "no:cacheprovider")
    assert "passed" in run(*tests, cwd=folder, fresh=True)
    check = ("buvar.cli", "check", "shop", "-c", "shop.toml")
    assert "All is well" in run(*check, cwd=folder)
    # A check creates nothing.
    assert not list(folder.glob("*.sqlite"))
    for file in folder.rglob("*"):
        if file.is_file() and file.suffix != ".pyc":
            text = file.read_text()
            assert "{{name}}" not in text
            assert "#+" not in text
            assert "#-" not in text
    project = tomllib.loads(folder.joinpath("pyproject.toml").read_text())
    assert project["project"]["name"] == "shop"
    test = project["project"]["optional-dependencies"]["test"]
    assert any("aiohttp" in one for one in test) == ("aiohttp" in features)


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
def test_it_serves(run, tmp_path: Path) -> None:
    """A new service answers, remembers, and ends well."""
    run("buvar.cli", "new", "shop", "--with", "aiohttp,sqlite")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "buvar.cli", "run", "shop"),
            *("-c", "shop.toml", "--set", f"aiohttp.port={port}"),
        ],
        cwd=tmp_path / "shop",
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr
        for line in process.stderr:
            if "Serving HTTP" in line:
                break
        url = f"http://127.0.0.1:{port}/hello/you"
        for number in (1, 2):
            with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
                text = answer.read().decode()
            assert text == f"Hello, you! This is visit {number}."
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("my-shop",), "such as 'my_shop'"),
        (("Shop.py",), "such as 'shop_py'"),
        (("class",), "is not the name of a Python package"),
        (("../shop",), "is not the name of a Python package"),
        (("json",), "There is a module 'json' already"),
        (("sys",), "There is a module 'sys' already"),
        (("buvar",), "There is a module 'buvar' already"),
        (("there",), "There is a 'there' here already"),
        (("tests",), "in a folder that each new service has"),
        (("shop", "--with", "flask"), "'flask' is not one of aiohttp, sqlite"),
        (("shop", "--with", "sqlit"), "Did you mean --with sqlite?"),
        (("shop", "--template", "there"), "there cannot be used: Not a dir"),
        (("shop", "--template", "gone"), "gone cannot be used: No such file"),
    ],
)
def test_refused(run, tmp_path: Path, words, expected: str) -> None:
    """What cannot be is said in words, and nothing is left behind."""
    tmp_path.joinpath("there").write_text("mine")

    output = run("buvar.cli", "new", *words, code=2)

    assert expected in output
    assert "Traceback" not in output
    assert [file.name for file in tmp_path.iterdir()] == ["there"]
    assert tmp_path.joinpath("there").read_text() == "mine"


def test_a_module_that_would_be_hidden(run, tmp_path: Path) -> None:
    """A package hides the module of its name: that is refused, too."""
    tmp_path.joinpath("shop.py").write_text("mine")

    output = run("buvar.cli", "new", "shop", code=2)

    assert "There is a 'shop.py' here already" in output
    assert [file.name for file in tmp_path.iterdir()] == ["shop.py"]


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """Make a folder of templates."""
    root = tmp_path / "templates"
    for file, text in {
        "base/NAME/__init__.py.tmpl": "# {{name}}\n",
        "base/ci.yml.tmpl": "${{ x }}\nmore #+queue\nless #-queue\n",
        "base/notes.txt": "not for the service",
        "queue/NAME/queue.py.tmpl": "QUEUE = '{{dist}}'\n",
    }.items():
        root.joinpath(file).parent.mkdir(parents=True, exist_ok=True)
        root.joinpath(file).write_text(text)
    return root


def test_templates_of_ones_own(run, tmp_path: Path, templates: Path) -> None:
    """A service is made of the templates that one gives."""
    given = ("--template", str(templates))

    assert run("buvar.cli", "new", "a_b", *given) == "Wrote a_b.\n"
    run("buvar.cli", "new", "c_d", *given, "--with", "queue")

    def files(name: str) -> dict[str, str]:
        folder = tmp_path / name
        found = (one for one in folder.rglob("*") if one.is_file())
        return {str(one.relative_to(folder)): one.read_text() for one in found}

    assert files("a_b") == {
        "a_b/__init__.py": "# a_b\n",
        "ci.yml": "${{ x }}\nless\n",
    }
    assert files("c_d") == {
        "c_d/__init__.py": "# c_d\n",
        "ci.yml": "${{ x }}\nmore\n",
        "c_d/queue.py": "QUEUE = 'c-d'\n",
    }


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("base/a.tmpl", b"\xff", "base/a.tmpl cannot be used: 'utf-8' codec"),
        ("base/a.tmpl", b"{{nmae}}", "nothing stands for {{nmae}}"),
        ("queue/a.tmpl", None, "queue cannot be used: there is no file"),
        ("base", None, "it has no folder 'base'"),
    ],
)
def test_broken_templates(
    templates: Path,
    monkeypatch,
    file: str,
    content: bytes | None,
    expected: str,
) -> None:
    """What is wrong with templates is said with its place and the cure."""
    tmp_path, path = templates.parent, templates / file
    if content is not None:
        path.write_bytes(content)
    else:
        shutil.rmtree(path if path.is_dir() else path.parent / "NAME")

    with pytest.raises(CommandError, match="Correct them") as caught:
        write("shop", ("queue",), tmp_path, templates)
    assert expected in caught.value.message
    assert caught.value.exit_code == 2

    # Those of the package itself nobody has to correct.
    folder = templates.rename(tmp_path / "template")
    monkeypatch.setattr(
        "buvar.cli._templates.importlib.resources.files", lambda _: tmp_path
    )
    with pytest.raises(CommandError, match="Install the dis") as caught:
        write("shop", ("queue",), tmp_path)
    assert caught.value.exit_code == 1
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_that_takes_nothing(tmp_path: Path) -> None:
    """A folder that cannot be written to is named, with the cure."""
    with pytest.raises(CommandError, match="Go to a folder") as caught:
        write("shop", (), tmp_path / "nowhere")

    assert caught.value.exit_code == 2
