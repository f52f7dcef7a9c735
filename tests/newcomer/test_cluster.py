"""The demo cluster without a cluster: every container runs with its manifest's command, variables and files, and with
nothing else of the house; its probe decides when it is ready."""

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.house import health, officers
from tests.conftest import must_add_up
from tests.house import House, until
from tests.postgres import Postgres
from tests.structure.kustomize import Manifest, build
from tests.structure.source import ROOT

SERVICES = ("identity", "mailbox", "receipts")
ROLES = (*SERVICES, "mail", "web", "courier")


class Cluster:
    """Runs pods as plain processes. Their mounts are folders, their Services' names ports of this machine."""

    def __init__(self, folder: Path, house: House, manifests: list[Manifest]) -> None:
        self._folder = folder
        self._house = house
        self._manifests = {(each["kind"], each["metadata"]["name"]): each for each in manifests}
        self._running: list[subprocess.Popen[bytes]] = []
        self.mounted: list[Path] = []

    def run(self, kind: str, name: str) -> subprocess.Popen[bytes]:
        """Starts a pod's container."""
        container, environment = self._container(kind, name)
        with (self._house.home / "logs" / f"{name}.log").open("ab") as log:
            command = [sys.executable, "-m", *container["args"]]
            process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        self._running.append(process)
        return process

    def is_ready(self, name: str) -> bool:
        """What the kubelet would learn by the pod's readiness probe."""
        container, environment = self._container("Deployment", name)
        if "httpGet" in container["readinessProbe"]:
            return health.serves(self._house.settings, name)
        _, *command = container["readinessProbe"]["exec"]["command"]
        return subprocess.run([sys.executable, *command], env=environment, cwd=ROOT, check=False).returncode == 0

    def close(self) -> None:
        """Stops everything that runs."""
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait(15)

    def _container(self, kind: str, name: str) -> tuple[dict[str, Any], dict[str, str]]:
        pod = self._manifests[kind, name]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        root = self._folder / name
        if not root.exists():
            self._mount(pod, root)
        environment = {each: value for each, value in self._house.environment.items() if "ZWROTKA_" not in each}
        environment |= {each: value for each, value in self._house.environment.items() if each.endswith("_PORT")}
        environment["ZWROTKA_HOME"] = str(root / "zwrotka")
        for each in container["env"]:
            value = str(each["value"])
            host, _, _ = value.partition(":")
            if value.startswith("/"):
                value = f"{root}{value}"
            elif host in SERVICES:
                value = f"127.0.0.1:{self._house.settings.port_of(host)}"
            environment[each["name"]] = value
        return container, environment

    def _mount(self, pod: dict[str, Any], root: Path) -> None:
        volumes = {each["name"]: each for each in pod["volumes"]}
        for mount in pod["containers"][0]["volumeMounts"]:
            volume, place = volumes[mount["name"]], root / mount["mountPath"].strip("/")
            if "emptyDir" in volume:
                place.mkdir(parents=True)
                continue
            kind, source = ("Secret", volume["secret"]) if "secret" in volume else ("ConfigMap", volume["configMap"])
            data = self._manifests[kind, source.get("secretName") or source["name"]]["data"]
            place.mkdir(parents=True)
            items = source.get("items") or [{"key": key, "path": key} for key in data]
            for item in items:
                content = data[item["key"]]
                encoded = base64.b64decode(content) if kind == "Secret" else content.encode()
                (place / item["path"]).write_bytes(encoded)
            self.mounted.append(place)


@pytest.fixture
def demo(tmp_path: Path, postgres: Postgres) -> House:
    """A house whose home holds the demo's secrets; its database is the suite's."""
    shutil.copytree(ROOT / "k8s", tmp_path / "k8s", ignore=shutil.ignore_patterns("secrets"))
    home = tmp_path / "k8s/overlays/demo/secrets"
    subprocess.run(
        [ROOT / "k8s/overlays/demo/secrets.sh", home],
        env={**os.environ, "PYTHON": sys.executable},
        check=True,
        timeout=60,
    )
    demo = House(home, database=postgres.new_database(tmp_path.name.lower()[-40:]))
    # The script wrote the URLs of the cluster's own PostgreSQL.
    (home / "database-url").write_text(demo.settings.database)
    assert demo.command("secrets").returncode == 0
    (home / "logs").mkdir()
    return demo


@pytest.fixture
def cluster(tmp_path: Path, demo: House) -> Iterator[Cluster]:
    """The demo, nothing of it started."""
    cluster = Cluster(tmp_path / "pods", demo, build(tmp_path / "k8s/overlays/demo"))
    yield cluster
    cluster.close()


def test_a_letter_comes_through_with_each_role_given_only_its_own_files(cluster: Cluster, demo: House) -> None:
    migrations = cluster.run("Job", "migrations")
    assert migrations.wait(60) == 0, demo.logs()["migrations"]
    for role in ROLES:
        cluster.run("Deployment", role)
    for role in ROLES:
        until(partial(cluster.is_ready, role), timeout_s=60)
    before = files_in(cluster)
    officers.enrol(demo.settings)
    resident = demo.resident()
    (demo.home / "outgoing").symlink_to(demo.home.parents[3] / "pods/courier/zwrotka/outgoing")
    assert demo.write(resident).code == 250
    (receipt,) = demo.wait_for_mail(resident.email)
    assert "ZW-" in receipt["Subject"]
    assert files_in(cluster) == before
    must_add_up(demo)


def files_in(cluster: Cluster) -> dict[Path, bytes]:
    """Everything mounted from secrets."""
    return {path: path.read_bytes() for folder in cluster.mounted for path in folder.rglob("*") if path.is_file()}


def test_migrations_without_the_passwords_say_what_to_make(demo: House) -> None:
    (demo.home / "keys/database-mailbox").unlink()
    # A folder in its way: not even root can write the file then.
    (demo.home / "keys/.database-mailbox.new").mkdir()
    told = demo.command("migrate")
    assert told.returncode == 1
    assert told.stderr.startswith("The tables were left as they are:")
    assert "services secrets" in told.stderr


def test_a_courier_that_stands_still_is_told_from_one_that_works(demo: House, tmp_path: Path) -> None:
    assert demo.command("health", "courier").returncode == 1
    demo.environment["ZWROTKA_PULSE"] = str(tmp_path / "pulse")
    assert demo.command("health", "courier").returncode == 1
    (tmp_path / "pulse").touch()
    assert demo.command("health", "courier").returncode == 0
    os.utime(tmp_path / "pulse", (0, 0))
    assert demo.command("health", "courier").returncode == 1
