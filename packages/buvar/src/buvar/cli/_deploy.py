"""Write what runs a service elsewhere, from its own configuration."""

from __future__ import annotations

import importlib.resources
import json
import math
import pathlib
import re
import shlex
import typing as t
import urllib.parse

from buvar import config
from buvar import context
from buvar import plugin

from ._application import FORK
from ._application import Application
from ._application import check_own
from ._configuring import note_failures
from ._configuring import prepare_all
from ._errors import CommandError
from ._errors import Exit
from ._fork_config import ForkConfig
from ._output import answer
from ._output import remark
from ._templates import filled


#: Seconds until no proxy sends new requests to a pod, and a margin.
_PRE_STOP: t.Final = 5
_MARGIN: t.Final = 5
#: The share of graceful_timeout in which open requests have to end.
_SHARE: t.Final = 0.8
_NAME: t.Final = re.compile(r"[a-z]([-a-z0-9]{0,29}[a-z0-9])?")
_HEALTH: t.Final = "buvar_aiohttp.health"
_METRICS: t.Final = "buvar_aiohttp.metrics"


def deploy(application: Application, kind: str, name: str | None) -> None:
    """
    Print a file for one kind of deployment.

    Raises:
        CommandError: It cannot be written as a user would want it.
    """
    facts = _Facts(application, name)
    words = {**_common(facts), **_WORDS[kind](facts)}
    template = importlib.resources.files("buvar.cli") / "deploy"
    text = template.joinpath(f"{kind}.tmpl").read_text("utf-8")
    answer(filled(text, words, facts.features()), nl=False)
    facts.warn()


class _Facts:
    """The facts that the configuration and the plugins give."""

    def __init__(self, application: Application, name: str | None) -> None:
        source = application.source
        check_own(source)
        application.set_up()
        self.application = application
        self.plugins: set[str] = set()
        failed = prepare_all(application, self._look)
        note_failures(failed)
        self.fork = source.load(ForkConfig, FORK)
        self.name = _checked(name or _name_of(application))
        self.files = [_file(each) for each in application.files]
        if len({file.name for file in self.files}) != len(self.files):
            raise CommandError(
                "Two files of the configuration have the same name.\n"
                "Rename one: they come to stand in one folder.",
                Exit.USAGE,
            )
        self.secrets = _secrets(source, set(map(str, application.files)))
        self.web = _web(source)
        self.address = _address(self.fork.sockets, self.web)
        # Health and metrics may have a listener of their own.
        uri: str = "" if self.web is None else self.web.management or ""
        self.management = urllib.parse.urlsplit(uri).port

    def _look(self) -> None:
        reports = context.get(plugin.Stage).report()
        self.plugins = {report.plugin for report in reports}

    def features(self) -> set[str]:
        """Return which optional lines of a template are wanted."""
        wanted = {
            "files": bool(self.files),
            "secrets": bool(self.secrets),
            "port": self.address is not None,
            "health": _HEALTH in self.plugins and self.address is not None,
            "metrics": _METRICS in self.plugins and not self.management,
            "management": bool(self.management),
            "supervised": self.fork.forks != 1,
        }
        return {name for name, is_wanted in wanted.items() if is_wanted}

    @property
    def port(self) -> int:
        """The port within a container."""
        address = self.address
        return address if isinstance(address, int) else 8080

    def command(self, *, files: str, secrets: str, bind: bool) -> list[str]:
        """
        Return what starts the service.

        Args:
            files: The folder that the configuration is in.
            secrets: The folder that secrets are in.
            bind: Whether to listen on all addresses, as in a container.
        """
        words = ["buvar", "run", *map(str, self.application.plugins)]
        for file in self.files:
            words += ["-c", f"{files}/{file.name}"]
        if self.application.env_prefix:
            words += ["--env-prefix", self.application.env_prefix]
        if self.secrets:
            words += ["--secrets", secrets]
        for value in self.application.values:
            words += ["--set", value]
        for setting in self.application.settings:
            if not (bind and setting.key == f"{FORK}.sockets"):
                words += ["--set", setting.text]
        if bind and self.address is not None:
            words += ["--bind", f"tcp://:{self.port}"]
            if self.web is not None and self.web.names_host:
                words += ["--set", "aiohttp.host=0.0.0.0"]
            if self.management:
                uri = f"tcp://:{self.management}"
                words += ["--set", f"aiohttp.management={uri}"]
        return words

    def warn(self) -> None:
        """Say what does not go together."""
        share = self.fork.graceful_timeout * _SHARE
        if self.web is not None and self.web.shutdown_timeout >= share:
            remark(
                f"Note that aiohttp.shutdown_timeout, "
                f"{self.web.shutdown_timeout:g} s, is not below four fifths "
                f"of fork.graceful_timeout, {share:g} s: open requests are "
                "cut off before it is over.\n"
                "Shorten the former or lengthen the latter."
            )


def _name_of(application: Application) -> str:
    first = str(application.groups()[0][0]).partition(":")[0].partition(".")[0]
    return first.replace("_", "-").lower()


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise CommandError(
            f"{name!r} is not a valid name for a service.\n"
            "Give --name lower-case letters, digits and hyphens, at most 31.",
            Exit.USAGE,
        )
    return name


def _file(name: str) -> pathlib.Path:
    path = pathlib.Path(name)
    if not path.is_file():
        raise CommandError(
            f"{name} is not a file that could be copied.\n"
            "Name the files of the folder one by one with -c.",
            Exit.USAGE,
        )
    return path


def _secrets(
    source: config.ConfigSource, files: set[str]
) -> list[config.Variable]:
    """Return the secrets, none of which may be copied."""
    classes = source.classes()
    found = [each for each in config.variables(classes) if each.secret]
    paths = {each.path for each in found}
    for each in source.explain():
        file, _, _ = each.source.rpartition(":")
        copied = file in files or each.source.startswith("--set ")
        # What is in a table is listed value by value.
        inside = any(each.path.startswith(f"{path}.") for path in paths)
        if (each.path in paths or inside) and copied:
            raise CommandError(
                f"{each.path} is a secret, and its value ({each.source}) "
                "would be copied.\n"
                "Take it out: a secret comes from a folder of secrets or "
                "from a variable.",
                Exit.USAGE,
            )
    return found


def _web(source: config.ConfigSource) -> t.Any:
    """Return the section aiohttp, if there is one."""
    for cls, section in source.classes():
        if section == "aiohttp":
            return source.load(cls, section)
    return None


def _address(sockets: list[str], web: t.Any) -> int | str | None:
    """Return the port that is served, or the path of a Unix socket."""
    for uri in sockets:
        parts = urllib.parse.urlsplit(uri)
        if parts.scheme == "tcp" and parts.port:
            return parts.port
        if parts.scheme == "unix":
            return urllib.parse.unquote(parts.path)
    if web is None:
        return None
    return t.cast("str | int", web.path or web.port)


# --- the words of the templates --------------------------------------------


def _common(facts: _Facts) -> dict[str, str]:
    fork = facts.fork
    # The supervisor begins to count when the delay is over.
    drain = 0.0 if facts.web is None else facts.web.drain_delay or 0.0
    graceful = math.ceil(drain + fork.graceful_timeout)
    return {
        "name": facts.name,
        "user": facts.name,
        "port": str(facts.port),
        "probe": str(facts.management or facts.port),
        "graceful": str(graceful),
        "stop": str(graceful + _MARGIN),
        "grace": str(_PRE_STOP + graceful + _MARGIN),
        "boot": str(_times(fork.boot_timeout, 2)),
        "hung": str(_times(fork.worker_timeout, 10)),
        "start": (
            "infinity"
            if math.isinf(fork.boot_timeout)
            else str(math.ceil(fork.boot_timeout) + _MARGIN)
        ),
    }


def _times(seconds: float, period: int) -> int:
    """Return how often a probe may fail, at most for a day."""
    return max(1, math.ceil(min(seconds, 86400) / period))


def _in_container(facts: _Facts) -> dict[str, str]:
    command = facts.command(
        files=f"/etc/{facts.name}",
        secrets=f"/run/secrets/{facts.name}",
        bind=True,
    )
    port = facts.port
    return {
        "command": json.dumps(command),
        "sources": " ".join(map(str, facts.files)),
        "publish": f" --publish {port}:{port}" if facts.address else "",
        "data": "\n".join(_literal(file) for file in facts.files),
        "literals": "".join(
            f" --from-literal={_key(each)}=..." for each in facts.secrets
        ),
    }


def _literal(file: pathlib.Path) -> str:
    """Return an entry of a ConfigMap."""
    lines = file.read_text("utf-8").splitlines()
    # JSON is YAML: a key may hold anything.
    return "\n".join(
        [f"  {json.dumps(file.name)}: |2"]
        + [f"    {line}" if line else "" for line in lines]
    )


def _key(variable: config.Variable) -> str:
    return variable.path.replace(".", "_")


def _of_systemd(facts: _Facts) -> dict[str, str]:
    command = facts.command(
        files=f"/etc/{facts.name}", secrets="%d", bind=False
    )
    lines = [
        f"{'' if each.required else '#'}LoadCredential={_key(each)}:"
        f"/etc/{facts.name}/secrets/{_key(each)}"
        for each in facts.secrets
    ]
    # A percent sign and a dollar mean something to systemd.
    shell = [
        word if word == "%d" else word.replace("%", "%%").replace("$", "$$")
        for word in command
    ]
    return {"shell": shlex.join(shell), "credentials": "\n".join(lines)}


def _of_nginx(facts: _Facts) -> dict[str, str]:
    if facts.address is None:
        raise CommandError(
            "No socket is served that nginx could pass requests to.\n"
            "Name it with --bind, e.g. tcp://127.0.0.1:8080.",
            Exit.USAGE,
        )
    keepalive = 75.0 if facts.web is None else facts.web.keepalive_timeout
    address = facts.address
    return {
        "upstream": (
            f"127.0.0.1:{address}"
            if isinstance(address, int)
            else f"unix:{address}"
        ),
        "keepalive": f"{keepalive:g}",
        "idle": str(max(1, math.floor(keepalive * 0.8))),
    }


_WORDS: t.Final[dict[str, t.Callable[[_Facts], dict[str, str]]]] = {
    "docker": _in_container,
    "k8s": _in_container,
    "nginx": _of_nginx,
    "systemd": _of_systemd,
}
