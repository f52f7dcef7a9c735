"""`make books`: re-reads everything in a home, running or stopped, and says what does not add up.

Reads the tables alone and shares no code with the services, so that it cannot repeat their mistakes.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from services.chassis.settings import Settings, SettingsError
from services.house import leaks
from services.house.ledger import Auditor, Ledger, digest_of
from services.house.snapshot import rows, snapshot

# Kinds of notices, a letter's state, kinds of evidence, as the protos number them.
_RECEIPT, _ANSWER = 1, 2
_ANSWERED = 3
_EVENTS = {1: "SubmissionAcceptance", 2: "RelayToNonERDS"}
_LETTERS = """
    SELECT l.number, l.content_sha256, l.unit, l.to_profile, l.sender_profile, l.sender_unit, l.cursor, l.answers,
        l.due_on, c.raw, a.state AS answered_state, a.answered_by,
        (SELECT count(*) FROM evidence e WHERE e.number = l.number AND e.kind = 1) AS acceptances,
        (SELECT max(e.done_at) FROM evidence e WHERE e.number = l.number AND e.kind = 1) AS done_at
    FROM letters l LEFT JOIN contents c ON c.number = l.number LEFT JOIN letters a ON a.number = l.answers
"""
_EVIDENCE = """
    SELECT e.evidence_id, e.number, e.kind, e.done_at, e.xml, e.tlog_proof, l.content_sha256
    FROM evidence e JOIN letters l ON l.number = e.number
"""
_NOTICES = """
    SELECT l.number, l.sender_profile, l.to_profile, e.done_at, n.kind, n.profile_id, n.state,
        (SELECT count(*) FROM notices m WHERE m.number = l.number) AS notices,
        (SELECT count(*) FROM evidence r WHERE r.number = l.number AND r.kind = 2) AS relays
    FROM letters l JOIN evidence e ON e.number = l.number AND e.kind = 1 LEFT JOIN notices n ON n.number = l.number
"""


@dataclass
class Count:
    """What was read."""

    letters: int = 0
    receipts: int = 0
    pending: int = 0
    notices: int = 0


class Books:
    """A home's books. Kept from one reading to the next they verify only the receipts that are new."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._auditor = Auditor(settings.home_path)
        self.count = Count()

    def complaints(self) -> list[str]:
        """What does not add up; empty when all is in order."""
        return list(self._read())

    def _read(self) -> Iterator[str]:
        self.count = Count()
        # A running house goes on meanwhile. A letter is stored before it is attested and attested before its receipt
        # is filed: what the log held first must be known to mailbox then, what mailbox has filed to the log after.
        before, after = Ledger(), Ledger()
        with snapshot(self._settings, "receipts") as tx:
            yield from self._auditor.audit(tx, before)
        with snapshot(self._settings, "mailbox") as tx:
            filed = dict(self._evidence(tx))
            yield from _letters(tx, self.count)
            yield from self._notices(tx)
        with snapshot(self._settings, "receipts") as tx:
            list(self._auditor.audit(tx, after))
        yield from _unfiled(before, filed)
        yield from _unattested(filed, after)
        yield from leaks.found_in(self._settings.home_path / "logs")

    def _evidence(self, tx: sa.Connection) -> Iterator[tuple[str, "_Filed"]]:
        for row in rows(tx, _EVIDENCE):
            digest = digest_of(row.xml, row.tlog_proof) if row.done_at is not None else None
            self.count.receipts += digest is not None
            self.count.pending += digest is None
            yield row.evidence_id, _Filed(row.number, row.kind, digest, bytes(row.content_sha256).hex())

    def _notices(self, tx: sa.Connection) -> Iterator[str]:
        for row in rows(tx, _NOTICES):
            told = row.to_profile or row.sender_profile
            due = int(bool(told) and row.done_at is not None)
            self.count.notices += row.notices
            if row.notices != due:
                yield f"letter {row.number} has {row.notices} notices, and {due} due"
            elif due and (row.kind, row.profile_id) != (_ANSWER if row.to_profile else _RECEIPT, told):
                yield f"the notice of letter {row.number} is of another kind, or for somebody else"
            if row.relays != (row.kind == _ANSWER and row.state == "sent"):
                yield f"letter {row.number} has {row.relays} pieces of evidence of its relay, its notice is {row.state}"


@dataclass(frozen=True)
class _Filed:
    """Evidence as mailbox has it; `digest` is None while it is pending, `content` the letter's SHA-256."""

    letter: str
    kind: int
    digest: bytes | None
    content: str


def _letters(tx: sa.Connection, count: Count) -> Iterator[str]:
    for row in rows(tx, _LETTERS):
        count.letters += 1
        if row.raw is None:
            yield f"letter {row.number} has lost its content"
        elif hashlib.sha256(row.raw).digest() != bytes(row.content_sha256):
            yield f"the content of letter {row.number} is not what came"
        if row.acceptances != 1:
            yield f"letter {row.number} has {row.acceptances} receipts, made or pending"
        if bool(row.unit) == bool(row.to_profile) or bool(row.sender_unit) == bool(row.sender_profile):
            yield f"letter {row.number} has not one sender and one addressee"
        if (row.cursor is not None) != (bool(row.unit) and row.done_at is not None):
            yield f"letter {row.number} is shown to a unit before its receipt, or not after it"
        if row.answers and (row.answered_state != _ANSWERED or not row.answered_by):
            yield f"letter {row.answers} was answered by {row.number} and does not say so"
        if bool(row.due_on) != bool(row.sender_profile):
            yield f"letter {row.number} is a resident's and has no term, or a unit's and has one"


def _unfiled(ledger: Ledger, filed: dict[str, _Filed]) -> Iterator[str]:
    for evidence_id, entry in ledger.receipts.items():
        known = filed.get(evidence_id)
        if known is None:
            yield f"the log has evidence {evidence_id} of letter {entry.letter}, which mailbox does not know"
        elif (known.letter, _EVENTS.get(known.kind), known.content) != (entry.letter, entry.event, entry.content):
            yield f"evidence {evidence_id} attests another letter, event or content than mailbox keeps"


def _unattested(filed: dict[str, _Filed], ledger: Ledger) -> Iterator[str]:
    for evidence_id, known in filed.items():
        if known.digest is None:
            continue
        entry = ledger.receipts.get(evidence_id)
        if entry is None:
            yield f"letter {known.letter} has a receipt, {evidence_id}, that the log does not have"
        elif entry.digest != known.digest:
            yield f"the receipt {evidence_id} of letter {known.letter} is not the one in the log"


def check_books(settings: Settings) -> list[str]:
    """What does not add up in a home; empty when all is in order."""
    return Books(settings).complaints()


def show(settings: Settings) -> int:
    """Reads the books and prints what is found; the exit code."""
    if not (settings.home_path / "keys" / "log.vkey").exists():
        raise SettingsError(f"There is no house in {settings.home_path}. Make one: make run")
    books = Books(settings)
    complaints = books.complaints()
    count = books.count
    print(f"{count.letters} letters, {count.receipts} receipts verified, {count.pending} to be made")
    print(f"{count.notices} notices; the log re-computed from its first entry")
    for complaint in complaints:
        print(f"WRONG: {complaint}")
    print("All in order." if not complaints else f"{len(complaints)} complaints.")
    return 1 if complaints else 0
