"""The command as a person types it."""

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from zwrotka_client import Unit
from zwrotka_client.__main__ import main

from tests.house import House


class Ended(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str


Zwrotka = Callable[..., Ended]


@pytest.fixture
def zwrotka(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Zwrotka:
    """Runs `zwrotka ...` without settings of its own in the environment."""
    for name in [name for name in os.environ if name.startswith("ZWROTKA_")]:
        monkeypatch.delenv(name)

    def run(*arguments: str) -> Ended:
        capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Ended(code, *capsys.readouterr())

    return run


@pytest.fixture
def at_house(house: House, zwrotka: Zwrotka, monkeypatch: pytest.MonkeyPatch) -> Zwrotka:
    """Runs `zwrotka ...` beside the running house."""
    monkeypatch.setenv("ZWROTKA_HOME", str(house.home))
    return zwrotka


@pytest.fixture
def so(house: House) -> Iterator[Unit]:
    """The unit for residents' matters."""
    with Unit.from_ready(house.home / "ready.json", "SO") as unit:
        yield unit


@pytest.fixture
def kd(house: House) -> Iterator[Unit]:
    """The unit for roads."""
    with Unit.from_ready(house.home / "ready.json", "KD") as unit:
        yield unit
