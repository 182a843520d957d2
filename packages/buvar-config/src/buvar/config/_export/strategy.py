"""
Draw objects of a class for tests, with hypothesis.

What is drawn is what a file may hold, and it is loaded as a file is: so an
object has passed the types, converters and validators of its class, and what
cannot be written, such as a ``None`` that is not the default, is not drawn.
"""

from __future__ import annotations

import datetime as dt
import enum
import pathlib
import types
import typing as t

from collections import abc

import attrs

from buvar.config._errors import ConfigError
from buvar.config._errors import config_error
from buvar.config._model.fields import Field
from buvar.config._model.fields import fields
from buvar.config._model.fields import has_fields
from buvar.config._model.secret import Secret
from buvar.config._model.typed_dicts import is_typed_dict
from buvar.config._model.typed_dicts import typed_dict_keys
from buvar.config._model.types import arguments
from buvar.config._model.types import bare
from buvar.config._model.types import origin
from buvar.config._source import ConfigSource
from buvar.config._structure.scalars import URL
from buvar.config._structure.scalars import ByteSize
from buvar.config._structure.unions import is_union
from buvar.config._structure.unions import kinds_of

from .dump import duration
from .dump import to_plain


if t.TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

T = t.TypeVar("T")
Given: t.TypeAlias = "t.Mapping[t.Any, SearchStrategy[t.Any]]"
#: Untyped: hypothesis is not imported, and what is drawn is of any type.
_Strategy: t.TypeAlias = t.Any
_Tables: t.TypeAlias = dict[str, _Strategy]

#: The whole numbers of TOML.
_INT64: t.Final = 1 << 63
#: How many items a collection has at most.
_ITEMS: t.Final = 5


def strategy(
    cls: type[T], *, given: Given = types.MappingProxyType({})
) -> SearchStrategy[T]:
    """
    Return a strategy of hypothesis that draws objects of a class.

    Each loads equal from a file and from variables, but for text in a union:
    a variable that says ``5`` is a number where both are taken. What its
    validators refuse is not drawn; where they refuse nearly all, narrow the
    types, or hypothesis says that it filters too much.

    Args:
        cls: The class, as ``ConfigSource.load`` takes it.
        given: Strategies for types of your own, and in place of the usual
            ones: of what a file may hold for them.

    Raises:
        ConfigError: There is no strategy for the type of a field, or
            hypothesis is not installed.

    Example:
        >>> import attrs
        >>> from buvar import config
        >>> @attrs.define
        ... class Pool:
        ...     size: int = 1
        >>> pools = config.strategy(Pool)
    """
    try:
        from hypothesis import reject  # noqa: PLC0415 - an extra
    except ImportError:
        raise config_error(
            "config.strategy() needs hypothesis, which is not installed",
            cure="Install the extra: pip install 'buvar-config[hypothesis]'.",
        ) from None
    tables: SearchStrategy[dict[str, t.Any]] = _Strategies(given).table(cls)

    def load(data: dict[str, t.Any]) -> T:
        try:
            return ConfigSource(data).load(cls, "")
        except ConfigError:
            return reject()

    return tables.map(load)


class _Strategies:
    """
    Makes strategies of types.

    Args:
        given: Those that are there already.
    """

    def __init__(self, given: Given) -> None:
        from hypothesis import strategies as st  # noqa: PLC0415 - an extra

        self._st: t.Any = st
        self._given = given
        self._tables: dict[t.Any, _Strategy] = {}

    def table(self, tp: t.Any) -> _Strategy:
        """Draw what a class is loaded from; defaults may be left out."""
        if tp not in self._tables:
            # A class may have objects of itself in it.
            made: list[_Strategy] = []
            self._tables[tp] = self._st.deferred(lambda: made[0])
            required: _Tables = {}
            optional: _Tables = {}
            for field in fields(tp):
                into = required if field.required else optional
                into[field.key] = self._field(tp, field)
            made.append(
                self._st.fixed_dictionaries(required, optional=optional)
            )
        return self._tables[tp]

    def _field(self, owner: t.Any, field: Field) -> _Strategy:
        tp = field.type
        if origin(tp) is t.Any and field.extra.kind is not None:
            tp = {"bool": bool, "list": list[str]}[field.extra.kind]
        try:
            found = self.of(tp)
        except _UnknownError as error:
            raise config_error(
                f"{field.key}: there is no strategy for "
                f"{getattr(error.type, '__qualname__', error.type)}, the type "
                f"of a field of {origin(owner).__qualname__}",
                cure="Give one for what a file may hold for it: "
                "config.strategy(cls, given={TheType: st.text()}).",
            ) from None
        return found

    def of(self, tp: t.Any) -> _Strategy:  # noqa: C901, PLR0911 - kinds
        """Draw what a file may hold for a type."""
        st = self._st
        tp = bare(tp)
        cls, inner = origin(tp), arguments(tp)
        for known in (tp, cls):
            if known in self._given:
                return self._given[known]
        if has_fields(tp):
            return self.table(tp)
        if is_union(tp):
            # TOML cannot say None: it is drawn where it is the default.
            kinds = [k for k in kinds_of(tp) if k is not type(None)]
            return st.one_of([self.of(kind) for kind in kinds])
        if cls is t.Literal:
            choices = [item for item in inner if item is not None]
            return st.sampled_from([to_plain(item) for item in choices])
        if cls is Secret:
            return self.of(next(iter(inner), t.Any))
        if tp is t.Any or tp is object:
            return st.one_of([self.of(kind) for kind in (str, int, bool)])
        if is_typed_dict(cls):
            return self._typed_dict(tp)
        if not isinstance(cls, type):
            raise _UnknownError(tp)
        if issubclass(cls, enum.Enum):
            return self._members(cls)
        for base in cls.__mro__:
            name = f"{base.__module__}.{base.__name__}"
            if make := _KINDS.get(base) or _NAMED.get(name):
                return make(st)
        return self._container(cls, inner)

    def _members(self, cls: t.Any) -> _Strategy:
        st = self._st
        members = list(cls)
        if not issubclass(cls, enum.Flag):
            return st.sampled_from([to_plain(item) for item in members])
        return st.sets(st.sampled_from([item.value for item in members])).map(
            sum
        )

    def _container(self, cls: t.Any, inner: tuple[t.Any, ...]) -> _Strategy:
        st = self._st
        if issubclass(cls, abc.Mapping):
            key, value = inner or (str, t.Any)
            return st.dictionaries(
                self.of(key).map(str), self.of(value), max_size=_ITEMS
            )
        if not issubclass(cls, abc.Iterable | abc.Container):
            raise _UnknownError(cls)
        if cls is tuple and inner and inner[-1] is not ...:
            return st.tuples(*map(self.of, inner)).map(list)
        item = self.of(next(iter(inner), t.Any))
        return st.lists(item, max_size=_ITEMS)

    def _typed_dict(self, tp: t.Any) -> _Strategy:
        required: _Tables = {}
        optional: _Tables = {}
        types, needed = typed_dict_keys(tp)
        for key, kind in types.items():
            into = required if key in needed else optional
            into[key] = self.of(kind)
        return self._st.fixed_dictionaries(required, optional=optional)


@attrs.frozen
class _UnknownError(Exception):
    type: t.Any


def _text(st: t.Any) -> _Strategy:
    """Draw text that UTF-8 and the environment can hold."""
    characters = st.characters(
        exclude_characters="\0", exclude_categories=["Cs"]
    )
    return st.text(characters)


def _urls(st: t.Any) -> _Strategy:
    word = st.from_regex("[a-z]{1,8}", fullmatch=True)
    return st.builds(
        "{}://{}.test:{}/{}".format,
        st.sampled_from(["http", "https", "redis", "postgresql"]),
        word,
        st.integers(1, 65535),
        word,
    )


def _addresses(version: int, after: str = "") -> _Make:
    return lambda st: st.ip_addresses(v=version).map(("{}" + after).format)


def _outside_of_home(text: str) -> str:
    # A tilde is the home directory, which the machine decides.
    return text.lstrip("~")


_Make: t.TypeAlias = t.Callable[[t.Any], _Strategy]

_KINDS: t.Final[dict[type, _Make]] = {
    bool: lambda st: st.booleans(),
    ByteSize: lambda st: st.integers(0, _INT64 - 1),
    URL: _urls,
    str: _text,
    bytes: _text,
    int: lambda st: st.integers(-_INT64, _INT64 - 1),
    float: lambda st: st.floats(allow_nan=False),
    dt.datetime: lambda st: st.datetimes(
        timezones=st.none() | st.just(dt.UTC)
    ),
    dt.date: lambda st: st.dates(),
    dt.time: lambda st: st.times(),
    dt.timedelta: lambda st: st.timedeltas().map(duration),
    pathlib.PurePath: lambda st: _text(st).map(_outside_of_home),
}
#: By name, so that they are not imported by all that load a configuration.
_NAMED: t.Final[dict[str, _Make]] = {
    "decimal.Decimal": lambda st: st.decimals(allow_nan=False).map(str),
    "fractions.Fraction": lambda st: st.fractions().map(str),
    "ipaddress.IPv4Address": _addresses(4),
    "ipaddress.IPv4Interface": _addresses(4, "/24"),
    "ipaddress.IPv4Network": _addresses(4, "/32"),
    "ipaddress.IPv6Address": _addresses(6),
    "ipaddress.IPv6Interface": _addresses(6, "/64"),
    "ipaddress.IPv6Network": _addresses(6, "/128"),
    "uuid.UUID": lambda st: st.uuids().map(str),
    "zoneinfo.ZoneInfo": lambda st: st.timezone_keys(),
}
