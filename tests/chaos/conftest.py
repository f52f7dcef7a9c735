"""Faults are played in a house that is whole again afterwards."""

from collections.abc import Iterator

import pytest

from tests.house import House
from tests.relay import Relay


@pytest.fixture
def whole(house: House) -> Iterator[House]:
    """The shared house; whatever the test left dead or faulty is started anew."""
    yield house
    house.revive()


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A played relay, not listening yet."""
    relay = Relay()
    yield relay
    relay.close()
