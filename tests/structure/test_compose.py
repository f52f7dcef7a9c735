"""compose.yaml: the roles, commands, settings and secrets of the code, and no network that lets more through."""

import shutil
import subprocess
import tomllib
from dataclasses import fields
from typing import Any

import pytest
import yaml

from services.chassis.settings import PREFIX, Settings
from services.frontdoor.__main__ import ROOMS
from services.house import urls
from tests.structure.source import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ROLES = (*urls.SERVICES, *ROOMS)
OURS = {name: SERVICES[name] for name in ("prepare", *ROLES)}
SETTINGS = {PREFIX + each.name.upper(): each for each in fields(Settings)}


def test_docker_reads_it() -> None:
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("no docker compose on PATH: only this test has read compose.yaml")
    subprocess.run([docker, "compose", "--profile", "*", "config", "--quiet"], cwd=ROOT, check=True, timeout=60)


def test_every_role_is_there() -> None:
    assert set(SERVICES) == {"postgresql", *OURS}
    for name, service in OURS.items():
        commands = {**{each: [f"services.{each}"] for each in urls.SERVICES}, "prepare": ["services", "prepare"]}
        assert service["command"] == commands.get(name, ["services.frontdoor", name])
    # The Telegram room needs a bot: it opens when asked for.
    assert [name for name in ROLES if "profiles" in SERVICES[name]] == ["telegram"]


def test_images_have_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert {each["image"] for each in OURS.values()} == {f"zwrotka:{version}"}
    assert SERVICES["postgresql"]["image"].partition(":")[2] not in ("", "latest")
    assert [name for name, each in SERVICES.items() if "build" in each] == ["prepare"]


def test_every_variable_is_a_setting_and_no_secret_is_a_value() -> None:
    for service in OURS.values():
        for variable, value in service.get("environment", {}).items():
            assert variable.endswith("_FILE") == SETTINGS[variable.removesuffix("_FILE")].metadata["secret"]
            secret = value.removeprefix("/run/secrets/")
            assert secret == value or secret in service["secrets"]
    for service in SERVICES.values():
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
        assert not [each for each in service.get("environment", {}) if each.endswith("PASSWORD")]
    assert all(set(each) == {"file"} for each in COMPOSE["secrets"].values())


def test_every_service_has_its_own_database_user() -> None:
    settings = Settings(database="postgresql://zwrotka:secret@postgresql:5432/zwrotka", home="/zwrotka")
    for name, service in OURS.items():
        url = service.get("environment", {}).get("ZWROTKA_DATABASE_FILE")
        if name in urls.SERVICES:
            assert url == str(urls.url_file(settings, name))
        else:
            assert url == (None if name != "prepare" else "/run/secrets/database-url")


def test_every_role_is_told_whom_it_calls_and_waits_for_them() -> None:
    calls = {"mailbox": {"identity", "receipts"}, "mail": {"mailbox"}, "web": {"receipts"}}
    calls |= {room: {"identity", "mailbox"} for room in ("courier", "telegram")}
    for name in ROLES:
        service, settings = SERVICES[name], Settings()
        told = {each: value for each, value in service["environment"].items() if each.endswith("_ADDRESS")}
        needed = calls.get(name, set())
        assert told == {f"{PREFIX}{each.upper()}_ADDRESS": f"{each}:{settings.port_of(each)}" for each in needed}
        assert all(set(service["networks"]) & set(SERVICES[each]["networks"]) for each in needed)
        waits = {"prepare": {"condition": "service_completed_successfully"}}
        if name in ROOMS:
            waits = {each: {"condition": "service_healthy"} for each in needed}
        assert service["depends_on"] == waits


def test_the_front_door_cannot_reach_the_database() -> None:
    assert {name for name, each in SERVICES.items() if "database" in each["networks"]} == {
        "postgresql",
        "prepare",
        *urls.SERVICES,
    }
    assert {name for name, each in COMPOSE["networks"].items() if each.get("internal")} == {"database", "house"}


def test_every_container_is_watched_limited_and_without_rights() -> None:
    for name in ROLES:
        assert SERVICES[name]["healthcheck"]["test"] == ["CMD", "python", "-m", "services", "health", name]
    for service in OURS.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["mem_limit"] == "512m"
        assert not {"user", "privileged", "cap_add", "entrypoint"} & set(service)
    assert "healthcheck" in SERVICES["postgresql"]


def test_ports_are_those_of_the_settings_and_open_to_this_machine_alone() -> None:
    ports = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    settings = Settings()
    numbers = {name: settings.port_of("smtp" if name == "mail" else name) for name in ports}
    assert ports == {name: [f"127.0.0.1:{number}:{number}"] for name, number in numbers.items()}
    assert set(ports) == {"identity", "mailbox", "mail", "web"}
