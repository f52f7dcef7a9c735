"""Each tile has exactly one address (c2sp.org/tlog-tiles)."""

import pytest

from services.frontdoor.web.log import ENTRIES_LEVEL, Tile, tile_at


@pytest.mark.parametrize(
    ("path", "tile"),
    [
        ("0/000", Tile(0, 0, 256)),
        ("0/000.p/1", Tile(0, 0, 1)),
        ("0/999.p/255", Tile(0, 999, 255)),
        ("1/x001/000", Tile(1, 1000, 256)),
        ("5/x001/x234/067", Tile(5, 1234067, 256)),
        ("63/001.p/10", Tile(63, 1, 10)),
        ("entries/x001/x234/067.p/7", Tile(ENTRIES_LEVEL, 1234067, 7)),
    ],
)
def test_an_address_names_its_tile(path: str, tile: Tile) -> None:
    assert tile_at(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "0",
        "0/",
        "0/0",
        "0/01",
        "0/0000",
        "0/001/002",
        "0/x001",
        "0/x000/001",
        "0/x001/x002",
        "0/x01/002",
        "0/X001/002",
        "00/000",
        "64/000",
        "-1/000",
        "+1/000",
        "0/000.p/0",
        "0/000.p/01",
        "0/000.p/256",
        "0/000.p/",
        "0/000.p",
        "0/000/",
        "/0/000",
        "0/000\n",
        "0/٠٠١",
        "entries",
        "entries/",
        "data/000",
        "0/../0/000",
        "0/x001/x001/x001/x001/x001/x001/x001/001",
    ],
)
def test_any_other_spelling_names_none(path: str) -> None:
    assert tile_at(path) is None
