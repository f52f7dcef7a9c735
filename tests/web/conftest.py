"""A web door with its receipts, both as processes, and a log long enough to have a full tile."""

from collections.abc import Iterator

import pytest

from tests.web.door import Door


@pytest.fixture(scope="session")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """The door that all these tests share. Who stops a part of it starts that part again."""
    door = Door(tmp_path_factory.mktemp("web"))
    door.start("receipts", "web")
    door.attest()
    yield door
    door.stop("web", "receipts")
