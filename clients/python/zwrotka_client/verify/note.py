"""Signed notes (c2sp.org/signed-note) and the checkpoints written in them (c2sp.org/tlog-checkpoint)."""

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .merkle import HASH_BYTES
from .verdict import Refused

ED25519 = b"\x01"  # signature type, c2sp.org/signed-note
MAX_SIGNATURES = 100  # the specification asks for 16 at least; witnesses may be many, but not without end
_NAME = r"[^\s+]+"
_SIGNATURE_LINE = re.compile(rf"— ({_NAME}) ([A-Za-z0-9+/]+=*)")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


class VerifierKey(NamedTuple):
    """A log's public key under its name."""

    name: str
    key_id: bytes
    public_key: Ed25519PublicKey


class Signature(NamedTuple):
    """One signature line of a note."""

    name: str
    key_id: bytes
    signature: bytes


class Note(NamedTuple):
    """A note as parsed: nobody vouches for its text until `verify_note` has returned."""

    text: str
    signatures: tuple[Signature, ...]


class Checkpoint(NamedTuple):
    """The state of a log: its origin line, its number of entries and its root hash."""

    origin: str
    size: int
    root: bytes


def strict_base64(text: str) -> bytes:
    """The bytes of canonical base64, RFC 4648 §4; ValueError for anything a second spelling could hide in."""
    try:
        raw = b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError("not base64") from error
    if b64encode(raw).decode() != text:
        raise ValueError("base64 with stray bits")
    return raw


def parse_key(text: str) -> VerifierKey:
    """A verifier key string, `<name>+<8 hex digits>+<base64 of type and key>`."""
    parts = text.strip().split("+", 2)
    if len(parts) != 3 or not re.fullmatch(_NAME, parts[0]) or not re.fullmatch("[0-9a-f]{8}", parts[1]):
        raise Refused("The log key is not a verifier key string, name+hash+key.")
    name, key_id = parts[0], bytes.fromhex(parts[1])
    try:
        typed = strict_base64(parts[2])
    except ValueError as error:
        raise Refused("The log key is not base64.") from error
    if len(typed) != 33 or typed[:1] != ED25519:
        raise Refused("The log key is not an Ed25519 key.")
    if hashlib.sha256(f"{name}\n".encode() + typed).digest()[:4] != key_id:
        raise Refused("The log key does not fit its own hash: it was copied wrongly.")
    return VerifierKey(name, key_id, Ed25519PublicKey.from_public_bytes(typed[1:]))


def parse_note(note: bytes) -> Note:
    """A note's text, with its final newline, and its signature lines."""
    try:
        whole = note.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("The note is not UTF-8.") from error
    if any(character < " " and character != "\n" for character in whole):
        raise Refused("The note holds control characters.")
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not text or not lines.endswith("\n"):
        raise Refused("The note is not a text, an empty line and signature lines.")
    rows = lines[:-1].split("\n")
    if len(rows) > MAX_SIGNATURES:
        raise Refused(f"The note has more than {MAX_SIGNATURES} signatures.")
    return Note(text + "\n", tuple(_signature(row) for row in rows))


def verify_note(note: Note, keys: Iterable[VerifierKey]) -> VerifierKey:
    """The first of our keys that signed the note; refused if none did, or if one's signature does not hold."""
    known = {(key.name, key.key_id): key for key in keys}
    signers = []
    for name, key_id, signature in note.signatures:
        key = known.get((name, key_id))
        if key is None:  # a witness's cosignature, or a stranger's
            continue
        try:
            key.public_key.verify(signature, note.text.encode())
        except InvalidSignature as error:
            raise Refused("The signature under the log's name does not hold.") from error
        signers.append(key)
    if not signers:
        raise Refused("No signature is by the log's key.")
    return signers[0]


def parse_checkpoint(text: str) -> Checkpoint:
    """The three lines of a checkpoint; extension lines, which our log never writes, are refused."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0] or not _DECIMAL.fullmatch(lines[1]):
        raise Refused("The checkpoint is not an origin, a size and a root hash.")
    try:
        root = strict_base64(lines[2])
    except ValueError as error:
        raise Refused("The checkpoint's root hash is not base64.") from error
    if len(root) != HASH_BYTES:
        raise Refused("The checkpoint's root hash is not a SHA-256 hash.")
    return Checkpoint(lines[0], int(lines[1]), root)


def _signature(row: str) -> Signature:
    line = _SIGNATURE_LINE.fullmatch(row)
    if not line:
        raise Refused("A signature line of the note is malformed.")
    try:
        raw = strict_base64(line[2])
    except ValueError as error:
        raise Refused("A signature of the note is not base64.") from error
    if len(raw) < 5:
        raise Refused("A signature of the note is too short.")
    return Signature(line[1], raw[:4], raw[4:])
