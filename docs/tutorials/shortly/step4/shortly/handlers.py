"""What is answered over HTTP."""

import hmac

from aiohttp import web

from buvar import context
from buvar import di
from buvar import plugin
from buvar_aiohttp import json

from .links import Links
from .settings import Settings


@di.inject
async def shorten(request: web.Request, links: Links, settings: Settings):
    given = request.headers.get("Authorization", "")
    wanted = f"Bearer {settings.token.reveal()}"
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        raise web.HTTPUnauthorized
    target = (await request.post()).get("target")
    if not isinstance(target, str) or not target.startswith("http"):
        raise web.HTTPBadRequest(text="target= has to be a URL\n")
    code = await links.add(target)
    return json.response({"code": code}, status=201)


async def count_visit(code: str):
    links = await di.nject(Links)
    await links.visit(code)


@di.inject
async def follow(request: web.Request, links: Links, jobs: plugin.Jobs):
    code = request.match_info["code"]
    target = await links.find(code)
    if target is None:
        raise web.HTTPNotFound(text="There is no such link.\n")
    jobs.add(count_visit(code))
    raise web.HTTPFound(target)


@di.inject
async def show(request: web.Request, links: Links):
    code = request.match_info["code"]
    visits = await links.visits(code)
    if visits is None:
        raise web.HTTPNotFound(text="There is no such link.\n")
    return json.response({"code": code, "visits": visits})


async def prepare():
    app = context.get(web.Application)
    app.router.add_post("/links", shorten)
    app.router.add_get("/links/{code}", show)
    app.router.add_get("/{code}", follow)
