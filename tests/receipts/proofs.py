"""Reads proofs and checkpoints as a stranger would, and re-verifies a whole log from what it serves."""

import hashlib
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.receipts import merkle

B64 = "[A-Za-z0-9+/]+={0,2}"
PROOF = re.compile(
    rf"c2sp\.org/tlog-proof@v1\nextra ({B64})\nindex (0|[1-9][0-9]*)\n((?:{B64}\n)*)\n(\S+\n.*)", re.DOTALL
)
NOTE = re.compile(rf"((\S+)\n(0|[1-9][0-9]*)\n({B64})\n)\n\u2014 (\S+) ({B64})\n")


@dataclass(frozen=True)
class Note:
    """A checkpoint whose signature holds."""

    size: int
    root: bytes
    text: bytes
    signature: bytes


@dataclass(frozen=True)
class Proof:
    """A proof's parts."""

    entry: bytes
    index: int
    path: list[bytes]
    note: Note


def open_note(note: bytes, verifier: str) -> Note:
    """c2sp.org/signed-note and tlog-checkpoint, with a verifier key string."""
    match = NOTE.fullmatch(note.decode())
    assert match, note
    text, origin, size, root, name, signed = match.groups()
    key_name, key_id, key = verifier.split("+", 2)
    public, signature = b64decode(key), b64decode(signed)
    assert origin == name == key_name
    assert hashlib.sha256(f"{name}\n".encode() + public).digest()[:4] == bytes.fromhex(key_id) == signature[:4]
    assert public[0] == 1
    Ed25519PublicKey.from_public_bytes(public[1:]).verify(signature[4:], text.encode())
    return Note(int(size), b64decode(root), text.encode(), signature[4:])


def open_proof(proof: bytes, verifier: str, xml: bytes) -> Proof:
    """A proof that the file is in the log: everything about it is asserted."""
    match = PROOF.fullmatch(proof.decode())
    assert match, proof
    entry, index, path, note = match.groups()
    read = Proof(b64decode(entry), int(index), list(map(b64decode, path.split())), open_note(note.encode(), verifier))
    assert read.entry.decode().split("\n")[3] == hashlib.sha256(xml).hexdigest()
    assert merkle.inclusion_holds(read.entry, read.index, read.note.size, read.path, read.note.root)
    return read


def audit(checkpoint: bytes, tile: Callable[[int, int, int], bytes], verifier: str) -> list[bytes]:
    """All entries of a log, re-verified from its tiles alone (c2sp.org/tlog-tiles)."""
    note = open_note(checkpoint, verifier)
    entries: list[bytes] = []
    for index in range((note.size + 255) // 256):
        width = min(256, note.size - index * 256)
        bundle, hashes = tile(-1, index, width), tile(0, index, width)
        read = _entries(bundle)
        assert [merkle.mth([entry]) for entry in read] == [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
        entries += read
    assert merkle.mth(entries) == note.root
    for index in range((note.size // 256 + 255) // 256):
        width = min(256, note.size // 256 - index * 256)
        above = b"".join(
            merkle.mth(entries[at * 256 : at * 256 + 256]) for at in range(index * 256, index * 256 + width)
        )
        assert tile(1, index, width) == above
    return entries


def _entries(bundle: bytes) -> list[bytes]:
    entries: list[bytes] = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        entries.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    return entries
