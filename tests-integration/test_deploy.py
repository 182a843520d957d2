"""What ``buvar deploy`` prints, and the guides show, is what tools accept."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parent.parent
SHORTLY = ROOT / "docs" / "tutorials" / "shortly" / "step6"
KINDS = ("docker", "k8s", "nginx", "systemd")
TIMEOUT = 60  # seconds, a bound and no expectation
INSTRUCTION = re.compile(r"^([A-Z]+) ", re.MULTILINE)
INSTRUCTIONS = {
    *("FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "EXPOSE"),
    *("HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT", "CMD"),
}
#: The oldest and the newest version of Kubernetes that is checked.
KUBERNETES = ("1.31", "1.34")


@pytest.fixture(scope="module")
def deployed() -> dict[str, str]:
    """What the command prints for the service of the tutorial."""
    words = "shortly.app", "-c", "shortly.toml", "--env-prefix", "APP"
    return {
        kind: subprocess.run(
            [sys.executable, "-m", "buvar.cli", "deploy", kind, *words],
            cwd=SHORTLY,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=True,
        ).stdout
        for kind in KINDS
    }


def shown(page: str, language: str) -> str:
    """Return the longest block of a language in a guide."""
    text = (ROOT / "docs" / "how-to" / page).read_text("utf-8")
    pattern = rf"^```{language}\n(.*?)^```$"
    blocks = re.findall(pattern, text, re.DOTALL | re.MULTILINE)
    return str(max(blocks, key=len))


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("source", ["command", "guide"])
def test_kubernetes(
    deployed: dict[str, str], version: str, source: str
) -> None:
    """The API's own schema accepts each manifest, without unknown fields."""
    validator = pytest.importorskip("kubernetes_validate")
    yaml = pytest.importorskip("yaml")
    text = (
        deployed["k8s"]
        if source == "command"
        else shown("kubernetes.md", "yaml")
    )

    manifests = [*yaml.safe_load_all(text)]

    assert [each["kind"] for each in manifests] == [
        "ConfigMap",
        "Deployment",
        "Service",
    ]
    for manifest in manifests:
        validator.validate(manifest, version, strict=True)
    config = manifests[0]["data"]["shortly.toml"]
    if source == "command":
        assert config == SHORTLY.joinpath("shortly.toml").read_text("utf-8")


def test_kubernetes_notices(deployed: dict[str, str]) -> None:
    """The schema does refuse what is wrong."""
    validator = pytest.importorskip("kubernetes_validate")
    yaml = pytest.importorskip("yaml")
    text = deployed["k8s"].replace("failureThreshold", "failures")
    _, deployment, _ = yaml.safe_load_all(text)

    with pytest.raises(validator.ValidationError):
        validator.validate(deployment, KUBERNETES[-1], strict=True)


def verify(unit: Path) -> subprocess.CompletedProcess[str]:
    command = shutil.which("systemd-analyze")
    if command is None:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run(
        [command, "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def test_systemd(deployed: dict[str, str], tmp_path: Path) -> None:
    """Systemd accepts the unit that is printed."""
    unit = tmp_path / "shortly.service"
    # It looks whether the program is there.
    text = deployed["systemd"].replace(
        "/srv/shortly/.venv/bin/buvar", sys.executable
    )
    unit.write_text(text, "utf-8")

    done = verify(unit)

    assert str(unit) not in done.stderr
    assert "shortly.service:" not in done.stderr
    assert done.returncode == 0, done.stderr


def test_systemd_as_shown(tmp_path: Path) -> None:
    """Systemd accepts the unit and the socket of the guide."""
    text = (ROOT / "docs/how-to/run-under-systemd.md").read_text("utf-8")
    blocks = re.findall(r"^```ini\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    socket, service, hardening = blocks
    tmp_path.joinpath("hello.socket").write_text(socket, "utf-8")
    unit = tmp_path / "hello.service"
    service = service.replace("/srv/hello/bin/python", sys.executable)
    unit.write_text(f"{service}\n{hardening}", "utf-8")

    done = verify(unit)

    assert "hello.s" not in done.stderr
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("source", ["command", "guide"])
def test_docker(deployed: dict[str, str], source: str) -> None:
    """A Dockerfile has instructions that exist, and exec forms that parse."""
    text = (
        deployed["docker"]
        if source == "command"
        else shown("container.md", "dockerfile")
    )

    hadolint = shutil.which("hadolint", path=Path(sys.executable).parent)
    if hadolint is not None:
        subprocess.run([hadolint, "-"], input=text, text=True, check=True)
    assert set(INSTRUCTION.findall(text)) <= INSTRUCTIONS
    for line in text.splitlines():
        name, _, rest = line.removeprefix("HEALTHCHECK ").partition(" ")
        if name in {"ENTRYPOINT", "CMD"}:
            assert all(isinstance(word, str) for word in json.loads(rest))
    # The last stage runs as a user that is not root, by number.
    last = text.rpartition("FROM ")[2]
    assert re.search(r"^USER [1-9]\d*$", last, re.MULTILINE)
    for copied in re.findall(r"^COPY ([a-z.]+) /etc", last, re.MULTILINE):
        assert SHORTLY.joinpath(copied).exists()


@pytest.mark.parametrize("source", ["command", "guide"])
def test_nginx(deployed: dict[str, str], source: str, tmp_path: Path) -> None:
    """The configuration is one that nginx accepts."""
    command = shutil.which("nginx")
    if command is None:
        pytest.skip("nginx is not installed")
    text = (
        deployed["nginx"]
        if source == "command"
        else shown("nginx.md", "nginx")
    )
    tmp_path.joinpath("shortly.conf").write_text(
        text.replace("listen 80", f"listen unix:{tmp_path}/sock"), "utf-8"
    )
    main = tmp_path / "nginx.conf"
    main.write_text(
        f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{ access_log off; include {tmp_path}/shortly.conf; }}\n"
    )

    done = subprocess.run(
        [command, "-t", "-p", str(tmp_path), "-c", str(main)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )

    assert done.returncode == 0, done.stderr
