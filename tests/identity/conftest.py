"""Identity's world."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.identity.hall import Hall


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    """A city hall that opened today."""
    with Hall(tmp_path / "home") as hall:
        yield hall
