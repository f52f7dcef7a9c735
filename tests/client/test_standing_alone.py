import sys
import tomllib

from tests.structure.source import ROOT, imports_of, modules

MODULES = {"cryptography", "googleapis-common-protos", "grpcio", "grpcio-status", "lxml", "protobuf", "zwrotka-protos"}
IMPORTS = {"cryptography", "google", "grpc", "grpc_status", "lxml", "zwrotka", "zwrotka_client"}


def test_the_client_needs_nothing_of_the_house_but_its_protos() -> None:
    paths = modules("clients/python")
    used = {name.partition(".")[0] for path in paths for name in imports_of(path)}
    own = {path.stem for path in paths}  # imported from beside, by a dot
    assert used - sys.stdlib_module_names - IMPORTS - own == set()


def test_what_it_needs_is_declared() -> None:
    project = tomllib.loads((ROOT / "clients/python/pyproject.toml").read_text())["project"]
    assert {each.partition(">=")[0] for each in project["dependencies"]} == MODULES


def test_every_package_is_installed() -> None:
    setup = tomllib.loads((ROOT / "clients/python/pyproject.toml").read_text())["tool"]["setuptools"]
    found = {".".join(path.parent.relative_to(ROOT / "clients/python").parts) for path in modules("clients/python")}
    assert set(setup["packages"]) == found
