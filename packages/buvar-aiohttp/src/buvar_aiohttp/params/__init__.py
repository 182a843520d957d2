"""
Typed parameters: the path, the query and the body of a request, converted.

``@params.inject`` takes the place of ``@di.inject`` at a handler, or at the
method of a view. What is marked comes from the request, and is converted by
cattrs; what is not is injected. All that is wrong with a request is one
answer with status 422, which lists the place, the name and the reason of
each mistake. It needs the extra ``buvar-aiohttp[params]``.

Example:
    >>> import typing
    >>> import aiohttp.web
    >>> @inject
    ... async def show(
    ...     request: aiohttp.web.Request,
    ...     number: typing.Annotated[int, Path()],
    ...     tag: typing.Annotated[list[str], Query()] = [],
    ... ) -> aiohttp.web.Response:
    ...     return aiohttp.web.json_response({"number": number, "tag": tag})
    >>> app = aiohttp.web.Application()
    >>> _ = app.router.add_get("/items/{number}", show)
"""

from __future__ import annotations

from buvar_aiohttp._errors import ExtraError
from buvar_aiohttp._errors import ParameterError
from buvar_aiohttp._validation import Mistake
from buvar_aiohttp._validation import ValidationError


try:
    from ._inject import inject
    from ._marks import Body
    from ._marks import Path
    from ._marks import Query
    from ._plan import register
except ModuleNotFoundError as error:
    if error.name not in {"attrs", "cattrs"}:
        raise
    raise ExtraError(__name__, "params", "cattrs") from error


__all__ = [
    "Body",
    "Mistake",
    "ParameterError",
    "Path",
    "Query",
    "ValidationError",
    "inject",
    "register",
]
