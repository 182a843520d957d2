"""``check --static`` reads plugins, and runs none of them."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import typing as t

from pathlib import Path

import pytest


TIMEOUT = 60  # seconds, a bound and no expectation

SHOP = """
    import attrs
    from buvar import config, context, di, plugin
    from . import stock
    from .stock import Stock

    @attrs.define
    class Cache(config.Config, section="shop.cache"):
        redis: bool = False

    class Redis: ...
    class Missing: ...

    class Users:
        def __init__(self, stock: Stock, missing: Missing): ...

    class Named:
        def __init__(self, main: Stock): ...

    def uses_redis(cache: Cache) -> bool:
        return cache.redis

    def register():
        di.register(Redis, scope="layer", when=uses_redis)

    async def prepare(load: plugin.Loader):
        raise RuntimeError("nobody runs it")
        register()
        await load(".stock")
        await load(stock.more)
        di.register(Users, Named)
"""
STOCK = """
    from buvar import context, di
    from buvar.plugin import Loader

    class Stock: ...
    class Ring:
        def __init__(self, other: "Other"): ...
    class Other:
        def __init__(self, ring: Ring): ...

    @di.register
    class AtOnce: ...

    async def prepare():
        context.add(Stock())
        context.add(Stock(), name="main")
        context.add("text", str)

    async def more(loader: Loader):
        from . import late
        di.register(Other)
        if late.VALUE:
            di.decorate(late.around)
        yield late.task()
"""
LATE = """
    from .stock import Ring
    VALUE = 1

    def around(inner: Ring) -> Ring:
        return inner

    async def task(): ...

    async def prepare():
        name = "shop.stock"

        def local() -> int: ...

        from buvar import context, di
        di.register(local)
        context.add(compute())
"""
RING = """
    from buvar import di

    class Hen:
        def __init__(self, egg: "Egg"): ...

    class Egg:
        def __init__(self, hen: Hen): ...

    async def prepare():
        di.register(Hen, Egg)
"""


@pytest.fixture
def check(tmp_path: Path) -> t.Callable[..., str]:
    """Run ``buvar check --static`` in a folder with a package."""
    (tmp_path / "shop").mkdir()
    files = {"__init__": SHOP, "stock": STOCK, "late": LATE}
    for name, text in files.items():
        tmp_path.joinpath("shop", f"{name}.py").write_text(
            textwrap.dedent(text).lstrip("\n")
        )

    def run(*args: str, code: int) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "buvar.cli", "check", "--static", *args],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout or done.stderr

    return run


def line_of(folder: Path, text: str, name: str) -> int:
    lines = folder.joinpath("shop", name).read_text().splitlines()
    return next(n for n, line in enumerate(lines, 1) if text in line)


def test_finds_what_is_wrong(
    check: t.Callable[..., str], tmp_path: Path
) -> None:
    """Everything that is registered is planned, with file and line."""
    found = json.loads(check("shop", "--format", "json", code=1))

    places = {
        (one["rule"], Path(one["file"]).name, one["line"])
        for one in (*found["mistakes"], *found["notes"])
    }
    assert places == {
        (
            "injection",
            "__init__.py",
            line_of(tmp_path, "class Users", "__init__.py"),
        ),
        (
            "injection",
            "stock.py",
            line_of(tmp_path, "class Other", "stock.py"),
        ),
        (
            "injection",
            "late.py",
            line_of(tmp_path, "def around", "late.py"),
        ),
        (
            "left-out",
            "__init__.py",
            line_of(tmp_path, "class Redis", "__init__.py"),
        ),
    }
    assert found["exit_code"] == 1
    (users,) = [one for one in found["mistakes"] if "Users" in one["message"]]
    assert "needs missing: Missing" in users["message"]


def test_says_what_it_cannot_know(
    check: t.Callable[..., str], tmp_path: Path
) -> None:
    """Then what is missing is a note, as it may be there by then."""
    text = check("shop.late", code=0)

    assert "All that was seen is well: read 1 plugin without" in text
    for line, what in (
        ("di.register(local)", "it registers what is known only when it runs"),
        ("compute()", "it adds what is known only when it runs"),
    ):
        number = line_of(tmp_path, line, "late.py")
        assert f"late.py:{number}: Not checked: {what}. [unseen]" in text

    tmp_path.joinpath("ring.py").write_text(textwrap.dedent(RING).lstrip("\n"))
    names = ("shop", "shop.late", "ring")
    found = json.loads(check(*names, "--format", "sarif", code=1))
    levels = {
        one["message"]["text"].partition(" ")[0]: one["level"]
        for one in found["runs"][0]["results"]
    }
    assert levels["Users"] == levels["around"] == "note"
    assert levels["Hen"] == "error"


def test_bad_names_and_the_configuration(
    check: t.Callable[..., str], tmp_path: Path
) -> None:
    """Plugins that are not there are mistakes; files decide conditions."""
    tmp_path.joinpath("c.toml").write_text("[shop.cache]\nredis = true\n")

    output = check("nowhere", "shop", "-c", "c.toml", code=1)

    assert "There is no plugin 'nowhere'" in output
    assert "left-out" not in output
    assert output.endswith("4 mistakes found.\n")
    check("nowhere", code=2)
    tmp_path.joinpath("c.toml").write_text("[shop")
    assert "c.toml" in check("shop", "-c", "c.toml", code=2)


def test_a_module_that_cannot_be_imported(
    check: t.Callable[..., str], tmp_path: Path
) -> None:
    """The line that raised is named."""
    tmp_path.joinpath("broken.py").write_text("x = 1\nprint(y)\n")

    assert "broken.py:2: " in check("broken", code=1)


CACHED = """
    import attrs
    from buvar import config, di

    print("imported")

    @attrs.define
    class Cache(config.Config, section="cache"):
        url: str
        size: int = 3

    class Store: ...
    class Redis(Store):
        def __init__(self, missing: "Missing"): ...
    class Missing: ...
    class Other:
        def __init__(self, missing: Missing): ...

    def uses_redis(cache: Cache) -> bool:
        return bool(cache.url)

    async def prepare():
        di.register(Store, Other)
        di.register(Redis, when=uses_redis)
"""


def test_a_condition_on_what_is_not_configured(
    check: t.Callable[..., str], tmp_path: Path
) -> None:
    """What is missing is a note, a wrong value a mistake; the rest is seen."""
    tmp_path.joinpath("cached.py").write_text(textwrap.dedent(CACHED))
    settings = tmp_path / "c.toml"
    run = ("cached", "--format", "json")

    found = json.loads(check(*run, code=1))
    (mistake,) = found["mistakes"]
    assert mistake["message"].startswith("Other cannot be resolved")
    missing, left_out = found["notes"]
    assert missing["rule"] == "unseen"
    assert missing["message"].startswith("cache.url: missing")
    assert "give the configuration with -c" in missing["hint"]
    assert "cannot be decided: uses_redis" in left_out["message"]

    settings.write_text('[cache]\nurl = "redis:"\nsize = "many"\n')
    found = json.loads(check(*run, "-c", str(settings), code=1))
    assert {one["rule"] for one in found["mistakes"]} == {
        "configuration",
        "injection",
    }
    settings.write_text('[cache]\nurl = "redis:"\n')
    found = json.loads(check(*run, "-c", str(settings), code=1))
    texts = {one["message"].split()[0] for one in found["mistakes"]}
    assert texts == {"Other", "Redis"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "import sys\nsys.exit(0)\n",
            "A plugin could not be imported: SystemExit: 0",
        ),
        (
            """
                from buvar import di
                async def prepare(): di.register(int, when=fails)
                def fails(): raise ValueError("no")
            """,
            "ValueError: no, while the condition fails (",
        ),
        (
            """
                from buvar import di
                async def prepare(): di.register(int, scope="request")
            """,
            "ValueError: scope is one of",
        ),
        (
            """
                from buvar import di
                def make(): ...
                async def prepare(): di.register(make)
            """,
            "make cannot be registered: it does not say what it returns",
        ),
    ],
)
def test_what_ends_the_reading(
    check: t.Callable[..., str], tmp_path: Path, text: str, message: str
) -> None:
    """A module that exits, or what raises, is a mistake with its place."""
    tmp_path.joinpath("ends.py").write_text(textwrap.dedent(text))

    found = json.loads(check("ends", "--format", "json", code=1))

    (mistake,) = found["mistakes"]
    assert mistake["message"].startswith(message)
    assert Path(mistake["file"]).name == "ends.py"
