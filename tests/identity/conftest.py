"""Identity's world."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.identity.hall import Hall
from tests.postgres import Postgres


@pytest.fixture
def hall(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> Iterator[Hall]:
    """A city hall that opened today."""
    url = ""
    if database == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.new_database(f"identity_{secrets.token_hex(8)}")
    with Hall(tmp_path / "home", url) as hall:
        yield hall
