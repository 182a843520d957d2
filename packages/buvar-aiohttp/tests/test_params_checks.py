"""Parameters that no request can fill are found before there is one."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import textwrap
import typing as t

import aiohttp
import aiohttp.web
import pytest

import buvar_aiohttp

from buvar import context
from buvar import di
from buvar import plugin
from buvar_aiohttp import params
from buvar_aiohttp.params import Body
from buvar_aiohttp.params import Path
from buvar_aiohttp.params import Query


class Plain:
    """What nothing can be converted to."""


@params.inject
async def no_part(request: t.Any, n: t.Annotated[int, Path()]) -> t.Any: ...


@params.inject
async def plain(request: t.Any, n: t.Annotated[Plain, Body()]) -> t.Any: ...


@params.inject
async def within(
    request: t.Any, n: t.Annotated[dict[str, list[Plain]], Body()]
) -> t.Any: ...


@params.inject
async def parts(
    request: t.Any, n: t.Annotated[list[int], Path()]
) -> t.Any: ...


@params.inject
async def twice(
    request: t.Any, n: t.Annotated[int, Path(), Query()]
) -> t.Any: ...


@params.inject
async def bodies(
    request: t.Any, a: t.Annotated[int, Body()], n: t.Annotated[int, Body()]
) -> t.Any: ...


@params.inject
async def position(
    request: t.Any, n: t.Annotated[int, Query()], /
) -> t.Any: ...


@di.inject
async def undecorated(
    request: t.Any, n: t.Annotated[int, Query()] = 1
) -> t.Any: ...


class View(aiohttp.web.View):
    @params.inject
    async def post(self, n: t.Annotated[int, Path("id")]) -> t.Any: ...


WRONG: list[tuple[t.Any, str, str]] = [
    (no_part, "the path /{m} has no part {n}, only {m}", "correct the path"),
    (plain, "nothing can be converted to Plain", "params.register"),
    (within, "nothing can be converted to Plain", "params.register"),
    (parts, "a part of the path is a single value", "scalar"),
    (twice, "it is marked twice", "keep one"),
    (bodies, "a is the body already", "one class"),
    (position, "it can be given by position only", "slash"),
    (undecorated, "the handler does not fill it", "params.inject"),
    (View, "the path /{m} has no part {id}, only {m}", "correct the path"),
]


def _prepare(*handlers: t.Any) -> t.Any:
    async def prepare(load: plugin.Loader) -> None:
        await load(buvar_aiohttp.prepare_app)
        router = context.get(aiohttp.web.Application).router
        for handler in handlers:
            # Routes of the same path would be one resource.
            app_path = "/{m}" if handler is handlers[0] else f"/{id(handler)}"
            router.add_route("*", app_path, handler)

    return prepare


@pytest.mark.parametrize(("handler", "reason", "cure"), WRONG)
def test_what_a_check_finds(handler: t.Any, reason: str, cure: str) -> None:
    """The error says which parameter of which handler, where, and why."""
    with context.child(), pytest.raises(ExceptionGroup) as info:
        plugin.check(_prepare(handler))
    (error,) = info.value.exceptions
    assert isinstance(error, params.ParameterError)
    assert error.parameter == "n"
    assert reason in error.reason
    assert cure in error.cure
    assert error.place.startswith(f"{__file__}:")
    lines = str(error).splitlines()
    assert error.place in lines[0]
    assert lines[-1].startswith("Hint: ")


def test_all_of_them_are_told() -> None:
    """Several wrong handlers are told at once, each as itself."""
    with context.child(), pytest.raises(ExceptionGroup) as info:
        plugin.check(_prepare(plain, parts, no_part))
    assert {e.function.__name__ for e in _leaves(info.value)} == {
        "plain",
        "parts",
        "no_part",
    }


def test_a_server_does_not_start_with_them() -> None:
    """Without a check the server does not serve, and the stage fails."""

    async def prepare(load: plugin.Loader) -> None:
        context.add(buvar_aiohttp.AioHttpConfig(host="127.0.0.1", port=0))
        await load(_prepare(plain), "buvar_aiohttp")

    with context.child(), pytest.raises(ExceptionGroup) as info:
        plugin.stage(prepare)
    (error,) = _leaves(info.value)
    assert isinstance(error, params.ParameterError)


def _leaves(error: t.Any) -> list[t.Any]:
    if isinstance(error, BaseExceptionGroup):
        inner = t.cast("BaseExceptionGroup[BaseException]", error)
        return [leaf for one in inner.exceptions for leaf in _leaves(one)]
    return [error]


APP = """
import typing as t

import aiohttp.web

import buvar_aiohttp

from buvar import di
from buvar import plugin
from buvar_aiohttp import params


class Missing: ...


class View(aiohttp.web.View):
    @di.inject
    async def get(self, missing: Missing): ...  # view


@aiohttp.web.middleware
@di.inject
async def around(request, handler, missing: Missing): ...  # middleware


@params.inject
async def typed(request, n: t.Annotated[int, params.Path()]): ...  # typed


async def prepare(load: plugin.Loader):
    await load("buvar_aiohttp")
    app = await di.nject(aiohttp.web.Application)
    app.middlewares.append(around)
    app.router.add_view("/view", View)
    app.router.add_get("/typed", typed)
"""


def test_the_command(tmp_path: pathlib.Path) -> None:
    """``buvar check`` tells all of them with file and line, and exits 1."""
    pytest.importorskip("buvar.cli")
    path = tmp_path / "wrong_app.py"
    path.write_text(textwrap.dedent(APP))
    done = subprocess.run(
        [sys.executable, "-m", "buvar.cli", "check", "wrong_app:prepare"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    lines = APP.splitlines()
    for name in ("view", "middleware", "typed"):
        (number,) = [
            number
            for number, line in enumerate(lines, 1)
            if line.endswith(f"# {name}")
        ]
        # A decorated function begins with its decorators.
        around = {f"{path.name}:{n}" for n in range(number - 2, number + 1)}
        assert any(place in done.stderr for place in around), done.stderr
