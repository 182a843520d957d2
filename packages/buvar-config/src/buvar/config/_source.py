"""The one source of configuration: dicts, files, secrets, environment."""

from __future__ import annotations

import typing as t
import weakref

from collections.abc import Mapping

from buvar import di

from ._claims import all_names
from ._claims import stray_variables
from ._claims import unclaimed
from ._compile import compiled
from ._diagnose import Unknown
from ._env import Names
from ._env import normal_prefix
from ._errors import ConfigError
from ._errors import dotted
from ._explain import Explanation
from ._explain import explain
from ._files import AnyPath
from ._files import optional
from ._gather import gather
from ._merge import Overlay
from ._merge import Path
from ._merge import check_depth
from ._merge import merge
from ._merged import Merged
from ._origin import Layer
from ._overlay import Override
from ._overlay import parse_override
from ._overlay import read_secrets
from ._override_value import as_data
from ._parts import Fetched
from ._parts import Part
from ._parts import as_part
from ._parts import fetch
from ._parts import pending
from ._parts import read as read_parts
from ._parts import stamp as stamp_of
from ._provider import Provider
from ._provider import is_provider
from ._secret import without_secrets
from ._sections import each
from ._sections import path_of
from ._sections import sections
from ._thorough_load import Finder
from ._thorough_load import UnknownKeys
from ._thorough_load import check_mode
from ._thorough_load import load_again
from ._thorough_load import report_unknown
from ._watch import Watch
from ._watch import follow
from ._watch import refresh


T = t.TypeVar("T")


class ConfigSource(Merged):
    """
    Merged dicts, which typed objects are loaded from.

    Later ones win, from lowest to highest: the defaults of a class, dicts,
    files and providers in their order, the secrets folder,
    ``PREFIX_X_FILE``, ``PREFIX_X``, overrides. Nested dicts merge, everything
    else is replaced.

    Args:
        dicts: Nested dicts and providers, later ones win; they are not
            changed.
        env_prefix: What the names of variables begin with; without it the
            environment is not looked at.
        overrides: Strings ``a.b=value`` that win over everything.
        secrets: A folder with a file for each value, named like a variable.
        unknown: What to do about keys that a class does not know.

    Raises:
        ConfigError: Something cannot be read or is nested too deeply.

    Example:
        >>> source = ConfigSource({"web": {"port": 80}}, {"web": {"tls": 1}})
        >>> source
        {'web': {'port': 80, 'tls': 1}}
    """

    def __init__(
        self,
        *dicts: Mapping[str, t.Any] | Provider,
        env_prefix: str | None = None,
        overrides: t.Iterable[str] = (),
        secrets: AnyPath | None = None,
        unknown: UnknownKeys = "error",
    ) -> None:
        super().__init__()
        check_mode(unknown)
        self.env_prefix = normal_prefix(env_prefix)
        self.unknown: UnknownKeys = unknown
        self.secrets = secrets
        self.overrides: tuple[Override, ...] = ()
        self.parts: tuple[Part, ...] = tuple(map(as_part, dicts))
        self.fetched: Fetched = {}
        self.layers: list[Layer] = []
        #: What was loaded so far; it ends with its classes.
        self.loaded: dict[int, weakref.ref[Names]] = {}
        self.reserved: set[Path] = set()
        self.stamped = self.stamp()
        self.secret_files = read_secrets(secrets)
        if any(map(is_provider, dicts)):
            follow(self)
        self._read()
        for override in overrides:
            self.set(override)

    @classmethod
    def read(
        cls,
        *paths: AnyPath | optional | Provider,
        env_prefix: str | None = None,
        overrides: t.Iterable[str] = (),
        secrets: AnyPath | None = None,
        unknown: UnknownKeys = "error",
    ) -> t.Self:
        """
        Read TOML files, later ones win.

        Args:
            paths: Files; folders named ``*.d``, whose ``*.toml`` are read in
                the order of their names; ``optional(path)`` for what may be
                missing; providers.
            env_prefix: As for the class, and so are the others.
            overrides: Strings ``a.b=value``.
            secrets: A folder.
            unknown: What to do about unknown keys.

        Raises:
            ConfigError: Something cannot be read or is no TOML.
        """
        source = cls(env_prefix=env_prefix, secrets=secrets, unknown=unknown)
        source.parts = paths
        source.stamped = source.stamp()
        follow(source)
        source._read()
        for override in overrides:
            source.set(override)
        return source

    def __repr__(self) -> str:
        return repr(without_secrets(self.shown()))

    def _read(self) -> None:
        """Merge what the source is made of."""
        self.pending = pending(self.parts, self.fetched)
        for layer in read_parts(self.parts, self.fetched):
            check_depth(layer.data, layer.file or layer.name)
            self.layers.append(layer)
            merge(self, layer.data)

    def add(self, provider: Provider) -> None:
        """
        Add a provider above all dicts, files and providers there are.

        What was loaded before stays as it is. One that has to be awaited is
        asked by ``fetch``.

        Args:
            provider: What is to be read.

        Raises:
            ConfigError: It failed; the source is as it was before.

        Example:
            >>> async def prepare(source: config.ConfigSource):
            ...     source.add(Vault("kv/app"))
            ...     await source.fetch()
        """
        self.become(self._like(*self.parts, as_part(provider)))
        follow(self)

    async def fetch(self) -> None:
        """
        Ask all asynchronous providers, and read everything else again.

        Raises:
            ConfigError: Something failed; the source is as it was before.
        """
        self.become(self._like(*self.parts, fetched=await fetch(self.parts)))

    def set(self, override: str, *, origin: str | None = None) -> None:
        """
        Set one value above all others, by a string ``a.b=value``.

        Args:
            override: The string.
            origin: What errors and ``explain`` call the place it came from,
                such as the name of an option; by default ``--set a.b``.

        Raises:
            ConfigError: The string is not of that form.
        """
        path, value = parse_override(override)
        self._put(Override(path, value, origin or f"--set {dotted(path)}"))
        di.replan()

    def _put(self, override: Override) -> None:
        overlay = Overlay(self)
        overlay.put(override.path, as_data(override.text))
        super().update(overlay.data)
        self.overrides = (*self.overrides, override)

    def load(
        self,
        cls: type[T],
        section: str | None = None,
        *,
        unknown: UnknownKeys | None = None,
    ) -> T:
        """
        Make an object of a section.

        Args:
            cls: A class of attrs or a dataclass.
            section: The dotted path of its table. By default that of a
                ``Config``, else the whole, in which tables of others are
                allowed beside those of the class.
            unknown: Overrides what to do about unknown keys.

        Raises:
            ConfigError: All that is wrong.
        """
        path = path_of(self, cls, section)
        data, names, plan = gather(self, cls, path)
        mode = unknown or self.unknown
        stray: list[Unknown] = []
        if plan.others and mode != "ignore":
            stray = stray_variables(self, names)
        try:
            quick = compiled(cls, strict=mode != "ignore", thorough=False)
            found: T = quick(data, cls)
            if not plan.unread and not stray:
                return found
        except ConfigError:
            raise
        except Exception:  # noqa: BLE001, S110 - asked again, thoroughly
            pass
        again: T = load_again(
            cls,
            data,
            Finder(self, names, plan),
            path,
            mode=mode,
            unread=plan.unread,
            stray=stray,
        )
        return again

    def reserve(self, *sections: str) -> None:
        """
        Say that sections are read by something else than a class.

        Neither they nor their variables are unknown to ``check_unknown``.

        Args:
            sections: Dotted paths of tables.
        """
        self.reserved |= {tuple(name.split(".")) for name in sections}

    def check_unknown(self) -> None:
        """
        Report what nothing reads: sections, variables, secret files.

        Known are the sections of each ``Config``, what was loaded so far and
        what is reserved; so call it when all plugins are prepared, as ``buvar
        run`` does. Variables count if they have the prefix, those that
        Kubernetes sets for services aside. What is done about them is what
        ``unknown`` says.

        Raises:
            ConfigError: There is something, and ``unknown`` is ``"error"``.

        Example:
            >>> source = ConfigSource({"storge": {"path": "/srv"}})
            >>> source.reserve("storage")
            >>> source.check_unknown()
            Traceback (most recent call last):
            ...
            buvar.config._errors.ConfigError: The configuration has an error:
              - storge: unknown section, nothing reads it (code)
                  Did you mean 'storage'?
            Correct it, or say what else reads it: source.reserve("section").
        """
        if self.unknown != "ignore":
            report_unknown(unclaimed(self), self.unknown)

    def explain(
        self, cls: type | None = None, section: str | None = None
    ) -> Explanation:
        """
        Say of each value where it came from; secrets are masked.

        Args:
            cls: A class, by default all ``classes``; what belongs to none of
                them is listed as well.
            section: Its section, by default that of the class.
        """
        wanted = self.classes() if cls is None else cls
        return explain(self, each(wanted, section), others=cls is None)

    def classes(self) -> list[tuple[t.Any, str]]:
        """
        Return the classes that are known to be read from this source.

        Those are each ``Config`` that has a section and what was loaded so
        far, with the dotted path of its table, in the order of these.
        """
        found = [(x.tp, ".".join(x.section)) for x in all_names(self)]
        return sorted(found, key=lambda pair: pair[1])

    def reload(self) -> None:
        """
        Read the files and the secrets again.

        Raises:
            ConfigError: Something is wrong; nothing has changed then.
        """
        self.become(self.again())

    def refresh(self) -> bool:
        """
        Read files that changed, and tell whether there is something new.

        If they are wrong, or break the section of a ``Config`` that was right
        before, the old values stay and one error is logged.

        A process that has prepared no plugins, such as a supervisor of
        workers, does so by itself before it forks.
        """
        return refresh(self, sections().values())

    def again(self) -> ConfigSource:
        """
        Return a source like this one, read anew.

        Raises:
            ConfigError: Something cannot be read or is no TOML.
        """
        return self._like(*self.parts)

    def _like(
        self, *parts: Part, fetched: Fetched | None = None
    ) -> ConfigSource:
        """Return a source made of other parts, with the same options."""
        fresh = type(self)(
            env_prefix=self.env_prefix,
            secrets=self.secrets,
            unknown=self.unknown,
        )
        fresh.parts = parts
        fresh.fetched = self.fetched if fetched is None else fetched
        fresh.stamped = fresh.stamp()
        fresh._read()  # noqa: SLF001 - our own
        for override in self.overrides:
            fresh._put(override)  # noqa: SLF001 - our own
        fresh.reserved = self.reserved
        return fresh

    def stamp(self) -> object:
        """Return something that differs when a file has changed."""
        return stamp_of(self.parts, self.secrets)

    def watch(
        self,
        cls: type[T],
        section: str | None = None,
        *,
        interval: float = 1.0,
    ) -> Watch[T]:
        """
        Follow a section: a new object when its files change.

        Args:
            cls: As for ``load``.
            section: As for ``load``.
            interval: After how many seconds the files are looked at again.

        Raises:
            ConfigError: The section is wrong to begin with.
        """
        return Watch(self, cls, section, interval)
