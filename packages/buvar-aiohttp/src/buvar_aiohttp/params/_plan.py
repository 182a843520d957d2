"""Plan once, for all requests, how each parameter is filled."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
import typing as t

import aiohttp.web
import attrs

from buvar_aiohttp._errors import ParameterError
from buvar_aiohttp._validation import MOST
from buvar_aiohttp._validation import Mistake
from buvar_aiohttp._validation import ValidationError
from buvar_aiohttp.json import loads

from ._convert import Converter
from ._convert import is_class
from ._convert import mistakes
from ._convert import takes_list
from ._convert import takes_none
from ._convert import unsupported
from ._marks import Body
from ._marks import Path
from ._marks import Query
from ._signature import Param
from ._signature import is_required


#: Returns the value of a parameter; what is wrong is added to the list.
Fetch: t.TypeAlias = t.Callable[[aiohttp.web.Request, list[Mistake]], t.Any]
Convert: t.TypeAlias = t.Callable[[t.Any], t.Any]

TEXT: t.Final = Converter(text=True)
STRICT: t.Final = Converter(text=False, forbid=True)
LENIENT: t.Final = Converter(text=False)

_JSON: t.Final = re.compile(r"application/(?:[\w.+-]+\+)?json", re.ASCII)
_UTF_8: t.Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


def register(cls: type, convert: t.Callable[[t.Any], t.Any]) -> None:
    """
    Have parameters of a type converted by a function.

    Args:
        cls: The type.
        convert: Makes one of what a client sent: text from a path or a
            query, what JSON says from a body. Its ``ValueError`` is the
            client's mistake, and its text the reason.

    Example:
        >>> class Color:
        ...     def __init__(self, text):
        ...         if not text.startswith("#"):
        ...             raise ValueError("expected a color such as #336699")
        >>> register(Color, Color)
    """
    for converter in (TEXT, STRICT, LENIENT):
        converter.register_structure_hook(cls, lambda value, _: convert(value))


class Plan:
    """
    How the parameters of a function are filled.

    Args:
        function: The function.
        params: Its parameters that come from the request.
        unknown_query: Whether keys of the query that no parameter takes are
            a mistake.

    Raises:
        ParameterError: One of them cannot be converted.
    """

    def __init__(
        self,
        function: t.Any,
        params: t.Sequence[Param],
        *,
        unknown_query: bool,
    ) -> None:
        self.function = function
        self.params = params
        self._fetches: list[tuple[str, Fetch]] = []
        self._body: tuple[str, t.Any] | None = None
        known: set[str] = set()
        for param in params:
            if isinstance(param.mark, Body):
                self._body = param.name, self._read_body(param)
            elif isinstance(param.mark, Path):
                self._fetches.append((param.name, self._read_path(param)))
            elif is_class(param.type):
                keys = self._keys_of(param)
                known.update(keys)
                self._fetches.append((param.name, _read_class(param, keys)))
            else:
                self._check(TEXT, param)
                known.add(param.key)
                self._fetches.append((param.name, _read_query(param)))
        self._known = frozenset(known) if unknown_query else None

    async def __call__(self, request: aiohttp.web.Request) -> dict[str, t.Any]:
        """
        Return the arguments for a request.

        Raises:
            ValidationError: With all that is wrong with them.
            aiohttp.web.HTTPUnsupportedMediaType: The body is no JSON.
        """
        errors: list[Mistake] = []
        values = {
            name: fetch(request, errors) for name, fetch in self._fetches
        }
        if self._known is not None:
            errors += [
                Mistake("query", key, "is not known")
                for key in dict.fromkeys(request.query)
                if key not in self._known
            ]
        if self._body is not None:
            name, read = self._body
            values[name] = await read(request, errors)
        if errors:
            raise ValidationError(errors)
        return values

    def _check(self, converter: Converter, param: Param) -> None:
        """Refuse what cannot be converted, before a request asks for it."""
        try:
            wrong = unsupported(converter, param.type)
        except NameError as error:
            raise ParameterError(
                self.function,
                param.name,
                f"a field of its type has an annotation that cannot be "
                f"evaluated: {error}",
                "import the name at run time, or correct it.",
            ) from error
        if wrong is not None:
            name = getattr(wrong, "__qualname__", None) or str(wrong)
            raise ParameterError(
                self.function,
                param.name,
                f"nothing can be converted to {name}",
                "use a scalar, a list, a dict, or a class of attrs or "
                "dataclasses, or tell how: buvar_aiohttp.params.register.",
            )

    def _keys_of(self, param: Param) -> dict[str, t.Any]:
        """Return the keys of the query that a class has, with their types."""
        if t.cast("Query", param.mark).name is not None:
            raise ParameterError(
                self.function,
                param.name,
                "in the query the fields of a class have names, not the class",
                "leave the name out: Query().",
            )
        self._check(TEXT, param)
        hints = t.get_type_hints(
            t.get_origin(param.type) or param.type, include_extras=True
        )
        return {
            name: hints.get(name, t.Any) for name in _field_names(param.type)
        }

    def _read_path(self, param: Param) -> Fetch:
        if is_class(param.type) or takes_list(param.type):
            raise ParameterError(
                self.function,
                param.name,
                "a part of the path is a single value",
                "use a scalar such as int or str.",
            )
        self._check(TEXT, param)
        key, convert = param.key, _converter(TEXT, param.type)

        def fetch(
            request: aiohttp.web.Request, errors: list[Mistake]
        ) -> t.Any:
            value = request.match_info.get(key)
            if value is None:
                return _absent(param, "path", key, errors)
            return _convert(convert, value, "path", key, errors)

        return fetch

    def _read_body(self, param: Param) -> t.Any:
        mark = t.cast("Body", param.mark)
        converter = STRICT if mark.unknown == "error" else LENIENT
        self._check(converter, param)
        convert = _converter(converter, param.type)

        async def fetch(
            request: aiohttp.web.Request, errors: list[Mistake]
        ) -> t.Any:
            text = await request.read()
            if not text:
                return _absent(param, "body", "", errors)
            _refuse_other_types(request)
            try:
                value = loads(text)
            except (ValueError, RecursionError):
                errors.append(Mistake("body", "", "is not JSON"))
                return None
            return _convert(convert, value, "body", "", errors)

        return fetch


def _field_names(cls: t.Any) -> list[str]:
    """Return the names of the fields of a class."""
    cls = t.get_origin(cls) or cls
    if attrs.has(cls):
        return [field.name for field in attrs.fields(cls)]
    return [field.name for field in dataclasses.fields(cls)]


def _read_query(param: Param) -> Fetch:
    """Return what reads a key of the query."""
    key, many = param.key, takes_list(param.type)
    convert = _converter(TEXT, param.type)

    def fetch(request: aiohttp.web.Request, errors: list[Mistake]) -> t.Any:
        value = _given(request, key, errors, many=many)
        if value is None:
            return _absent(param, "query", key, errors)
        return _convert(convert, value, "query", key, errors)

    return fetch


def _read_class(param: Param, keys: dict[str, t.Any]) -> Fetch:
    """Return what makes an object of keys of the query."""
    convert = _converter(TEXT, param.type)
    lists = {key: takes_list(tp) for key, tp in keys.items()}

    def fetch(request: aiohttp.web.Request, errors: list[Mistake]) -> t.Any:
        values: dict[str, t.Any] = {}
        for key, many in lists.items():
            value = _given(request, key, errors, many=many)
            if value is not None:
                values[key] = value
        if not values and not is_required(param):
            return param.default
        return _convert(convert, values, "query", "", errors)

    return fetch


def _given(
    request: aiohttp.web.Request,
    key: str,
    errors: list[Mistake],
    *,
    many: bool,
) -> t.Any:
    """Return what a query has for a key, ``None`` if there is nothing."""
    values = request.query.getall(key, ())
    if not values:
        return None
    if many:
        return [*values]
    if len(values) > 1:
        reason = f"is given {len(values)} times"
        errors.append(Mistake("query", key, reason))
    return values[0]


def _absent(
    param: Param, place: str, name: str, errors: list[Mistake]
) -> t.Any:
    """Return what stands for a value that the client has left out."""
    if not is_required(param):
        return param.default
    if not takes_none(param.type):
        errors.append(Mistake(place, name, "is missing"))
    return None


def _convert(
    convert: Convert,
    value: t.Any,
    place: str,
    name: str,
    errors: list[Mistake],
) -> t.Any:
    try:
        return convert(value)
    except Exception as error:  # noqa: BLE001 - a fault of another kind is raised
        # The fields of a class are keys of the query by themselves.
        for found, reason in _mistakes(error, name):
            where = found if place == "body" else found.removeprefix("/")
            errors.append(Mistake(place, where, reason))
    return None


def _mistakes(error: Exception, name: str) -> list[tuple[str, str]]:
    try:
        # One more than is told says that there are more.
        return [*itertools.islice(mistakes(error, name), MOST + 1)]
    except RecursionError:
        return [(name, "is nested too deeply")]


def _converter(converter: Converter, tp: t.Any) -> Convert:
    return functools.partial(converter.structure, cl=tp)


def _refuse_other_types(request: aiohttp.web.Request) -> None:
    """
    Refuse a body that does not say that it is JSON.

    Raises:
        aiohttp.web.HTTPUnsupportedMediaType: It does not.
    """
    charset = request.charset
    if _JSON.fullmatch(request.content_type.lower()) and (
        charset is None or charset.lower() in _UTF_8
    ):
        return
    raise aiohttp.web.HTTPUnsupportedMediaType(
        headers={"Accept": "application/json"},
        text="The body has to be JSON: Content-Type: application/json.",
    )
