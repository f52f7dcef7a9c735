"""The log as a stranger reads it: tiles over HTTP, the root computed anew from the entries alone."""

import base64
import gzip
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.web.door import ENTRIES, Door


def _root(hashes: list[bytes]) -> bytes:
    """Merkle tree hash of leaf hashes, straight from the definition in RFC 6962 §2.1."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return hashlib.sha256(b"\x01" + _root(hashes[:split]) + _root(hashes[split:])).digest()


def _leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def _address(index: int) -> str:
    groups = [f"{index:06d}"[:3], f"{index:06d}"[3:]]
    return f"x{groups[0]}/{groups[1]}" if index >= 1000 else groups[1]


def _widths(size: int) -> list[tuple[int, str]]:
    """(hashes in it, address below its level) of each tile on a level of `size` hashes."""
    full = [(256, _address(index)) for index in range(size // 256)]
    return full + ([(size % 256, f"{_address(size // 256)}.p/{size % 256}")] if size % 256 else [])


def _entries(bundle: bytes) -> list[bytes]:
    entries = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        entries.append(bundle[2 : 2 + length])
        assert len(entries[-1]) == length
        bundle = bundle[2 + length :]
    return entries


def _signed_checkpoint(door: Door) -> tuple[str, int, bytes]:
    """The checkpoint's three lines, its signature verified with the key that the log's page gives."""
    note = door.ask("/log/checkpoint").text
    name, key_id, key = door.ask("/log/log.vkey").text.strip().split("+", 2)
    text, signatures = note.split("\n\n")
    [line] = signatures.splitlines()
    dash, signer, encoded = line.split(" ")
    signature = base64.b64decode(encoded)
    assert (dash, signer, signature[:4].hex()) == ("—", name, key_id)
    Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:]).verify(signature[4:], f"{text}\n".encode())
    origin, size, root = text.split("\n")
    return origin, int(size), base64.b64decode(root)


def test_the_whole_log_read_over_http_gives_the_root_that_was_signed(door: Door) -> None:
    origin, size, root = _signed_checkpoint(door)
    assert (origin, size) == (door.city.log_origin, ENTRIES)
    entries = []
    for width, address in _widths(size):
        entries += _entries(door.ask(f"/log/tile/entries/{address}").body)
        assert len(entries) % 256 == width % 256
    leaves = [_leaf(entry) for entry in entries]
    assert _root(leaves) == root

    levels = {0: leaves, 1: [_root(leaves[:256])]}
    for level, hashes in levels.items():
        tiles = [door.ask(f"/log/tile/{level}/{address}") for _, address in _widths(len(hashes))]
        assert b"".join(tile.body for tile in tiles) == b"".join(hashes)


def test_every_receipt_stands_in_the_log_and_no_name_does(door: Door) -> None:
    bundles = [door.ask(f"/log/tile/entries/{address}").body for _, address in _widths(ENTRIES)]
    entries = [entry for bundle in bundles for entry in _entries(bundle)]
    for receipt, entry in zip(door.receipts, entries, strict=True):
        assert hashlib.sha256(receipt.xml).hexdigest() in entry.decode()
        assert receipt.number not in entry.decode()


def test_a_partial_tile_stays_after_it_was_filled(door: Door) -> None:
    whole = door.ask("/log/tile/0/000").body
    assert door.ask("/log/tile/0/000.p/255").body == whole[: 255 * 32]


def test_a_checkpoint_is_asked_for_again_and_a_tile_never(door: Door) -> None:
    checkpoint, tile = door.ask("/log/checkpoint"), door.ask("/log/tile/0/000")
    assert checkpoint.headers["Cache-Control"] == "no-cache"
    assert checkpoint.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert tile.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert tile.headers["Content-Type"] == "application/octet-stream"
    assert len(tile.body) == 8192


def test_entries_are_compressed_for_who_asks_for_it(door: Door) -> None:
    plain = door.ask("/log/tile/entries/000")
    packed = door.ask("/log/tile/entries/000", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body)


@pytest.mark.parametrize(
    "address",
    [
        "0/001",
        "0/001.p/45",
        "1/000",
        "1/000.p/2",
        "2/000.p/1",
        "6/000",
        "63/000",
        "entries/001.p/45",
        "0/x001/000",
        "x",
    ],
)
def test_beyond_the_checkpoint_there_is_nothing_and_nobody_may_remember_that(door: Door, address: str) -> None:
    answer = door.ask(f"/log/tile/{address}")
    assert answer.status == 404
    assert answer.headers["Cache-Control"] == "no-store"
