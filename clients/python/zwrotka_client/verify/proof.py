"""The proof that a receipt stands in the log: c2sp.org/tlog-proof@v1, whose extra line carries the log entry."""

import hashlib
import re
from dataclasses import dataclass

from .merkle import HASH_BYTES, leaf_hash, root_from_inclusion
from .note import Checkpoint, Note, parse_checkpoint, parse_key, parse_note, strict_base64, verify_note
from .verdict import Refused

MAX_BYTES = 100_000
MAX_PATH = 63  # a path is no longer than the size of a log has bits
_HEAD = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_ENTRY = re.compile(
    r"zwrotka-leaf/v1\n"
    r"(?P<event>[^\n]+)\n"
    r"(?P<event_time>[^\n]+)\n"
    r"(?P<sha256>[0-9a-f]{64})\n"
    r"[0-9a-f]{64}\n"  # keyed digest of the letter's number: only the office can open it
    r"[A-Za-z0-9._:-]{0,64}\n"  # code of the unit that has the letter
)


@dataclass(frozen=True)
class Proof:
    """A proof as parsed; nothing of it has been checked yet."""

    entry: bytes
    index: int
    path: tuple[bytes, ...]
    note: Note


def parse_proof(proof: bytes) -> Proof:
    """Takes the file apart; refused unless it is written exactly as the specification says, with an extra line."""
    if len(proof) > MAX_BYTES:
        raise Refused(f"The proof is larger than {MAX_BYTES} bytes.")
    if b"\r" in proof:
        raise Refused("The proof's line ends were changed after it was issued; take it again from where it came.")
    head, blank, note = proof.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise Refused("The proof is not a text file.") from error
    if not blank or lines[0] != _HEAD:
        raise Refused("The proof is not a c2sp.org/tlog-proof@v1 file.")
    if len(lines) < 3 or not lines[1].startswith("extra "):
        raise Refused("The proof lacks the line with the log entry.")
    index = _INDEX.fullmatch(lines[2])
    if not index:
        raise Refused("The proof lacks the receipt's place in the log.")
    if len(lines) - 3 > MAX_PATH:
        raise Refused("The proof's path is longer than any log is high.")
    try:
        entry = strict_base64(lines[1].removeprefix("extra "))
        path = tuple(strict_base64(line) for line in lines[3:])
    except ValueError as error:
        raise Refused("A line of the proof is not base64.") from error
    if any(len(sibling) != HASH_BYTES for sibling in path):
        raise Refused("A line of the proof's path is not a SHA-256 hash.")
    return Proof(entry, int(index[1]), path, parse_note(note))


def signed_checkpoint(note: Note, log_key: str) -> tuple[Checkpoint, str]:
    """The checkpoint, and the name of the key that signed it among those of `log_key`, one verifier key a line."""
    signer = verify_note(note, [parse_key(line) for line in log_key.split("\n") if line.strip()])
    return parse_checkpoint(note.text), signer.name


def must_be_of_log(named: str, origin: str, signer: str) -> None:
    """Refuses the checkpoint of another log than the receipt names; a log signs under its own name."""
    if not named == origin == signer:
        raise Refused("The proof is about another log than the one that the receipt names.")


def must_attest(entry: bytes, xml: bytes, event: str, event_time: str) -> None:
    """Refuses an entry that is malformed, or was written for another file or another event."""
    try:
        fields = _ENTRY.fullmatch(entry.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Refused("The log entry is not a text.") from error
    if not fields:
        raise Refused("The log entry is not written in the form zwrotka-leaf/v1.")
    if fields["sha256"] != hashlib.sha256(xml).hexdigest():
        raise Refused("The log entry was written for another file: its SHA-256 is not this receipt's.")
    if (fields["event"], fields["event_time"]) != (event, event_time):
        raise Refused("The log entry names another event or time than the receipt does.")


def must_be_included(proof: Proof, checkpoint: Checkpoint) -> None:
    """Refuses a path that does not lead from the entry to the checkpoint's root (RFC 9162 §2.1.3.2)."""
    try:
        root = root_from_inclusion(leaf_hash(proof.entry), proof.index, checkpoint.size, proof.path)
    except ValueError as error:
        raise Refused(f"The proof's path does not fit the log: {error}.") from error
    if root != checkpoint.root:
        raise Refused("The proof's path does not lead to the log's root hash: the entry is not in this log.")
