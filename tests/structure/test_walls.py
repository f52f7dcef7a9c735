"""Who may import what, which files each room has, how long they may be, that every call has a deadline."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from zwrotka.identity.v1 import identity_pb2
from zwrotka.mailbox.v1 import mailbox_pb2
from zwrotka.receipts.v1 import receipts_pb2

from tests.structure.source import BACK_SERVICES, ROOT, SERVICES, imports_of, modules, shown, tree_of

MAX_LINES = 400
MAX_CHASSIS_LINES = 850
METHODS = {
    method.name
    for proto in (identity_pb2, mailbox_pb2, receipts_pb2)
    for service in proto.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
# Drawers: the tool, and the only places that may open it.
DRAWERS = {
    "grpc": ("services/chassis/rpc.py", "*/servicer.py"),
    "sqlalchemy": ("services/chassis/", "*store.py", "*/schema.py", "*/migrations/", "services/house/"),
    "asyncio": ("services/frontdoor/",),
    "aiosmtpd": ("services/frontdoor/mail/",),
    "aiosmtplib": ("services/frontdoor/",),
    "telegram": ("services/frontdoor/telegram/",),
    "flask": ("services/frontdoor/web/",),
    "os.environ": ("services/chassis/settings.py", "services/house/"),
}
# A layer imports only from those after it.
LAYERS = ("__main__", "servicer", "rounds", "mailroom", "logbook", "enrolment", "chat_store", "store", "schema")
PURE = {"services.chassis.errors", "services.chassis.codes"}


def inside(path: Path, places: tuple[str, ...]) -> bool:
    name = shown(path)
    return any(
        name.startswith(place) if not place.startswith("*") else place.removeprefix("*") in f"/{name}"
        for place in places
    )


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_never_imports_another(service: str) -> None:
    others = tuple(f"services.{other}" for other in (*SERVICES, "house") if other != service)
    wrong = [
        (shown(path), name)
        for path in modules(f"services/{service}")
        for name in imports_of(path)
        if name.startswith(others)
    ]
    assert wrong == []


def test_the_chassis_knows_no_service() -> None:
    wrong = [
        (shown(path), name)
        for path in modules("services/chassis")
        for name in imports_of(path)
        if name.startswith(("services.", "zwrotka")) and not name.startswith("services.chassis")
    ]
    assert wrong == []


@pytest.mark.parametrize("tool", DRAWERS)
def test_a_tool_stays_in_its_drawer(tool: str) -> None:
    wrong = [
        shown(path)
        for path in modules("services")
        if any(name == tool or name.startswith(f"{tool}.") for name in imports_of(path))
        and not inside(path, DRAWERS[tool])
    ]
    # Their transactions are typed by SQLAlchemy's connection; they write no SQL themselves.
    typed = {"services/mailbox/mailroom.py", "services/receipts/logbook.py"} if tool == "sqlalchemy" else set()
    assert set(wrong) - typed == set()


@pytest.mark.parametrize("service", BACK_SERVICES)
def test_imports_inside_a_service_go_downward(service: str) -> None:
    wrong = []
    for path in modules(f"services/{service}"):
        layer = LAYERS.index(path.stem) if path.stem in LAYERS else len(LAYERS)
        for name in imports_of(path):
            if name.startswith(f"services.{service}.") and name.split(".")[2] in LAYERS[: layer + 1]:
                wrong.append((shown(path), name))
    assert wrong == []


@pytest.mark.parametrize("service", BACK_SERVICES)
def test_rules_import_nothing_but_errors(service: str) -> None:
    forbidden = ("services.chassis", "zwrotka", "google", "time", "datetime.datetime.now", "socket", "requests")
    wrong = [
        (shown(path), name)
        for path in modules(f"services/{service}")
        if path.stem not in (*LAYERS, "__init__") and "migrations" not in path.parts
        for name in imports_of(path)
        if name.startswith(forbidden) and not any(name == pure or name.startswith(f"{pure}.") for pure in PURE)
    ]
    assert [(path, name) for path, name in wrong if name != "services.chassis.city.City"] == []


@pytest.mark.parametrize("service", BACK_SERVICES)
def test_who_knows_one_service_knows_all(service: str) -> None:
    names = {path.name for path in (ROOT / "services" / service).iterdir()}
    assert {"__init__.py", "__main__.py", "servicer.py", "store.py", "schema.py", "migrations"} <= names


def test_no_file_is_longer_than_a_person_reads_at_once() -> None:
    long = [
        (shown(path), lines)
        for folder in ("services", "clients", "tests")
        for path in modules(folder)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    ]
    assert long == []


def test_the_chassis_stays_small() -> None:
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in modules("services/chassis"))
    assert lines <= MAX_CHASSIS_LINES


def test_no_room_is_called_after_what_it_is_not() -> None:
    vague = {"utils", "helpers", "common", "manager", "base", "misc"}
    folders = ("services", "clients", "tests")
    assert [shown(path) for folder in folders for path in modules(folder) if path.stem in vague] == []


def test_every_module_says_what_it_is() -> None:
    silent = [path for folder in ("services", "clients") for path in modules(folder) if not doc_of(path)]
    assert [shown(path) for path in silent] == []


def doc_of(path: Path) -> str:
    return ast.get_docstring(tree_of(path)) or ""


def calls_of_methods(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            yield node


def test_every_call_to_a_method_carries_a_deadline() -> None:
    # A method is either handed to rpc.call, which demands a timeout, or called with one.
    without = [
        (shown(path), call.lineno)
        for folder in ("services", "clients")
        for path in modules(folder)
        for call in calls_of_methods(path)
        if not any(keyword.arg == "timeout" for keyword in call.keywords)
    ]
    assert without == []
