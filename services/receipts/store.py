"""SQL of receipts. Nothing here updates or deletes."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from services.receipts.log import TILE_WIDTH, Read
from services.receipts.schema import checkpoints, evidence, leaves, subtrees


@dataclass(frozen=True)
class Head:
    """The newest checkpoint, as kept: its note, and the hashes of the tree's right edge one after the other."""

    size: int
    note: bytes
    edge: bytes
    made_at: int


@dataclass(frozen=True)
class Evidence:
    """A row of evidence, as kept."""

    evidence_id: str
    message_id: str
    kind: str
    digest: bytes
    leaf_index: int
    salt: bytes
    xml: bytes
    tlog_proof: bytes
    made_at: int


# Built once: building these costs as much as running them.
_NEWEST = sa.select(checkpoints).order_by(checkpoints.c.size.desc()).limit(1)
_IDS: sa.BindParameter[str] = sa.bindparam("ids", expanding=True)
_LETTERS: sa.BindParameter[str] = sa.bindparam("letters", expanding=True)
_ABOUT = sa.select(evidence.c.evidence_id, evidence.c.message_id, evidence.c.kind).where(
    evidence.c.evidence_id.in_(_IDS) | evidence.c.message_id.in_(_LETTERS)
)
_BY_ID = sa.select(evidence).where(evidence.c.evidence_id.in_(_IDS))
_FROM_TO = leaves.c.leaf_index >= sa.bindparam("begin"), leaves.c.leaf_index < sa.bindparam("end")
_ENTRIES = sa.select(leaves.c.entry).where(*_FROM_TO).order_by(leaves.c.leaf_index)
_LEAVES = sa.select(leaves.c.hash).where(*_FROM_TO).order_by(leaves.c.leaf_index)
_SUBTREES = (
    sa.select(subtrees.c.hash)
    .where(subtrees.c.level == sa.bindparam("level"))
    .where(subtrees.c.number >= sa.bindparam("begin"), subtrees.c.number < sa.bindparam("end"))
    .order_by(subtrees.c.number)
)


def take_turn(tx: sa.Connection) -> None:
    """Waits until no other replica is appending. What forbids a fork is the keys; this makes meeting there rare.

    Without it the replica that lost a place has to start anew while the one that won is already a step ahead, and
    under load it loses again and again. SQLite's BEGIN IMMEDIATE has waited already.
    """
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql("SELECT pg_advisory_xact_lock('checkpoints'::regclass::oid::bigint)")


def newest_checkpoint(tx: sa.Connection) -> Head | None:
    """The log's head; None before the first event."""
    row = tx.execute(_NEWEST).one_or_none()
    return Head(**row._mapping) if row else None


def evidence_about(
    tx: sa.Connection, evidence_ids: Collection[str], message_ids: Collection[str]
) -> list[tuple[str, str, str]]:
    """(evidence id, letter number, kind) of what is kept under any of these ids or about any of these letters."""
    found = tx.execute(_ABOUT, {"ids": list(evidence_ids), "letters": list(message_ids)})
    return [(row[0], row[1], row[2]) for row in found]


def evidence_by(tx: sa.Connection, evidence_ids: Collection[str]) -> list[Evidence]:
    """The evidence kept under these ids."""
    return [Evidence(**row._mapping) for row in tx.execute(_BY_ID, {"ids": list(evidence_ids)})]


def add_leaves(tx: sa.Connection, first: int, leaves_: Iterable[tuple[bytes, bytes]]) -> None:
    """Appends (entry, hash) from place `first` on; IntegrityError where another replica was there before."""
    rows = [{"leaf_index": place, "entry": entry, "hash": hash_} for place, (entry, hash_) in enumerate(leaves_, first)]
    tx.execute(sa.insert(leaves), rows)


def add_subtrees(tx: sa.Connection, added: Sequence[tuple[int, int, bytes]]) -> None:
    """Keeps (level, number, hash) of complete subtrees."""
    if rows := [{"level": level, "number": number, "hash": hash_} for level, number, hash_ in added]:
        tx.execute(sa.insert(subtrees), rows)


def add_checkpoint(tx: sa.Connection, head: Head) -> None:
    """Keeps a checkpoint; IntegrityError where there is one of this size."""
    tx.execute(sa.insert(checkpoints), asdict(head))


def add_evidence(tx: sa.Connection, rows: Sequence[Evidence]) -> None:
    """Keeps evidence; IntegrityError where an id, or a letter's evidence of the kind, is there already."""
    tx.execute(sa.insert(evidence), [vars(row) for row in rows])


def entries(tx: sa.Connection, begin: int, end: int) -> list[bytes]:
    """The entries of the leaves from `begin` to before `end`."""
    return list(tx.scalars(_ENTRIES, {"begin": begin, "end": end}))


def hashes(tx: sa.Connection, level: int, begin: int, end: int) -> list[bytes]:
    """The hashes of complete subtrees of 256**level leaves, from number `begin` to before `end`."""
    if level == 0:
        return list(tx.scalars(_LEAVES, {"begin": begin, "end": end}))
    return list(tx.scalars(_SUBTREES, {"level": level, "begin": begin, "end": end}))


def reader(tx: sa.Connection) -> Read:
    """What is kept of the tree, read tile by tile."""
    tiles: dict[tuple[int, int], list[bytes]] = {}

    def read(level: int, number: int) -> bytes | None:
        tile, place = divmod(number, TILE_WIDTH)
        if (level, tile) not in tiles:
            tiles[level, tile] = hashes(tx, level, tile * TILE_WIDTH, (tile + 1) * TILE_WIDTH)
        return tiles[level, tile][place] if place < len(tiles[level, tile]) else None

    return read
