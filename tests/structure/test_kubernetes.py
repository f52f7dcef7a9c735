"""The manifests: valid, equal to what kubectl makes of them, and in step with the settings, commands and files of the
code. Which arrows the cluster lets through is read from both ends of each."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from services.chassis.settings import PREFIX, Settings
from services.frontdoor.__main__ import ROOMS
from services.house import urls
from tests.structure.kustomize import Manifest, build, containers
from tests.structure.source import ROOT, imports_of, modules

VERSIONS = ("1.29", "1.37")
ROLES = (*urls.SERVICES, *ROOMS)
PORTS = {"identity": 7001, "mailbox": 7002, "receipts": 7003, "mail": 8025, "web": 8080}
RELAY_PORTS = (25, 465, 587)
# design.md section 1, arrow by arrow: who may open a connection to whom, on which port. Nothing else may.
ARROWS = {
    ("mail", "mailbox", 7002),
    ("courier", "mailbox", 7002),
    ("courier", "identity", 7001),
    ("telegram", "mailbox", 7002),
    ("telegram", "identity", 7001),
    ("web", "receipts", 7003),
    ("mailbox", "identity", 7001),
    ("mailbox", "receipts", 7003),
    ("units", "mailbox", 7002),
    ("units", "identity", 7001),
    *((each, "postgresql", 5432) for each in (*urls.SERVICES, "migrations")),
    ("world", "mail", 8025),
    ("world", "web", 8080),
    *((room, "world", port) for room in ("courier", "telegram") for port in RELAY_PORTS),
    ("telegram", "world", 443),
}
OUTSIDE = {"units", "world"}
FRONTDOOR = {"certificates/ca.pem", "certificates/frontdoor.pem", "certificates/frontdoor.key"}
# The files each role reads below its home; no other role's key comes near it.
FILES = {
    "identity": {"certificates/ca.pem", "certificates/identity.pem", "certificates/identity.key", "keys/pepper"},
    "mailbox": {"certificates/ca.pem", "certificates/mailbox.pem", "certificates/mailbox.key"},
    "receipts": {"certificates/ca.pem", "certificates/receipts.pem", "certificates/receipts.key"}
    | {"keys/seal.pem", "keys/seal.key", "keys/log.key"},
    "mail": FRONTDOOR,
    "courier": FRONTDOOR,
    "telegram": FRONTDOOR,
    "web": FRONTDOOR | {"keys/log.vkey"},
    "migrations": {"keys/database-identity", "keys/database-mailbox", "keys/database-receipts"},
}
SETTINGS = {PREFIX + each.name.upper(): each for each in fields(Settings)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """k8s/ with the demo's secrets made, by the command that its README names."""
    copy = tmp_path_factory.mktemp("cluster") / "k8s"
    shutil.copytree(ROOT / "k8s", copy, ignore=shutil.ignore_patterns("secrets"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    subprocess.run(
        [ROOT / "k8s/overlays/demo/secrets.sh", copy / "overlays/demo/secrets"],
        env=environment | {"PYTHON": sys.executable},
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=60,
    )
    return copy


@pytest.fixture(scope="module", params=["base", "overlays/demo"])
def cluster(request: pytest.FixtureRequest, folder: Path) -> list[Manifest]:
    """All manifests of the base, then of the demo."""
    return build(folder / request.param)


@pytest.fixture(scope="module")
def demo(folder: Path) -> list[Manifest]:
    """The demo's manifests."""
    return build(folder / "overlays/demo")


def named(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    """The manifests of a kind by name."""
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}


def pods(manifests: list[Manifest]) -> dict[str, dict[str, Any]]:
    """The pod of every workload by its name."""
    workloads = named(manifests, "Deployment") | named(manifests, "StatefulSet") | named(manifests, "Job")
    return {name: each["spec"]["template"]["spec"] for name, each in workloads.items()}


def ours(manifests: list[Manifest]) -> dict[str, dict[str, Any]]:
    """The container of every role, and of the migrations."""
    return {name: pod["containers"][0] for name, pod in pods(manifests).items() if name != "postgresql"}


def environment_of(container: dict[str, Any]) -> dict[str, str]:
    """Its variables; none may come from elsewhere than the manifest."""
    assert "envFrom" not in container
    return {each["name"]: each["value"] for each in container.get("env", [])}


def files_of(manifests: list[Manifest], name: str) -> Iterator[str]:
    """Every file that a pod is given, by its path in the container."""
    pod = pods(manifests)[name]
    volumes = {each["name"]: each for each in pod["volumes"]}
    for mount in pod["containers"][0]["volumeMounts"]:
        volume = volumes[mount["name"]]
        if "emptyDir" in volume:
            continue
        assert mount["readOnly"]
        source = volume.get("secret") or volume["configMap"]
        kind, holder = ("Secret", "secretName") if "secret" in volume else ("ConfigMap", "name")
        keys = named(manifests, kind)[source[holder]]["data"]
        paths = {each["key"]: each["path"] for each in source["items"]} if "items" in source else {k: k for k in keys}
        assert set(paths) <= set(keys)
        yield from (f"{mount['mountPath']}/{path}" for path in paths.values())


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_valid(cluster: list[Manifest], version: str) -> None:
    for manifest in cluster:
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("kustomization", ["base", "overlays/demo"])
def test_kubectl_reads_the_same(folder: Path, kustomization: str) -> None:
    if not (kubectl := shutil.which("kubectl")):
        pytest.skip("no kubectl on PATH: only the test's own reader has read k8s/")
    printed = subprocess.run(
        [kubectl, "kustomize", folder / kustomization], capture_output=True, check=True, timeout=60
    )
    theirs = list(yaml.safe_load_all(printed.stdout))
    assert sorted(map(in_order, theirs)) == sorted(map(in_order, build(folder / kustomization)))


def in_order(manifest: Manifest) -> str:
    """The manifest as one text; kubectl breaks what it encodes into lines."""
    if manifest["kind"] == "Secret":
        data = {key: "".join(value.split()) for key, value in manifest["data"].items()}
        manifest = {**manifest, "data": data}
    return json.dumps(manifest, sort_keys=True)


def test_every_role_has_all_that_belongs_to_it(cluster: list[Manifest]) -> None:
    for kind in ("Deployment", "ServiceAccount", "PodDisruptionBudget", "NetworkPolicy"):
        assert set(ROLES) <= set(named(cluster, kind)), kind
    assert set(named(cluster, "Service")) - {"postgresql"} == set(PORTS)
    assert set(named(cluster, "Job")) == {"migrations"}


def test_selectors_find_their_own_pods(cluster: list[Manifest]) -> None:
    labels = {
        name: each["spec"]["template"]["metadata"]["labels"]
        for kind in ("Deployment", "StatefulSet", "Job")
        for name, each in named(cluster, kind).items()
    }
    for kind, way in (
        ("Deployment", ("selector", "matchLabels")),
        ("PodDisruptionBudget", ("selector", "matchLabels")),
        ("Service", ("selector",)),
        ("NetworkPolicy", ("podSelector", "matchLabels")),
    ):
        for name, manifest in named(cluster, kind).items():
            if name not in labels:
                continue
            wanted = manifest["spec"]
            for step in way:
                wanted = wanted[step]
            assert [pod for pod, has in labels.items() if wanted.items() <= has.items()] == [name], (kind, name)


def test_every_command_is_one_of_ours(cluster: list[Manifest]) -> None:
    for name, container in ours(cluster).items():
        assert "command" not in container, "the image's entrypoint is `python -m`"
        expected = {
            **{service: [f"services.{service}"] for service in urls.SERVICES},
            **{room: ["services.frontdoor", room] for room in ROOMS},
            "migrations": ["services", "migrate"],
        }
        assert container["args"] == expected[name]
        assert find_spec(f"{container['args'][0]}.__main__")


def test_every_variable_is_a_setting_and_no_secret_is_a_value(cluster: list[Manifest]) -> None:
    for container in ours(cluster).values():
        for variable, value in environment_of(container).items():
            setting = SETTINGS[variable.removesuffix("_FILE")]
            assert variable.endswith("_FILE") == setting.metadata["secret"], variable
            assert value


def test_every_role_is_told_whom_it_calls_and_not_itself(cluster: list[Manifest]) -> None:
    for name, container in ours(cluster).items():
        told = {variable: value for variable, value in environment_of(container).items() if "_ADDRESS" in variable}
        calls = {callee: port for caller, callee, port in ARROWS if caller == name and callee in urls.SERVICES}
        assert told == {f"{PREFIX}{callee.upper()}_ADDRESS": f"{callee}:{port}" for callee, port in calls.items()}


def test_ports_are_those_of_the_settings(cluster: list[Manifest]) -> None:
    settings = Settings()
    assert {name: settings.port_of("smtp" if name == "mail" else name) for name in PORTS} == PORTS
    for name, container in ours(cluster).items():
        listed = {each["name"]: each["containerPort"] for each in container.get("ports", [])}
        assert list(listed.values()) == ([PORTS[name]] if name in PORTS else [])
        if name in PORTS:
            (entry,) = named(cluster, "Service")[name]["spec"]["ports"]
            assert entry["targetPort"] in listed
            assert entry["port"] == {"mail": 25, "web": 80}.get(name, PORTS[name])


def test_every_role_is_given_the_files_it_reads_and_no_others(demo: list[Manifest]) -> None:
    for name, container in ours(demo).items():
        given = set(files_of(demo, name))
        pointed_at = {value for each, value in environment_of(container).items() if each.endswith("_FILE")}
        assert given == {f"/zwrotka/{path}" for path in FILES[name]} | pointed_at


def test_the_arrows_of_the_design_are_open_and_no_others(demo: list[Manifest]) -> None:
    policies = named(demo, "NetworkPolicy")
    nothing_else, names = policies.pop("nothing-else")["spec"], policies.pop("names")["spec"]
    assert nothing_else == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert {each["port"] for each in names["egress"][0]["ports"]} == {53}
    assert len(names["egress"]) == 1
    assert names["policyTypes"] == ["Egress"]
    ports = {
        name: {each["name"]: each["containerPort"] for each in pod["containers"][0].get("ports", [])}
        for name, pod in pods(demo).items()
    }
    calls, callers = set(), set()
    for name, policy in policies.items():
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        for rule in policy["spec"].get("egress", []):
            calls |= {(name, end, port["port"]) for end in map(end_of, rule["to"]) for port in rule["ports"]}
        for rule in policy["spec"].get("ingress", []):
            ends = [end_of(each) for each in rule["from"]] if "from" in rule else ["world"]
            callers |= {(end, name, ports[name][port["port"]]) for end in ends for port in rule["ports"]}
    assert calls == {arrow for arrow in ARROWS if arrow[0] not in OUTSIDE}
    assert callers == {arrow for arrow in ARROWS if arrow[1] not in OUTSIDE}


def end_of(peer: dict[str, Any]) -> str:
    """Whom one entry of a policy means."""
    if block := peer.get("ipBlock"):
        return "world" if block["cidr"] == "0.0.0.0/0" else "units"
    (name,) = peer["podSelector"]["matchLabels"].values()
    return str(name)


@pytest.mark.parametrize("role", ROLES)
def test_the_code_calls_whom_the_arrows_say(role: str) -> None:
    folder = f"services/frontdoor/{role}" if role in ROOMS else f"services/{role}"
    stubs = {
        name.rpartition(".")[2].removesuffix("ServiceStub").lower()
        for path in modules(folder)
        for name in imports_of(path)
        if name.startswith("zwrotka.") and name.endswith("ServiceStub")
    }
    assert stubs == {callee for caller, callee, _ in ARROWS if caller == role and callee in urls.SERVICES}


def test_no_pod_has_rights_that_it_does_not_need(cluster: list[Manifest]) -> None:
    for name, pod in pods(cluster).items():
        assert pod["automountServiceAccountToken"] is False
        # Kubernetes would write the address of each Service into the environment, where a setting may be meant.
        assert pod["enableServiceLinks"] is False
        assert named(cluster, "ServiceAccount")[pod["serviceAccountName"]]["automountServiceAccountToken"] is False
        assert pod["serviceAccountName"] == name
        security = pod["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["runAsUser"] > 0
        assert security["runAsGroup"] > 0
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        for volume in pod["volumes"]:
            assert set(volume) - {"name"} <= {"secret", "configMap", "emptyDir"}
    for container in containers(cluster):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_every_deployment_is_probed_limited_and_spared(cluster: list[Manifest]) -> None:
    for name in (*ROLES, "postgresql"):
        if name not in pods(cluster):
            continue
        container = pods(cluster)[name]["containers"][0]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert container[probe]["timeoutSeconds"] <= container[probe]["periodSeconds"]
            if name in ROLES and name != "web":
                assert container[probe]["exec"]["command"] == ["python", "-m", "services", "health", name]
        assert set(container["resources"]["limits"]) == {"cpu", "memory"}
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        # One at a time: where there is one copy alone, a node can still be emptied.
        assert named(cluster, "PodDisruptionBudget")[name]["spec"]["maxUnavailable"] == 1


def test_the_web_is_probed_on_a_page_that_needs_nobody_else(cluster: list[Manifest]) -> None:
    container = ours(cluster)["web"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/", "port": "http"}
    pages = ast.parse((ROOT / "services/frontdoor/web/pages.py").read_text(encoding="utf-8"))
    (home,) = [each for each in ast.walk(pages) if isinstance(each, ast.FunctionDef) and each.name == "home"]
    assert ast.unparse(home.body[0]) == "return shown('home')"


def test_images_have_the_version_of_the_project(cluster: list[Manifest]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    for container in ours(cluster).values():
        assert container["image"] == f"zwrotka:{version}"
    for container in containers(cluster):
        assert container["image"].partition(":")[2] not in ("", "latest")


def test_the_demo_is_one_namespace_that_enforces_the_restricted_standard(demo: list[Manifest]) -> None:
    (namespace,) = named(demo, "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for manifest in demo:
        if manifest is not namespace:
            assert manifest["metadata"]["namespace"] == namespace["metadata"]["name"]


def test_no_secret_lies_in_the_repository() -> None:
    kept = subprocess.run(["git", "ls-files", "k8s"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    assert [each for each in kept.stdout.splitlines() if "/secrets/" in each] == []
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"/k8s/overlays/demo/secrets/", "/secrets/"} <= set(ignored)


def test_the_readme_speaks_of_what_there_is(demo: list[Manifest]) -> None:
    readme = (ROOT / "k8s/README.md").read_text(encoding="utf-8")
    assert {each.removesuffix("_FILE") for each in re.findall(r"ZWROTKA_[A-Z_]+[A-Z]", readme)} <= set(SETTINGS)
    secrets = {name: each["data"] for name, each in named(demo, "Secret").items() if name != "postgresql"}
    for name, keys in secrets.items():
        assert f"`{name}`" in readme
        assert all(f"`{key}`" in readme for key in keys)
