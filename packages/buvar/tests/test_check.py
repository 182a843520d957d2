"""``check`` reports all mistakes of a run at once, each with its place."""

from __future__ import annotations

import json
import textwrap

from pathlib import Path

import pytest


APPLICATION = """
    import attrs
    from buvar import config, di, plugin

    @attrs.define
    class Web(config.Config, section="web"):
        host: str
        port: int = 80
        names: list[str] = config.list_var([])

    class Missing: ...
    class Lost: ...

    class Service:
        def __init__(self, missing: Missing): ...

    @di.inject
    async def handler(request, lost: Lost): ...

    async def prepare(load: plugin.Loader):
        di.register(Service)
        plugin.add_check(lambda: di.add_entry_point(handler, positional=1))

    async def failing():
        raise ValueError("no room")
"""
SETTINGS = """
    [web]
    port = "many"
    hosts = 1

    [wbe]
    port = 1

    [fork]
    forks = "x"
    [log]
    level = "LOUD"
"""


@pytest.fixture
def check(tmp_path: Path, monkeypatch, interpreter):
    """Run ``buvar check`` in a folder with an application full of mistakes."""
    monkeypatch.setenv("APP_WEB_PROT", "1")
    write(tmp_path / "app.py", APPLICATION)
    write(tmp_path / "c.toml", SETTINGS)

    def run(*args: str, code: int) -> str:
        done = interpreter.run("-m", "buvar.cli", "check", *args, cwd=tmp_path)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout or done.stderr

    return run


def write(file: Path, text: str) -> None:
    file.write_text(textwrap.dedent(text).lstrip("\n"))


def line_of(folder: Path, text: str, name: str = "app.py") -> int:
    lines = folder.joinpath(name).read_text().splitlines()
    return next(n for n, line in enumerate(lines, 1) if text in line)


ALL = (
    *("app", "app:failing", "nowhere", "-c", "c.toml"),
    *("--env-prefix", "APP", "--set", "web.namse=a"),
)


def expected(folder: Path) -> set[tuple[str, str, int | None, str]]:
    """Return the mistakes: rule, file or origin, line, words of the text."""
    app = str(folder / "app.py")
    return {
        ("configuration", "c.toml", 2, "web.port: expected a whole number"),
        ("configuration", "c.toml", 1, "web.host: missing"),
        ("unread", "c.toml", 3, "web.hosts: unknown key"),
        ("unread", "c.toml", 5, "wbe: unknown section"),
        ("unread", "$APP_WEB_PROT", None, "unknown variable"),
        ("unread", "--set web.namse", None, "web.namse: unknown key"),
        ("configuration", "c.toml", 9, "fork.forks: expected a whole number"),
        ("configuration", "c.toml", 11, "'LOUD' is not a log level"),
        ("injection", app, line_of(folder, "class Service"), "Missing"),
        ("injection", app, line_of(folder, "di.inject"), "Lost"),
        ("prepare", app, line_of(folder, "raise ValueError"), "no room"),
        ("plugin", "PLUGINS", None, "nowhere"),
    }


def test_all_at_once(check, tmp_path: Path) -> None:
    """A dozen mistakes of all kinds are found in one run, with places."""
    found = json.loads(check(*ALL, "--format", "json", code=1))

    assert found["exit_code"] == 1
    left = expected(tmp_path)
    for one in found["mistakes"]:
        place = one["file"] or one["origin"] or ""
        left -= {
            mistake
            for mistake in left
            if mistake[:3] == (one["rule"], place, one["line"])
            and mistake[3] in one["message"]
        }
    assert left == set(), found["mistakes"]
    assert len(found["mistakes"]) == 12, found["mistakes"]


def test_text(check) -> None:
    """People and editors read a line each, and how many there are."""
    lines = check(*ALL, code=1).splitlines()

    assert lines[-1] == "12 mistakes found."
    assert (
        "c.toml:2: web.port: expected a whole number, not 'many' "
        "[configuration]" in lines
    )
    assert "    Did you mean 'web'?" in lines
    assert "Traceback" not in lines


def test_sarif(check, tmp_path: Path) -> None:
    """SARIF has a result for each, with its rule and place."""
    log = json.loads(check(*ALL, "--format", "sarif", code=1))

    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(run["results"]) == 12
    places = set()
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] == "error"
        assert result["message"]["text"]
        for location in result.get("locations", ()):
            physical = location["physicalLocation"]
            assert physical["artifactLocation"]["uriBaseId"] == "PWD"
            places.add(
                (
                    physical["artifactLocation"]["uri"],
                    physical["region"]["startLine"],
                )
            )
    assert ("c.toml", 2) in places
    assert ("app.py", line_of(tmp_path, "class Service")) in places
    assert run["originalUriBaseIds"]["PWD"]["uri"].endswith("/")
    assert run["invocations"][0]["exitCode"] == 1


def test_exit_codes(check, tmp_path: Path) -> None:
    """Exit code 2 is for the configuration alone, 1 for all else."""
    tmp_path.joinpath("settings.py").write_text("from app import Web\n")
    tmp_path.joinpath("c.toml").write_text("[web]\nport = -1\n")
    check("settings", "-c", "c.toml", "--env-prefix", "APP", code=2)
    tmp_path.joinpath("c.toml").write_text('[web]\nhost = "a"\n')

    output = check("app", "-c", "c.toml", code=1)

    assert output.count("[injection]") == 2
    assert output.endswith("2 mistakes found.\n")


def test_places_of_plugins(check, tmp_path: Path) -> None:
    """What is wrong with a plugin is said where it is written."""
    write(
        tmp_path / "jobs.py",
        """
        from buvar import plugin

        async def job(): ...

        async def wrong():
            yield plugin.every(-1, job)

        async def nested(load: plugin.Loader):
            await load("nowhere")

        async def library():
            import json
            json.loads("{")

        def sync(): ...
        """,
    )
    names = [f"jobs:{one}" for one in ("wrong", "nested", "library", "sync")]

    found = json.loads(check("jobs", *names, "--format", "json", code=1))

    places = {
        one["message"].partition(": ")[0]: (one["rule"], one["line"])
        for one in found["mistakes"]
    }
    assert all(one["file"] for one in found["mistakes"]), found
    line = {
        text: line_of(tmp_path, text, "jobs.py")
        for text in ("every(-1", "load(", "json.loads", "def sync")
    }
    assert places == {
        "The plugin 'jobs' cannot be prepared": ("plugin", None),
        "The task 'job' cannot be run with seconds=-1.": (
            "plugin",
            line["every(-1"],
        ),
        "There is no plugin 'nowhere'": ("plugin", line["load("]),
        "The plugin 'jobs:library' could not be prepared": (
            "prepare",
            line["json.loads"],
        ),
        "The plugin 'jobs:sync' cannot be prepared": (
            "plugin",
            line["def sync"],
        ),
    }


def test_a_plugin_that_cannot_be_imported(check, tmp_path: Path) -> None:
    """The line that fails is named, and that it is no fault of preparing."""
    tmp_path.joinpath("shop.py").write_text("\nfrom json import nothing\n")

    told = json.loads(check("shop", "--format", "json", code=1))
    (found,) = told["mistakes"]

    assert found["message"].startswith(
        "The plugin 'shop' could not be imported: ImportError: cannot import"
    )
    assert (found["file"], found["line"]) == (str(tmp_path / "shop.py"), 2)


def test_a_section_that_is_only_set(check) -> None:
    """A section that nothing reads is told with the option that sets it."""
    words = ("app", "--set", "wbe.host=a", "--format", "json")

    found = json.loads(check(*words, code=1))["mistakes"]

    # Beside a value that is missing, which has no place either.
    assert {(one["message"], one["origin"]) for one in found} >= {
        ("web.host: missing, and it has no default", None),
        ("wbe: unknown section, nothing reads it", "--set wbe.host"),
    }


def test_what_is_left_out(check, tmp_path: Path) -> None:
    """What a condition leaves out is no mistake, and is listed."""
    write(
        tmp_path / "choice.py",
        """
        from buvar import di

        class Redis: ...

        def never() -> bool:
            return False

        async def prepare():
            di.register(Redis, when=never)
        """,
    )

    output = check("choice", code=0)

    assert "All is well" in output
    assert "choice.py:3: Redis: it is left out" in output
    assert "never (" in output


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_no_mistakes(check, tmp_path: Path, form: str) -> None:
    """Without a mistake there is an empty report and exit code 0."""
    tmp_path.joinpath("empty.py").write_text("async def prepare(): ...\n")

    found = json.loads(check("empty", "--format", form, code=0))

    if form == "json":
        assert found == {"exit_code": 0, "mistakes": []}
    else:
        assert found["runs"][0]["results"] == []


def test_what_follows_from_a_failure(check, tmp_path: Path) -> None:
    """What may only follow from a plugin that failed says so."""
    tmp_path.joinpath("c.toml").write_text('[web]\nhost = "a"\n')

    output = check("app", "app:failing", "-c", "c.toml", code=1)

    assert output.count("Perhaps only because a plugin could not") == 2


def test_a_file_that_is_no_toml(check, tmp_path: Path) -> None:
    """Files that cannot be read are all named, with the line."""
    tmp_path.joinpath("c.toml").write_text("a = \n")

    found = json.loads(
        check("app", "-c", "c.toml", "-c", "d", "--format", "json", code=2)
    )

    places = [(one["file"], one["line"]) for one in found["mistakes"]]
    assert places == [("c.toml", 1), ("d", None)]


def test_a_module_with_a_syntax_error(check, tmp_path: Path) -> None:
    """The line of a syntax error is that of the error."""
    tmp_path.joinpath("broken.py").write_text("x = 1\ndef\n")

    (mistake,) = json.loads(
        check("broken", "--unknown", "ignore", "--format", "json", code=1)
    )["mistakes"]

    place = mistake["file"], mistake["line"]
    assert place == (str(tmp_path / "broken.py"), 2)
    assert mistake["rule"] == "prepare"


def test_handlers_in_the_graph(tmp_path: Path, interpreter) -> None:
    """``graph`` draws injected functions that are called from outside."""
    write(tmp_path / "app.py", APPLICATION)
    for form, text in (("tree", "handler"), ("mermaid", "handler<br>entry")):
        done = interpreter.run(
            *("-m", "buvar.cli", "graph", "app", "--format", form),
            cwd=tmp_path,
        )
        assert text in done.stdout
        assert "Lost" in done.stdout


TALKING = """
    import sys
    import attrs
    from buvar import config
    print("imported")

    @attrs.define
    class Web(config.Config, section="web"):
        port: int = 80

    async def prepare():
        print("prepared")

    async def leave():
        sys.exit(0)
"""


def test_answers_are_all_that_is_printed(tmp_path: Path, interpreter) -> None:
    """What plugins print is not in what another program reads."""
    write(tmp_path / "app.py", TALKING)

    def run(*args: str) -> tuple[int, str, str]:
        done = interpreter.run("-m", "buvar.cli", *args, cwd=tmp_path)
        return done.returncode, done.stdout, done.stderr

    _, out, said = run("check", "app", "--format", "json")
    assert json.loads(out)["mistakes"] == []
    assert said.split() == ["imported", "prepared"]
    assert run("config", "schema", "app")[1].startswith("{")
    assert run("graph", "app", "--format", "dot")[1].startswith("digraph")


def test_a_plugin_that_exits(tmp_path: Path, interpreter) -> None:
    """To exit with 0 is no way to pass a check."""
    write(tmp_path / "app.py", TALKING)

    def run(*args: str) -> tuple[int, str]:
        done = interpreter.run("-m", "buvar.cli", *args, cwd=tmp_path)
        return done.returncode, done.stdout + done.stderr

    code, text = run("check", "app:leave")
    assert code == 1
    assert "'app:leave' could not be prepared: SystemExit: 0" in text
    code, text = run("graph", "app:leave")
    assert code == 1
    assert "A plugin ended the program: SystemExit: 0" in text
    assert "SystemExit" in run("config", "sample", "app:leave")[1]
