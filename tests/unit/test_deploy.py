"""The files in deploy/ can be parsed, and set only what the program knows, to what it takes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lookback.cli.main import app
from lookback.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
Found = dict[str, str]
KNOWN = {name.upper() for name in Settings.model_fields}
OF_PYTHON = {"PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
A_SECRET = "a-secret-that-is-long-enough-for-hs256"
_ASSIGNED = re.compile(r"([A-Z][A-Z_]+)=(\S+)")


def unit(name: str) -> list[tuple[str, str, str]]:
    """Section, key and value of every line of a unit."""
    section, found = "", []
    for line in (DEPLOY / "systemd" / name).read_text().splitlines():
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = header[1]
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert section, f"{name}: {line} is in no section"
            assert equals, f"{name}: {line} is no assignment"
            found.append((section, key, value))
    return found


def of_unit(name: str) -> Found:
    return {n: v for _, key, value in unit(name) if key == "Environment" for n, v in _ASSIGNED.findall(value)}


def of_file() -> Found:
    """What lookback.env sets, and what it would with its comments taken away."""
    lines = (DEPLOY / "systemd" / "lookback.env").read_text().splitlines()
    pairs = (line.lstrip("#").partition("=") for line in lines if re.match(r"#?[A-Z_]+=", line))
    return {name: value or A_SECRET for name, _, value in pairs}


def of_image() -> Found:
    text = (DEPLOY / "docker" / "Dockerfile").read_text()
    (said,) = re.findall(r"^ENV ((?:.*\\\n)*.*)$", text, re.MULTILINE)
    return dict(_ASSIGNED.findall(said))


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DEPLOY / "docker" / "compose.yml").read_text())
    services: dict[str, Any] = document["services"]
    return services


def of_compose() -> Found:
    said = compose()["lookback"]["environment"]
    return {name: A_SECRET if value.startswith("${") else value for name, value in said.items()}


def manifest(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DEPLOY / "kustomize" / "base" / name).read_text())
    return document


def of_kustomize() -> Found:
    (config,) = manifest("kustomization.yaml")["configMapGenerator"]
    (container,) = manifest("statefulset.yaml")["spec"]["template"]["spec"]["containers"]
    literals = dict(literal.split("=", 1) for literal in config["literals"])
    return literals | {entry["name"]: "192.0.2.1" for entry in container["env"]}


PLACES: dict[str, Callable[[], Found]] = {
    "lookback.service": lambda: of_unit("lookback.service"),
    "lookback-backup.service": lambda: of_unit("lookback-backup.service"),
    "lookback.env": of_file,
    "Dockerfile": of_image,
    "compose.yml": lambda: of_image() | of_compose(),
    "kustomize": lambda: of_image() | of_kustomize(),
}


@pytest.mark.parametrize("place", PLACES)
def test_every_variable_is_a_setting_and_its_value_right(place: str) -> None:
    found = PLACES[place]()
    assert found, "there is something to check"
    assert found.keys() - OF_PYTHON <= KNOWN
    load_settings(**{name.lower(): value for name, value in found.items() if name in KNOWN})


def test_the_secret_of_kubernetes_names_settings() -> None:
    comment = (DEPLOY / "kustomize" / "base" / "statefulset.yaml").read_text().split("apiVersion")[0]
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", comment))
    assert named
    assert named <= KNOWN


@pytest.mark.parametrize("name", ["lookback.service", "lookback-backup.service"])
def test_services_are_confined(name: str) -> None:
    said = {(section, key): value for section, key, value in unit(name)}
    assert said["Service", "User"] == "lookback"
    assert said["Service", "ProtectSystem"] == "strict"
    assert said["Service", "NoNewPrivileges"] == "true"
    assert said["Service", "CapabilityBoundingSet"] == ""
    assert "lookback" in said["Service", "ExecStart"]


def test_every_command_that_is_named_is_there() -> None:
    files = [*DEPLOY.rglob("*.yml"), *DEPLOY.rglob("*.service"), DEPLOY.parent / "docs" / "guide" / "deployment.md"]
    text = "\n".join(file.read_text() for file in files)
    named = set(re.findall(r"(?:`|-m |^)lookback ([a-z]+)\b", text, re.MULTILINE))
    there = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    assert {"backup", "restore", "doctor"} <= named
    assert named <= there


def test_the_timer_is_of_the_backup() -> None:
    assert ("Timer", "Persistent", "true") in unit("lookback-backup.timer")
    assert (DEPLOY / "systemd" / "lookback-backup.service").exists()


def test_the_image_is_built_in_stages_and_runs_as_nobody_of_importance() -> None:
    text = (DEPLOY / "docker" / "Dockerfile").read_text()
    assert len(re.findall(r"^FROM ", text, re.MULTILINE)) == 3
    last = text.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert "--require-hashes" in text
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        assert all((DEPLOY.parent / path).exists() for path in source.split()), source
    entrypoint = re.findall(r"^(?:ENTRYPOINT|CMD) (.+)$", last, re.MULTILINE)
    assert [json.loads(line) for line in entrypoint] == [["python", "-m", "lookback"], ["serve"]]


def test_containers_write_only_where_their_data_are() -> None:
    composed = compose()["lookback"]
    assert composed["read_only"] is True
    assert composed["cap_drop"] == ["ALL"]
    assert composed["volumes"] == ["data:/data"]
    pod = manifest("statefulset.yaml")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    security = pod["containers"][0]["securityContext"]
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]} == {
        of_image()["LOOKBACK_HOME"],
        "/tmp",
    }


def test_one_pod_serves_what_the_service_names() -> None:
    stateful = manifest("statefulset.yaml")["spec"]
    assert stateful["replicas"] == 1, "one server per LOOKBACK_HOME"
    ports = {port["name"] for port in stateful["template"]["spec"]["containers"][0]["ports"]}
    service = manifest("service.yaml")["spec"]
    assert {port["targetPort"] for port in service["ports"]} <= ports
    labels = stateful["template"]["metadata"]["labels"]
    assert service["selector"].items() <= labels.items()
    assert stateful["selector"]["matchLabels"].items() <= labels.items()
    for resource in manifest("kustomization.yaml")["resources"]:
        assert manifest(resource)["kind"]
