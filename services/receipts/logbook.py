"""How evidence is made: sealed, given its place in the log, signed for, kept; all or nothing."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
import structlog

from services.chassis import clock
from services.chassis.database import Database
from services.chassis.errors import AlreadyExists, Invalid, NotFound, Refusal, Unavailable
from services.receipts import evidence, log, store
from services.receipts.checkpoint import Checkpoint, LogKey, proof
from services.receipts.evidence import Event, Issuer
from services.receipts.seal import Seal

MAX_SKEW_MS = 1000  # replicas' clocks differ by less
MAX_LEVEL = 5
ENTRIES = -1
HASH_BYTES = 32
logger = structlog.get_logger()


@dataclass(frozen=True)
class Asked:
    """An event to attest, and the SHA-256 of how it was asked for: the same again must be the same."""

    event: Event
    digest: bytes


@dataclass(frozen=True)
class Receipt:
    """Sealed evidence and its proof: the same bytes however often it is asked for."""

    evidence_id: str
    xml: bytes
    tlog_proof: bytes


@dataclass(frozen=True)
class _Draft:
    """Sealed evidence that has no place in the log yet."""

    event: Event
    digest: bytes
    xml: bytes
    salt: bytes
    entry: bytes


class Logbook:
    """The evidence and its log. Any number of replicas may share one database."""

    def __init__(
        self,
        database: Database,
        issuer: Issuer,
        seal: Seal,
        key: LogKey,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._database = database
        self._issuer = issuer
        self._seal = seal
        self._key = key
        self._now = now
        self._opened: tuple[bytes, Checkpoint] | None = None

    def must_be_whole(self) -> None:
        """Raises ValueError where the log kept here is not this key's, or its right edge does not give its root."""

        def check(tx: sa.Connection) -> None:
            if head := store.newest_checkpoint(tx):
                root = self._key.opened(head.note).root
                try:
                    computed = log.Tree(store.reader(tx)).hash(0, head.size)
                except LookupError as error:
                    raise ValueError(f"the log is damaged: {error}") from error
                if root != computed:
                    raise ValueError("the log is damaged: its leaves do not give the root that was signed")

        self._database.read(check)

    def attest(self, asked: Sequence[Asked]) -> list[Receipt | Refusal]:
        """A receipt for each event, or why there is none, in order."""
        now = self._now()
        self._seal.must_be_valid(now)
        drafts = [self._draft(each, now) for each in asked]
        whole = [each for each in drafts if isinstance(each, _Draft)]
        # One transaction. A crash before its commit leaves nothing, and the caller asks again; a crash after it leaves
        # everything, and asked again the caller gets these very bytes.
        logged = iter(self._database.write(lambda tx: self._append(tx, whole)) if whole else [])
        return [next(logged) if isinstance(each, _Draft) else each for each in drafts]

    def checkpoint(self) -> bytes:
        """The newest checkpoint as a signed note."""
        head = self._database.read(store.newest_checkpoint)
        return head.note if head else self._key.signed(Checkpoint(0, log.EMPTY_ROOT))

    def tile(self, level: int, index: int, width: int) -> bytes:
        """A tile, or with level -1 a bundle of entries, as tlog-tiles serves it; NotFound beyond the checkpoint."""
        if not (ENTRIES <= level <= MAX_LEVEL and index >= 0 and 1 <= width <= log.TILE_WIDTH):
            raise Invalid("no-such-tile", "Tiles have levels -1 to 5, an index from 0 and 1 to 256 hashes.")

        def read(tx: sa.Connection) -> bytes:
            head = store.newest_checkpoint(tx)
            begin = index * log.TILE_WIDTH
            end = begin + width
            if head is None or end > head.size // log.TILE_WIDTH ** max(level, 0):
                raise NotFound("no-such-tile", "The log is not that large yet.")
            if level == ENTRIES:
                return b"".join(len(each).to_bytes(2, "big") + each for each in store.entries(tx, begin, end))
            return b"".join(store.hashes(tx, level, begin, end))

        return self._database.read(read)

    def _draft(self, asked: Asked, now: datetime) -> _Draft | Invalid:
        try:
            evidence.must_be_attestable(asked.event)
        except Invalid as refusal:
            return refusal
        xml = self._seal.sealed(evidence.evidence_of(asked.event, self._issuer), now)
        salt = secrets.token_bytes(16)
        return _Draft(asked.event, asked.digest, xml, salt, evidence.entry_of(asked.event, xml, salt))

    def _append(self, tx: sa.Connection, drafts: Sequence[_Draft]) -> Sequence[Receipt | Refusal]:
        store.take_turn(tx)
        ids = {each.event.evidence_id for each in drafts}
        about = store.evidence_about(tx, ids, {each.event.message_id for each in drafts})
        holders = {(message_id, kind): evidence_id for evidence_id, message_id, kind in about}
        known = {evidence_id for evidence_id, _, _ in about}
        kept = {row.evidence_id: row for row in store.evidence_by(tx, ids & known)} if ids & known else {}
        fresh: dict[str, _Draft] = {}
        for each in drafts:
            evidence_id, holds = each.event.evidence_id, (each.event.message_id, each.event.kind)
            if evidence_id not in kept and evidence_id not in fresh and holds not in holders:
                fresh[evidence_id] = each
                holders[holds] = evidence_id
        if fresh:
            kept |= self._grow(tx, list(fresh.values()))
        return [_answer(each, kept) for each in drafts]

    def _grow(self, tx: sa.Connection, drafts: Sequence[_Draft]) -> dict[str, store.Evidence]:
        head = store.newest_checkpoint(tx)
        size, edge, last_ms = (head.size, head.edge, head.made_at) if head else (0, b"", 0)
        now_ms = clock.to_ms(self._now())
        if now_ms < last_ms - MAX_SKEW_MS:
            logger.error("clock-behind-log", behind_ms=last_ms - now_ms)
        # Time in the log moves forward only, whatever the clock does.
        made_at = max(now_ms, last_ms + 1)
        hashes = [log.leaf_hash(each.entry) for each in drafts]
        store.add_leaves(tx, size, zip((each.entry for each in drafts), hashes, strict=True))
        grown = size + len(drafts)
        # What is about to be signed is what storage has, not what memory had (the Yeti 2022 log died of one bit).
        if [log.leaf_hash(entry) for entry in store.entries(tx, size, grown)] != hashes:
            raise _damaged("leaves-differ", size)
        staged = dict(enumerate(hashes, size))
        tree = log.Tree(lambda level, number: None if level else staged[number], _spans(size, edge))
        if head and tree.hash(0, size) != self._open(head.note).root:
            raise _damaged("edge-differs", size)
        checkpoint = Checkpoint(grown, tree.hash(0, grown))
        note = self._key.signed(checkpoint)
        new_edge = b"".join(tree.hash(*span) for span in log.edge_spans(grown))
        store.add_subtrees(tx, [(*each, tree.hash(*_span(*each))) for each in log.completed(size, grown)])
        store.add_checkpoint(tx, store.Head(grown, note, new_edge, made_at))
        rows = [
            store.Evidence(
                evidence_id=each.event.evidence_id,
                message_id=each.event.message_id,
                kind=each.event.kind,
                digest=each.digest,
                leaf_index=index,
                salt=each.salt,
                xml=each.xml,
                tlog_proof=proof(each.entry, index, tree.inclusion(index, grown), note),
                made_at=made_at,
            )
            for index, each in enumerate(drafts, size)
        ]
        store.add_evidence(tx, rows)
        self._opened = (note, checkpoint)
        return {row.evidence_id: row for row in rows}

    def _open(self, note: bytes) -> Checkpoint:
        # A signature is checked once; that the note is ours stays true even if the transaction is undone.
        if self._opened is None or self._opened[0] != note:
            try:
                self._opened = (note, self._key.opened(note))
            except ValueError as error:
                raise _damaged("not-our-checkpoint", 0) from error
        return self._opened[1]


def _answer(draft: _Draft, kept: Mapping[str, store.Evidence]) -> Receipt | Refusal:
    row = kept.get(draft.event.evidence_id)
    if row is None:
        return AlreadyExists("letter-has-evidence", "This letter has evidence of this event under another id.")
    if row.digest != draft.digest:
        return AlreadyExists("evidence-differs", "This evidence id is kept with a different event.")
    return Receipt(row.evidence_id, row.xml, row.tlog_proof)


def _spans(size: int, edge: bytes) -> dict[log.Span, bytes]:
    starts = range(0, len(edge), HASH_BYTES)
    return dict(zip(log.edge_spans(size), (edge[start : start + HASH_BYTES] for start in starts), strict=True))


def _span(level: int, number: int) -> log.Span:
    width = log.TILE_WIDTH**level
    return number * width, (number + 1) * width


def _damaged(what: str, size: int) -> Unavailable:
    logger.critical("log-damaged", what=what, size=size)
    return Unavailable("log-damaged", "The log does not fit what was signed. Nothing was kept; nothing more is signed.")
