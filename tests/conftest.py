"""The suite's world: one house for all tests, on SQLite and on PostgreSQL, and its books read after every test."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.house import House
from tests.postgres import Postgres

DATABASES = os.environ.get("ZWROTKA_TEST_DATABASES", "sqlite,postgresql").split(",")
NewHouse = Callable[..., House]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives each kind of database a worker of its own: its house is opened once, and both run side by side."""
    for item in items:
        if kind := getattr(item, "callspec", None) and item.callspec.params.get("database"):  # type: ignore[attr-defined]
            item.add_marker(pytest.mark.xdist_group(kind))


@pytest.fixture(scope="session", params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database the test runs on."""
    kind: str = request.param
    return kind


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server. Not in pytest's folder: another run closes that to the user the server runs as."""
    with tempfile.TemporaryDirectory(prefix="zwrotka-postgres-") as folder:
        Path(folder).chmod(0o755)
        server = Postgres(Path(folder) / "server")
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def house(request: pytest.FixtureRequest, database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The house that all tests share. Who stops, kills or stages a part of it starts that part again."""
    shared = house_in(request, database, tmp_path_factory.mktemp("house"))
    shared.open()
    yield shared
    shared.close()
    must_keep_secrets(shared)


@pytest.fixture
def new_house(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> Iterator[NewHouse]:
    """Makes houses of the test's own: new_house(relay=...), opened by the test, closed and read after it."""
    houses: list[House] = []

    def make(**settings: Any) -> House:
        houses.append(house_in(request, database, tmp_path / f"house-{len(houses)}", **settings))
        return houses[-1]

    yield make
    for each in houses:
        each.close()
        must_add_up(each)
        must_keep_secrets(each)


@pytest.fixture(autouse=True)
def _books_after_every_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whoever wrote to the shared house leaves its books in order."""
    yield
    if "house" in request.fixturenames:
        must_add_up(request.getfixturevalue("house"))


def must_add_up(house: House) -> None:
    """Fails with the complaints about a house's books, once it has some."""
    if not (house.home / "demo.json").exists():
        return
    complaints = house.books.complaints()
    assert not complaints, "\n".join(complaints[:20])


def must_keep_secrets(house: House) -> None:
    """Fails if a log holds a token, number, name or address of anybody that the tests made."""
    logs = house.logs()
    for each in house.people:
        person = each.person
        secrets = (each.token, each.token.replace("-", ""), person.pesel, person.document_number, person.email)
        for secret in (*secrets, person.surname, json.dumps(person.surname).strip('"')):
            held = [role for role, text in logs.items() if secret.lower() in text.lower()]
            assert not held, f"the logs of {held} hold something of {each.profile_id}"


def house_in(request: pytest.FixtureRequest, kind: str, folder: Path, **settings: Any) -> House:
    """A house in a folder, on a database of its own, not opened yet."""
    if kind == "postgresql" and "database" not in settings:
        server: Postgres = request.getfixturevalue("postgres")
        name = f"house_{folder.parent.name}_{folder.name}".lower().replace("-", "_")[-40:]
        settings["database"] = server.new_database(name)
    return House(folder, **settings)
