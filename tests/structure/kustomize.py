"""What `kubectl kustomize` makes of a folder, read without it: the fields that k8s/ uses, any other is an error."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]


def build(folder: Path) -> list[Manifest]:
    """The manifests of a kustomization and of those below it."""
    plan: dict[str, Any] = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    assert plan.pop("kind") == "Kustomization"
    assert plan.pop("apiVersion") == "kustomize.config.k8s.io/v1beta1"
    manifests = [each for name in plan.pop("resources") for each in _resource(folder / name)]
    options = plan.pop("generatorOptions", {})
    for kind in ("Secret", "ConfigMap"):
        given = plan.pop(f"{kind[0].lower()}{kind[1:]}Generator", [])
        assert not given or options == {"disableNameSuffixHash": True}
        manifests += [_generated(folder, kind, each) for each in given]
    for patch in plan.pop("patches", []):
        for operation in yaml.safe_load(patch["patch"]):
            _apply(_one(manifests, patch["target"]["kind"], patch["target"]["name"]), operation)
    for image in plan.pop("images", []):
        for container in containers(manifests):
            if container["image"] == image["name"]:
                container["image"] = f"{image['name']}:{image['newTag']}"
    for each in plan.pop("replicas", []):
        _one(manifests, "Deployment", each["name"])["spec"]["replicas"] = each["count"]
    if namespace := plan.pop("namespace", ""):
        for manifest in manifests:
            if manifest["kind"] != "Namespace":
                manifest["metadata"]["namespace"] = namespace
    assert plan == {}, f"{folder}: this reader does not know {sorted(plan)}"
    return manifests


def containers(manifests: list[Manifest]) -> Iterator[dict[str, Any]]:
    """Every container of every workload."""
    for manifest in manifests:
        if manifest["kind"] in ("Deployment", "StatefulSet", "Job"):
            pod = manifest["spec"]["template"]["spec"]
            yield from [*pod["containers"], *pod.get("initContainers", [])]


def _resource(path: Path) -> list[Manifest]:
    if path.is_dir():
        return build(path)
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def _generated(folder: Path, kind: str, plan: dict[str, Any]) -> Manifest:
    files = {key: (folder / path).read_bytes() for key, _, path in (each.partition("=") for each in plan["files"])}
    manifest = {"apiVersion": "v1", "kind": kind, "metadata": {"name": plan["name"]}}
    if kind == "ConfigMap":
        return manifest | {"data": {key: content.decode() for key, content in files.items()}}
    data = {key: base64.b64encode(content).decode() for key, content in files.items()}
    return manifest | {"data": data, "type": plan.get("type", "Opaque")}


def _one(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    found = [each for each in manifests if each["kind"] == kind and each["metadata"]["name"] == name]
    assert len(found) == 1, f"{len(found)} manifests are called {kind} {name}"
    return found[0]


def _apply(manifest: Manifest, operation: dict[str, Any]) -> None:
    """One operation of JSON Patch (RFC 6902)."""
    *way, last = operation["path"].strip("/").split("/")
    place: Any = manifest
    for step in way:
        place = place[int(step) if isinstance(place, list) else step]
    match operation["op"], place:
        case "add", list() if last == "-":
            place.append(operation["value"])
        case "replace", dict() if last in place:
            place[last] = operation["value"]
        case "remove", dict():
            del place[last]
        case _:
            raise ValueError(f"this reader does not know {operation}")
