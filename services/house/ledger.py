"""Audits the log of evidence from its tables alone: every leaf, every checkpoint, every receipt."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from zwrotka_client.verify import (
    Refused,
    leaf_hash,
    node_hash,
    parse_checkpoint,
    parse_key,
    parse_note,
    verify_note,
    verify_receipt,
)

from services.house.snapshot import rows


@dataclass(frozen=True)
class Entry:
    """What the log says of one receipt: `digest` is of its two files, `content` of the letter, both SHA-256."""

    digest: bytes
    letter: str
    event: str
    content: str


@dataclass
class Ledger:
    """What the log holds, by evidence id."""

    entries: int = 0
    receipts: dict[str, Entry] = field(default_factory=dict)


class Auditor:
    """Re-computes the log; remembers which receipts it verified, since their bytes never change."""

    def __init__(self, home: Path) -> None:
        self._ca = (home / "certificates" / "ca.pem").read_bytes()
        self._log_key = (home / "keys" / "log.vkey").read_text(encoding="utf-8").strip()
        self._verified: dict[bytes, Entry] = {}

    def audit(self, tx: sa.Connection, ledger: Ledger) -> Iterator[str]:
        """Fills the ledger; complaints."""
        yield from self._tree(tx, ledger)
        query = "SELECT evidence_id, message_id, leaf_index, xml, tlog_proof FROM evidence ORDER BY leaf_index"
        for count, row in enumerate(rows(tx, query)):
            if row.leaf_index != count:
                yield f"log entry {count} has no evidence, or evidence {row.evidence_id} no entry"
            digest = digest_of(row.xml, row.tlog_proof)
            if digest not in self._verified:
                verdict = verify_receipt(bytes(row.xml), bytes(row.tlog_proof), ca_pem=self._ca, log_key=self._log_key)
                facts = verdict.facts
                if not verdict.passed or not facts:
                    failed = ", ".join(each.name for each in verdict.failed)
                    yield f"evidence {row.evidence_id} does not verify: {failed}"
                    continue
                said = (facts.evidence_id.removeprefix("urn:uuid:"), facts.letter, facts.log_index)
                if said != (row.evidence_id, row.message_id, row.leaf_index):
                    yield f"evidence {row.evidence_id} speaks of {said}"
                content = next((part.sha256 for part in facts.parts), "")
                self._verified[digest] = Entry(digest, facts.letter, facts.event, content)
            ledger.receipts[row.evidence_id] = self._verified[digest]
        if len(ledger.receipts) != ledger.entries:
            yield f"the log has {ledger.entries} entries for {len(ledger.receipts)} pieces of evidence that hold"

    def _tree(self, tx: sa.Connection, ledger: Ledger) -> Iterator[str]:
        notes = {row.size: bytes(row.note) for row in rows(tx, "SELECT size, note FROM checkpoints ORDER BY size")}
        tree, newest = _Tree(), 0
        for row in rows(tx, "SELECT leaf_index, entry, hash FROM leaves ORDER BY leaf_index"):
            if row.leaf_index != tree.size:
                yield f"log entry {tree.size} is missing"
                return
            if leaf_hash(bytes(row.entry)) != bytes(row.hash):
                yield f"log entry {row.leaf_index} was changed: its hash differs"
            tree.append(bytes(row.hash))
            if note := notes.pop(tree.size, None):
                yield from self._checkpoint(note, tree)
                newest = tree.size
        ledger.entries = tree.size
        if newest != tree.size:
            yield f"the log has {tree.size} entries, and no checkpoint covers the last"
        yield from (f"a checkpoint of {size} entries covers more than there are" for size in notes if size)

    def _checkpoint(self, note: bytes, tree: "_Tree") -> Iterator[str]:
        try:
            parsed = parse_note(note)
            verify_note(parsed, [parse_key(self._log_key)])
            checkpoint = parse_checkpoint(parsed.text)
        except Refused as refused:
            yield f"the checkpoint of {tree.size} entries does not hold: {refused}"
            return
        if (checkpoint.size, checkpoint.root) != (tree.size, tree.root()):
            yield f"the checkpoint of {tree.size} entries has another root than the entries"


class _Tree:
    """The Merkle tree of RFC 6962 §2.1 as it grows, by its complete subtrees, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[tuple[int, bytes]] = []

    def append(self, leaf: bytes) -> None:
        """Adds a leaf's hash."""
        width, node = 1, leaf
        while self._edge and self._edge[-1][0] == width:
            node = node_hash(self._edge.pop()[1], node)
            width *= 2
        self._edge.append((width, node))
        self.size += 1

    def root(self) -> bytes:
        """The root hash of what was added so far."""
        root = self._edge[-1][1]
        for _, node in reversed(self._edge[:-1]):
            root = node_hash(node, root)
        return root


def digest_of(xml: bytes, proof: bytes) -> bytes:
    """One digest of a receipt's two files."""
    return hashlib.sha256(hashlib.sha256(xml).digest() + hashlib.sha256(proof).digest()).digest()
