"""
Record what pydantic-settings prints for the twelve bad inputs.

The result stands beside ours in docs/reference/errors.md; run it with
the path of the file to write.
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
import tempfile

import pydantic_settings

from pydantic import SecretStr


class Web(pydantic_settings.BaseSettings):
    model_config = pydantic_settings.SettingsConfigDict(
        toml_file="web.toml",
        toml_table_header=("web",),
        env_prefix="APP_WEB_",
        extra="forbid",
    )

    port: int
    debug: bool = False
    limits: dict[str, int] = {}
    password: SecretStr = SecretStr("")

    @classmethod
    def settings_customise_sources(cls, settings_cls, env_settings, **_):
        return env_settings, pydantic_settings.TomlConfigSettingsSource(
            settings_cls
        )


INPUTS: dict[str, bytes] = {
    "Broken TOML": b'[web]\nport = 80\npassword = "hunter2\n',
    "Wrong types, all at once": (
        b'[web]\nport = "eighty"\nlimits = {a = "x"}\npassword = 5\n'
    ),
    "A missing field": b"[web]\nprot = 80\n",
    "An unknown key": b"[web]\nport = 80\ndebgu = true\n",
    "A bad word for a bool": b'[web]\nport = 80\ndebug = "perhaps"\n',
    "Bad JSON in a variable": b"[web]\nport = 80\n",
    "A NUL byte": b'[web]\nport = 80\npassword = "a\0b"\n',
    "10,000 levels of nesting": (
        b"[web]\nport = " + b"[" * 10_000 + b"]" * 10_000
    ),
    "Not UTF-8": "[web]\nport = 80\n# für\n".encode("latin-1"),
}


def printed() -> str:
    try:
        return repr(Web())
    except BaseException as error:
        name = type(error).__name__
        lines = [
            f"{name}: {error}".split("\n")[0],
            *str(error).split("\n")[1:],
        ]
        return "\n".join(line[:100].rstrip() for line in lines[:14])


def main(target: str) -> None:
    found = {
        "Two classes for one section": "(nothing: it has no sections)",
    }
    path = pathlib.Path(target).resolve()
    for name, data in INPUTS.items():
        with tempfile.TemporaryDirectory() as place:
            os.chdir(place)
            pathlib.Path("web.toml").write_bytes(data)
            if "JSON" in name:
                os.environ["APP_WEB_LIMITS"] = '{"a": '
            found[name] = printed()
            os.environ.pop("APP_WEB_LIMITS", None)
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        os.mkdir("web.toml")
        found["A directory instead of a file"] = printed()
        os.rmdir("web.toml")
        pathlib.Path("web.toml").write_bytes(b"[web]\nport = 80\n")
        read = pathlib.Path.open
        import builtins

        real = builtins.open

        def denied(file, *args, **options):
            if str(file).endswith("web.toml"):
                raise PermissionError(13, "Permission denied", str(file))
            return real(file, *args, **options)

        builtins.open = denied
        pathlib.Path.open = denied
        found["An unreadable file"] = printed()
        builtins.open = real
        pathlib.Path.open = read
        os.chdir(path.parent)
    recorded = {"version": pydantic_settings.__version__, "printed": found}
    path.write_text(json.dumps(recorded, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
