"""The one source of configuration: an ordered list of providers."""

from __future__ import annotations

import typing as t

from collections.abc import Mapping

from ._claims import all_names
from ._claims import stray_variables
from ._claims import unclaimed
from ._diagnose import Unknown
from ._errors import ConfigError
from ._explain import Explanation
from ._explain import explain
from ._load import gather
from ._merge import is_table
from ._model.secret import without_secrets
from ._registry import each
from ._registry import path_of
from ._registry import sections
from ._reload import Watch
from ._reload import follow
from ._reload import refresh
from ._sources.asking import as_provider
from ._sources.asking import fetch
from ._sources.asking import is_meant_as_provider
from ._sources.files import AnyPath
from ._sources.named_by import IN_CODE
from ._sources.named_by import NamedBy
from ._sources.names import normal_prefix
from ._sources.overrides import Override
from ._sources.provider import Provider
from ._sources.toml_files import TomlFiles
from ._sources.toml_files import optional
from ._state import State
from ._state import again
from ._state import become
from ._state import fill
from ._state import like
from ._state import overridden
from ._state import override as put
from ._structure.compile import compiled
from ._thorough_load import Finder
from ._thorough_load import UnknownKeys
from ._thorough_load import check_mode
from ._thorough_load import load_again
from ._thorough_load import report_unknown


T = t.TypeVar("T")


class ConfigSource(dict[str, t.Any]):
    """
    Merged dicts, which typed objects are loaded from.

    Later ones win, from lowest to highest: the defaults of a class; dicts,
    files and providers in their order; what providers have by name; the
    secrets folder, ``PREFIX_X_FILE``, ``PREFIX_X``, overrides. Nested dicts
    merge, everything else is replaced.

    Args:
        dicts: Nested dicts and providers, later ones win; they are not
            changed.
        env_prefix: What the names of variables begin with; without it the
            environment is not looked at. It is a word of letters, digits and
            underscores.
        overrides: Strings ``a.b=value`` that win over everything.
        secrets: A folder with a file for each value, named like a variable.
        unknown: What to do about keys that a class does not know.
        named_by: The options of a command that say all this, for errors.

    Raises:
        ConfigError: Something cannot be read or is nested too deeply, or no
            variable can have the prefix.

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
        named_by: NamedBy = IN_CODE,
    ) -> None:
        super().__init__()
        check_mode(unknown)
        #: What to do about keys that a class does not know.
        self.unknown: UnknownKeys = unknown
        prefix = normal_prefix(env_prefix)
        trees = tuple(map(as_provider, dicts))
        self._state = State.of(prefix, trees, secrets, named_by)
        if self._state.may_change:
            follow(self)
        fill(self, self._state)
        for override in overrides:
            self.set(override)

    @property
    def env_prefix(self) -> str | None:
        """What the names of variables begin with, ``None`` for none."""
        return self._state.prefix

    @property
    def secrets(self) -> AnyPath | None:
        """The folder of secrets, ``None`` for none."""
        folder = self._state.secrets
        return None if folder is None else folder.folder

    @classmethod
    def read(
        cls,
        *paths: AnyPath | optional | Provider,
        env_prefix: str | None = None,
        overrides: t.Iterable[str] = (),
        secrets: AnyPath | None = None,
        unknown: UnknownKeys = "error",
        named_by: NamedBy = IN_CODE,
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
            named_by: The options of a command that say all this: so an error
                says which of them to correct.

        Raises:
            ConfigError: Something cannot be read or is no TOML.
        """
        source = cls(
            *(_provider(path, named_by) for path in paths),
            env_prefix=env_prefix,
            overrides=overrides,
            secrets=secrets,
            unknown=unknown,
            named_by=named_by,
        )
        follow(source)
        return source

    def __repr__(self) -> str:
        return repr(without_secrets(self._state.shown(self)))

    def where(self, path: t.Sequence[t.Any]) -> str | None:
        """
        Say where a value of the merged data was set, ``None`` if it is not.

        What is found by name, such as a variable, is not in that data: see
        ``explain``.

        Args:
            path: The keys that lead to the value.

        Example:
            >>> ConfigSource({"web": {"port": 80}}).where(["web", "port"])
            'code'
        """
        return self._state.where(path)

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
        become(self, like(self, (*self._state.trees, as_provider(provider))))
        follow(self)

    async def fetch(self) -> None:
        """
        Ask all asynchronous providers, and read everything else again.

        Raises:
            ConfigError: Something failed; the source is as it was before.
        """
        state = self._state
        become(self, like(self, await fetch(state.trees, state.prefix)))

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
        put(self, Override.parse(override, origin))

    def with_values(self, *values: Mapping[str, t.Any] | str) -> t.Self:
        """
        Return a source with values above all others; this one stays as it is.

        Args:
            values: Nested dicts and strings ``a.b=value``, later ones win.

        Raises:
            ConfigError: One of them is neither.

        Example:
            >>> ConfigSource({"web": {"port": 80}}).with_values("web.port=81")
            {'web': {'port': '81'}}
        """
        found: t.Self = overridden(self, values)
        if self._state.may_change:
            follow(found)
        return found

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
        self._state.reserved |= {tuple(name.split(".")) for name in sections}

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
            cure = self._state.named_by.unread
            report_unknown(unclaimed(self), self.unknown, cure)

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
        become(self, again(self))

    def refresh(self) -> bool:
        """
        Read files that changed, and tell whether there is something new.

        If they are wrong, or break the section of a ``Config`` that was right
        before, the old values stay and one error is logged.

        A process that has prepared no plugins, such as a supervisor of
        workers, does so by itself before it forks.
        """
        return refresh(self, sections().values())

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


def _provider(path: t.Any, named_by: NamedBy) -> t.Any:
    """Return the provider for a path; what is one already stays."""
    if is_meant_as_provider(path) or is_table(path):
        return path
    return TomlFiles(path, named_by.missing_file)
