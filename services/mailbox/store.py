"""SQL of mailbox. Every function runs in the caller's transaction `tx`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from services.chassis.database import insert_ignoring
from services.mailbox.notices import MAIL, TELEGRAM
from services.mailbox.schema import contents, counters, evidence, letters, notices
from services.mailbox.workflow import State

Row = sa.RowMapping
ACCEPTANCE, RELAY = 1, 2  # kinds of evidence, as zwrotka.receipts.v1.EventKind numbers them
RECEIPT, ANSWER = 1, 2  # kinds of notices, as zwrotka.mailbox.v1.NoticeKind numbers them


@dataclass(frozen=True)
class NewEvidence:
    """Evidence to be made: its id, what of (letter, kind, time), and the event as it will be attested."""

    evidence_id: str
    number: str
    kind: int
    occurred_at: int
    event: bytes


@dataclass(frozen=True)
class NewLetter:
    """A letter about to be stored: the columns of its row, its bytes, its evidence to be made."""

    columns: dict[str, Any]
    raw: bytes
    evidence: NewEvidence

    @property
    def key(self) -> bytes:
        """What it is unique by."""
        key: bytes = self.columns["deposit_key"]
        return key


def insert_letters(tx: sa.Connection, new: Sequence[NewLetter]) -> dict[bytes, Row]:
    """Stores each letter that is not there yet with its content and its evidence to be made; all as rows by key.

    A crash before the commit leaves nothing: the sender repeats. After it the letter stands, and what is missing
    is found by `pending_evidence`.
    """
    tx.execute(insert_ignoring(tx, letters), [each.columns for each in new])
    found = tx.execute(sa.select(letters).where(letters.c.deposit_key.in_([each.key for each in new]))).mappings()
    rows = {row["deposit_key"]: row for row in found}
    # A letter whose number is not the one just made was there before, and so are its content and evidence.
    fresh = [each for each in new if rows[each.key]["number"] == each.columns["number"]]
    if fresh:
        tx.execute(sa.insert(contents), [{"number": each.columns["number"], "raw": each.raw} for each in fresh])
        add_evidence(tx, [each.evidence for each in fresh])
        for each in fresh:
            if answered := each.columns.get("answers"):
                tx.execute(
                    sa.update(letters)
                    .where(letters.c.number == answered)
                    .values(state=State.ANSWERED, answered_by=each.columns["number"])
                )
    return rows


def add_evidence(tx: sa.Connection, new: Sequence[NewEvidence]) -> None:
    """Notes evidence to be made, one of a kind per letter."""
    tx.execute(insert_ignoring(tx, evidence), [asdict(each) for each in new])


def pending_evidence(
    tx: sa.Connection, *, numbers: Sequence[str] | None = None, before: int | None = None, limit: int = 64
) -> list[Row]:
    """Evidence to be made, joined with its letter (columns e_*): of these letters, or older than `before`."""
    columns = [column.label(f"e_{column.name}") for column in evidence.c]
    query = (
        sa.select(letters, *columns)
        .join_from(evidence, letters)
        .where(evidence.c.done_at.is_(None))
        .order_by(evidence.c.occurred_at)
        .limit(limit)
    )
    if numbers is not None:
        query = query.where(evidence.c.number.in_(numbers))
    if before is not None:
        query = query.where(evidence.c.occurred_at < before)
    return list(tx.execute(query).mappings())


def file_receipts(tx: sa.Connection, made: Sequence[tuple[Row, bytes, bytes]], now: int) -> None:
    """Puts each receipt (row of pending_evidence, xml, proof) on its letter, makes it visible, notes its notice.

    A crash before the commit leaves the evidence pending; receipts returns the same bytes when asked again. Of two
    that file the same receipt the second finds nothing to do.
    """
    wanted = {row["e_evidence_id"]: (row, xml, proof) for row, xml, proof in made}
    still = tx.execute(
        sa.select(evidence.c.evidence_id)
        .where(evidence.c.evidence_id.in_(wanted), evidence.c.done_at.is_(None))
        .order_by(evidence.c.evidence_id)
        .with_for_update()
    ).scalars()
    filed = [wanted[each] for each in still]
    if not filed:
        return
    tx.execute(
        sa.update(evidence)
        .where(evidence.c.evidence_id == sa.bindparam("id"))
        .values(xml=sa.bindparam("new_xml"), tlog_proof=sa.bindparam("new_proof"), done_at=now, event=None),
        [{"id": row["e_evidence_id"], "new_xml": xml, "new_proof": proof} for row, xml, proof in filed],
    )
    accepted = [row for row, _, _ in filed if row["e_kind"] == ACCEPTANCE]
    _show_to_units(tx, [row["number"] for row in accepted if row["unit"]])
    # An answer goes back the way its letter came.
    answered = [row["answers"] for row in accepted if row["to_profile"]]
    ways = sa.select(letters.c.number, letters.c.channel).where(letters.c.number.in_(answered))
    came_by = {row.number: row.channel for row in tx.execute(ways)} if answered else {}
    due = [
        _notice_of(row, came_by.get(row["answers"], row["channel"]), now)
        for row in accepted
        if row["sender_profile"] or row["to_profile"]
    ]
    if due:
        tx.execute(insert_ignoring(tx, notices), due)


def _notice_of(row: Row, channel: str, now: int) -> dict[str, Any]:
    return {
        # One id per letter and kind of evidence, so it serves the notice too.
        "notice_id": row["e_evidence_id"],
        "number": row["number"],
        "kind": ANSWER if row["to_profile"] else RECEIPT,
        "profile_id": row["to_profile"] or row["sender_profile"],
        "carrier": TELEGRAM if channel == TELEGRAM else MAIL,
        "state": "due",
        "due_at": now,
        "attempts": 0,
    }


def _show_to_units(tx: sa.Connection, numbers: Sequence[str]) -> None:
    if not numbers:
        return
    # The counter's row stays locked until the commit: cursors become visible in their order, so that a unit that
    # reads on from the last one it saw misses none, also with several mailboxes on one database.
    last = tx.execute(
        sa.update(counters)
        .where(counters.c.name == "cursor")
        .values(value=counters.c.value + len(numbers))
        .returning(counters.c.value)
    ).scalar_one()
    places = range(last - len(numbers) + 1, last + 1)
    tx.execute(
        sa.update(letters).where(letters.c.number == sa.bindparam("id")).values(cursor=sa.bindparam("place")),
        [{"id": number, "place": place} for number, place in zip(numbers, places, strict=True)],
    )


def letter_by(tx: sa.Connection, number: str) -> Row | None:
    """The letter of that number."""
    return tx.execute(sa.select(letters).where(letters.c.number == number)).mappings().first()


def letters_to(tx: sa.Connection, unit: str, after: int, limit: int) -> list[Row]:
    """Letters to a unit behind a cursor, in order."""
    query = sa.select(letters).where(letters.c.unit == unit, letters.c.cursor > after)
    return list(tx.execute(query.order_by(letters.c.cursor).limit(limit)).mappings())


def letters_from(tx: sa.Connection, profile: str, limit: int) -> list[Row]:
    """A resident's letters, newest first."""
    query = sa.select(letters).where(letters.c.sender_profile == profile)
    return list(tx.execute(query.order_by(letters.c.accepted_at.desc()).limit(limit)).mappings())


def content_of(tx: sa.Connection, number: str) -> bytes:
    """The bytes of a letter as they came."""
    raw: bytes = tx.execute(sa.select(contents.c.raw).where(contents.c.number == number)).scalar_one()
    return raw


def receipts_of(tx: sa.Connection, number: str) -> list[Row]:
    """The evidence that is made of a letter, in order of events."""
    query = sa.select(evidence).where(evidence.c.number == number, evidence.c.done_at.is_not(None))
    return list(tx.execute(query.order_by(evidence.c.occurred_at, evidence.c.kind)).mappings())


def take(tx: sa.Connection, number: str, now: int) -> None:
    """Marks a letter as taken, once. A crash before the commit leaves it untaken: the unit repeats."""
    tx.execute(
        sa.update(letters)
        .where(letters.c.number == number, letters.c.state == State.RECEIVED)
        .values(state=State.TAKEN, taken_at=now)
    )


def lease_notices(tx: sa.Connection, carrier: str, limit: int, now: int, until: int, lease_id: str) -> list[Row]:
    """Hands out due notices with their letter (columns n_*) until `until`.

    A crash before the commit leaves them due; after it, or when the courier dies, they come due again at `until`.
    """
    due = (
        sa.select(notices.c.notice_id)
        .where(notices.c.carrier == carrier, notices.c.state == "due", notices.c.due_at <= now)
        .order_by(notices.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(tx.execute(due).scalars())
    if not ids:
        return []
    tx.execute(
        sa.update(notices)
        .where(notices.c.notice_id.in_(ids))
        .values(lease_id=lease_id, due_at=until, attempts=notices.c.attempts + 1)
    )
    columns = [column.label(f"n_{column.name}") for column in notices.c]
    query = (
        sa.select(letters, *columns, evidence.c.xml, evidence.c.tlog_proof)
        .join_from(notices, letters, notices.c.number == letters.c.number)
        .join(evidence, evidence.c.evidence_id == notices.c.notice_id)
        .where(notices.c.notice_id.in_(ids))
    )
    return list(tx.execute(query).mappings())


def leased_notices(tx: sa.Connection, lease_id: str, ids: Sequence[str]) -> dict[str, Row]:
    """Those of the notices that the lease still holds, by id."""
    query = (
        sa.select(notices)
        .where(notices.c.notice_id.in_(ids), notices.c.lease_id == lease_id, notices.c.state == "due")
        .order_by(notices.c.notice_id)
        .with_for_update()
    )
    return {row["notice_id"]: row for row in tx.execute(query).mappings()}


def settle_notice(tx: sa.Connection, notice_id: str, **values: Any) -> None:
    """Records what became of a leased notice. A crash before the commit leaves it leased: it is told again."""
    tx.execute(sa.update(notices).where(notices.c.notice_id == notice_id).values(lease_id=None, **values))


def hand_to_mail(tx: sa.Connection, before: int) -> None:
    """Gives to the mail what is due to a messenger since `before` and was not fetched: its room is closed.

    A crash before the commit leaves them as they were; the next round finds them.
    """
    unfetched = (notices.c.carrier == TELEGRAM, notices.c.state == "due", notices.c.due_at < before)
    tx.execute(sa.update(notices).where(*unfetched).values(carrier=MAIL))
