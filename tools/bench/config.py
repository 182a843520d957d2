"""
Load 40 fields in 4 nested classes, 10 of them set by variables.

The TOML is parsed already: what is measured is merging, the environment and
making typed objects. cattrs and msgspec alone know no environment; they are
given the merged dict and are the floor.
"""

from __future__ import annotations

import os
import sys
import typing as t

import attrs
import cattrs

from _rounds import Case
from _rounds import calls
from _rounds import interleave
from _rounds import table

from buvar import config


NAMES = ("web", "database", "cache", "mail")
FIELDS: dict[str, tuple[type, t.Any]] = {
    "host": (str, "localhost"),
    "user": (str, "somebody"),
    "name": (str, "name"),
    "path": (str, "/srv/data"),
    "port": (int, 8080),
    "size": (int, 10),
    "timeout": (float, 1.5),
    "rate": (float, 0.25),
    "debug": (bool, True),
    "tags": (list[str], ["a", "b"]),
}
VARIABLES = {
    "BENCH_WEB_HOST": "example.org",
    "BENCH_WEB_PORT": "80",
    "BENCH_WEB_DEBUG": "false",
    "BENCH_DATABASE_HOST": "db",
    "BENCH_DATABASE_USER": "app",
    "BENCH_DATABASE_SIZE": "20",
    "BENCH_CACHE_HOST": "cache",
    "BENCH_CACHE_TIMEOUT": "2.5",
    "BENCH_MAIL_HOST": "mail",
    "BENCH_MAIL_PORT": "25",
}
DATA = {name: {k: v for k, (_, v) in FIELDS.items()} for name in NAMES}


def merged() -> dict[str, dict[str, t.Any]]:
    data = {name: dict(values) for name, values in DATA.items()}
    for variable, text in VARIABLES.items():
        _, name, field = variable.lower().split("_")
        kind = FIELDS[field][0]
        data[name][field] = text == "true" if kind is bool else kind(text)
    return data


def make(decorate: t.Callable[[type], type], *bases: type, **options: t.Any):
    parts = {
        name: decorate(
            type(
                name.title(),
                bases,
                {"__annotations__": {k: tp for k, (tp, _) in FIELDS.items()}},
            )
        )
        for name in NAMES
    }
    return decorate(
        type("App", bases, {"__annotations__": dict(parts), **options})
    )


def buvar(*, source_each_time: bool) -> Case:
    cls = make(attrs.define)
    source = config.ConfigSource(DATA, env_prefix="BENCH")
    assert source.load(cls).database.size == 20
    assert attrs.asdict(source.load(cls)) == merged()
    if not source_each_time:
        return calls(lambda: source.load(cls))
    return calls(
        lambda: config.ConfigSource(DATA, env_prefix="BENCH").load(cls)
    )


def plain_cattrs() -> Case:
    cls = make(attrs.define)
    converter = cattrs.Converter()
    data = merged()
    assert attrs.asdict(converter.structure(data, cls)) == data
    return calls(lambda: converter.structure(data, cls))


def plain_msgspec() -> Case:
    import msgspec

    parts = {
        name: msgspec.defstruct(
            name, [(key, tp) for key, (tp, _) in FIELDS.items()]
        )
        for name in NAMES
    }
    cls = msgspec.defstruct("App", list(parts.items()))
    data = merged()
    return calls(lambda: msgspec.convert(data, cls))


def pydantic_settings() -> Case:
    import pydantic
    import pydantic_settings

    parts = {
        name: pydantic.create_model(
            name, **{key: (tp, ...) for key, (tp, _) in FIELDS.items()}
        )
        for name in NAMES
    }

    class Base(pydantic_settings.BaseSettings):
        model_config = pydantic_settings.SettingsConfigDict(
            env_prefix="BENCH_", env_nested_delimiter="_"
        )

        @classmethod
        def settings_customise_sources(
            cls, settings_cls, init_settings, env_settings, **_
        ):
            return env_settings, init_settings

    cls = pydantic.create_model(
        "App", __base__=Base, **{k: (tp, ...) for k, tp in parts.items()}
    )
    assert cls(**DATA).model_dump() == merged()
    return calls(lambda: cls(**DATA))


def typed_settings() -> Case:
    import typed_settings as ts

    cls = make(attrs.define)
    loaders = [
        ts.loaders.DictLoader(DATA)
        if hasattr(ts.loaders, "DictLoader")
        else _Given(),
        ts.EnvLoader(prefix="BENCH_"),
    ]
    converter = ts.default_converter()
    assert attrs.asdict(ts.load_settings(cls, loaders, converter=converter))
    return calls(lambda: ts.load_settings(cls, loaders, converter=converter))


class _Given:
    """A loader of a dict, as the manual of typed-settings shows."""

    def __call__(self, settings_cls, options):
        from typed_settings.types import LoadedSettings
        from typed_settings.types import LoaderMeta

        return LoadedSettings(DATA, LoaderMeta(self))


def dynaconf() -> Case:
    from dynaconf import Dynaconf

    # Its variables have two underscores between the parts of a name.
    for variable, text in VARIABLES.items():
        _, name, field = variable.split("_")
        os.environ[f"DYNA_{name}__{field}"] = text

    def load() -> dict[str, t.Any]:
        # It reads when it is asked for a value, and makes no typed objects.
        return Dynaconf(envvar_prefix="DYNA", **DATA).as_dict()

    found = load()
    assert {
        name.lower(): {key.lower(): value for key, value in values.items()}
        for name, values in found.items()
    } == merged()
    return calls(load)


def main() -> None:
    os.environ.update(VARIABLES)
    cases = {
        "cattrs alone": plain_cattrs(),
        "buvar, one source": buvar(source_each_time=False),
        "buvar, a source each time": buvar(source_each_time=True),
    }
    packages = ["buvar-config", "attrs", "cattrs"]
    for name, add in (
        ("msgspec", plain_msgspec),
        ("pydantic-settings", pydantic_settings),
        ("typed-settings", typed_settings),
        ("dynaconf", dynaconf),
    ):
        try:
            cases[name] = add()
            packages.append(name)
        except ImportError:
            print(f"without {name}: it is not installed", file=sys.stderr)
    print(
        table(
            "Configuration: 40 fields, 4 nested classes, 10 variables",
            interleave(cases),
            base="cattrs alone",
            unit="us",
            packages=packages,
        )
    )


if __name__ == "__main__":
    main()
