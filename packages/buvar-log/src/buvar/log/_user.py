"""Build what the user's part of the settings adds, or say what is wrong."""

from __future__ import annotations

import copy
import difflib
import logging
import logging.config
import logging.handlers
import sys
import typing as t

from ._errors import LogConfigError
from ._levels import parse_level


Section: t.TypeAlias = dict[str, t.Any]

_KEYS = (
    "disable_existing_loggers",
    "filters",
    "formatters",
    "handlers",
    "incremental",
    "loggers",
    "root",
    "version",
)
_SECTIONS = ("formatters", "filters", "handlers", "loggers")


def merge(base: Section, user: t.Any) -> Section:
    """
    Merge the user's part into the base, and check its shape.

    Dictionaries merge, anything else replaces; so does a formatter, filter
    or handler that says its class.

    Raises:
        LogConfigError: An unknown key, a wrong type or level.
    """
    sections = _table("user_config", user)
    _check_keys(sections)
    merged = copy.copy(base)
    for name in (*_SECTIONS, "root"):
        part = _table(f"user_config.{name}", sections.get(name, {}))
        merged[name] = _merge_section(name, base[name], part)
    _merge_root(merged, _table("user_config.root", sections.get("root", {})))
    _parse_levels(merged)
    _check_propagation(merged)
    _check_handlers(merged)
    return merged


def _merge_root(merged: Section, own: Section) -> None:
    """Take the logger without a name, or called root, for the root."""
    loggers = dict(merged["loggers"])
    for name in ("", "root"):
        # What stands at root itself says it more clearly.
        merged["root"] = merged["root"] | loggers.pop(name, {}) | own
    merged["loggers"] = loggers


def _merge_section(name: str, base: Section, user: Section) -> Section:
    if name == "root":
        return base | user
    result = dict(base)
    for key, value in user.items():
        _table(f"user_config.{name}.{key}", value)
        own_class = "class" in value or "()" in value
        result[key] = value if own_class else result.get(key, {}) | value
    return result


def _check_keys(user: Section) -> None:
    for key in user:
        if key not in _KEYS:
            near = difflib.get_close_matches(str(key), _KEYS, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise LogConfigError(
                "user_config",
                key,
                f"unknown key {key!r}{hint}.",
                f"Use some of {', '.join(_KEYS)}.",
            )
    if user.get("version", 1) != 1:
        raise LogConfigError(
            "user_config.version",
            user["version"],
            f"there is no version {user['version']!r}.",
            "Leave it out, or say 1.",
        )
    for key in ("incremental", "disable_existing_loggers"):
        if user.get(key):
            path = f"user_config.{key}"
            raise LogConfigError(
                path,
                user[key],
                "is not supported, the settings apply to all loggers.",
                "Leave it out; set the levels of loggers instead.",
            )


def _parse_levels(merged: Section) -> None:
    for name in ("loggers", "handlers"):
        for key, value in merged[name].items():
            if "level" in value:
                path = f"user_config.{name}.{key}.level"
                level = parse_level(value["level"], path)
                merged[name][key] = value | {"level": level}
    root = merged["root"]
    path = "user_config.root.level"
    merged["root"] = root | {"level": parse_level(root["level"], path)}


def _check_propagation(merged: Section) -> None:
    for name, section in merged["loggers"].items():
        value = section.get("propagate", True)
        if not isinstance(value, bool):
            raise LogConfigError(
                f"user_config.loggers.{name}.propagate",
                value,
                f"{value!r} is neither true nor false.",
                "Write true or false.",
            )


def _check_handlers(merged: Section) -> None:
    for name, handler in merged["handlers"].items():
        if not handler.keys() & {"class", "()"}:
            raise LogConfigError(
                f"user_config.handlers.{name}",
                handler,
                "a handler needs its class.",
                'Add class = "logging.StreamHandler", or the like.',
            )
    places = {
        f"loggers.{key}": config for key, config in merged["loggers"].items()
    }
    places["root"] = merged["root"]
    for place, config in places.items():
        for kind in ("handlers", "filters"):
            path = f"user_config.{place}.{kind}"
            _check_names(path, kind, config.get(kind, []), merged[kind])


def _check_names(path: str, kind: str, names: object, known: Section) -> None:
    if not isinstance(names, list):
        raise LogConfigError(
            path,
            names,
            f"expected a list of {kind}, not {names!r}.",
            f"Write [{names!r}].",
        )
    for name in t.cast("t.Any", names):
        if name in known:
            continue
        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise LogConfigError(
            path,
            name,
            f"{kind} has nothing called {name!r}{hint}.",
            f"Use some of [{', '.join(sorted(known))}], or add it to "
            f"user_config.{kind}.",
        )


def _table(path: str, value: t.Any) -> Section:
    """Return the value if it is a table."""
    if isinstance(value, dict):
        return t.cast("Section", value)
    raise LogConfigError(
        path,
        value,
        f"expected a table, not {value!r}.",
        "Write what logging.config.dictConfig takes there.",
    )


class Configurator(logging.config.DictConfigurator):
    """Build handlers without touching those that exist."""

    config: t.Any

    def build(self) -> dict[str, logging.Handler]:
        """
        Return the handlers by name.

        Raises:
            LogConfigError: One of them, or what it needs, cannot be made.
        """
        for kind in ("formatters", "filters"):
            make = getattr(self, f"configure_{kind[:-1]}")
            sections = self.config[kind]
            for name in list(sections):
                # Looked up by name, references (ext://, cfg://) are resolved.
                sections[name] = self._make(kind, name, sections[name], make)
        built: dict[str, logging.Handler] = {}
        try:
            self._build_handlers(built)
        except LogConfigError:
            for handler in built.values():
                handler.close()
            raise
        return built

    def _build_handlers(self, built: dict[str, logging.Handler]) -> None:
        handlers = self.config["handlers"]
        # Those that need another one (a target, a queue's handlers) say so
        # by failing: they get a second turn.
        waiting: list[str] = []
        for name in sorted(handlers):
            try:
                built[name] = self._handler(name, handlers[name])
            except LogConfigError as error:
                if "not configured yet" not in str(error):
                    raise
                waiting.append(name)
        for name in waiting:
            built[name] = self._handler(name, handlers[name])

    def _handler(self, name: str, section: Section) -> logging.Handler:
        handler = t.cast(
            "logging.Handler",
            self._make("handlers", name, section, self.configure_handler),
        )
        _check_listener(name, section, handler)
        handler.name = name
        self.config["handlers"][name] = handler
        return handler

    def _make(
        self,
        kind: str,
        name: str,
        section: Section,
        make: t.Callable[[t.Any], t.Any],
    ) -> t.Any:
        path = f"user_config.{kind}.{name}"
        _check_version(path, section)
        try:
            return make(section)
        except Exception as error:
            causes = [error, error.__cause__]
            text = ": ".join(str(each) for each in causes if each is not None)
            raise LogConfigError(
                path,
                section,
                f"cannot be made: {type(error).__name__}: {text}.",
                "See the documentation of logging.config.dictConfig.",
            ) from error


def _check_version(path: str, section: Section) -> None:
    """Refuse what the Python that runs would pass over in silence."""
    if sys.version_info >= (3, 12):
        return
    name = section.get("class")
    a_queue = name is logging.handlers.QueueHandler or (
        str(name).endswith("QueueHandler")
    )
    # A queue that the program has made may be emptied by its own listener.
    made = hasattr(section.get("queue"), "put_nowait")
    if a_queue and ("handlers" in section or not made):
        raise LogConfigError(
            path,
            name,
            "only Python 3.12 and later make the listener of a QueueHandler.",
            "Leave the queue out and list its handlers where it stands; the "
            "handlers of buvar.log never wait for long.",
        )
    if "defaults" in section and path.startswith("user_config.formatters."):
        raise LogConfigError(
            f"{path}.defaults",
            section["defaults"],
            "only Python 3.12 and later give a formatter defaults.",
            "Leave them out, and give the fields to all events.",
        )


def _check_listener(
    name: str, section: Section, handler: logging.Handler
) -> None:
    """Refuse a queue whose listener has nobody to give records to."""
    listener: t.Any = getattr(handler, "listener", None)
    if listener is not None and not getattr(listener, "handlers", True):
        raise LogConfigError(
            f"user_config.handlers.{name}.handlers",
            section,
            "a QueueHandler without handlers loses all events.",
            'Name those that are to write them, such as handlers = ["file"].',
        )
