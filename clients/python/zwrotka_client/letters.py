"""What the mailbox answers, as plain values. Times are aware and UTC, days are Europe/Warsaw."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from google.protobuf.timestamp_pb2 import Timestamp
from zwrotka.mailbox.v1 import mailbox_pb2


class State(StrEnum):
    """Where a letter stands."""

    UNKNOWN = "unknown"  # a state newer than this client
    RECEIVED = "received"
    TAKEN = "taken"
    ANSWERED = "answered"


_STATES = {
    mailbox_pb2.LETTER_STATE_RECEIVED: State.RECEIVED,
    mailbox_pb2.LETTER_STATE_TAKEN: State.TAKEN,
    mailbox_pb2.LETTER_STATE_ANSWERED: State.ANSWERED,
}


@dataclass(frozen=True)
class Acceptance:
    """The letter is stored; nothing more can go wrong for its sender."""

    number: str
    accepted_at: datetime
    repeated: bool  # this very letter was accepted before
    receipt_follows: bool  # the receipt is not made yet; it follows by itself
    due_on: date | None  # last day for the answer
    unit: str  # empty for an answer to a resident
    key: str  # repeats this sending without doubling it


@dataclass(frozen=True)
class Letter:
    """What a list shows of a letter."""

    number: str
    cursor: int  # its place in the unit's stream; 0 while its receipt is not made yet
    state: State
    accepted_at: datetime
    channel: str
    unit: str  # empty for an answer to a resident
    sender_unit: str  # empty for a resident's letter
    subject: str
    due_on: date | None
    term_rule: str
    matter: str
    answers: str
    answered_by: str


@dataclass(frozen=True)
class Part:
    """One decoded part of a letter."""

    identifier: str  # MIME position, as in the evidence
    content_type: str
    filename: str  # empty for text
    content: bytes
    sha256: bytes  # of the bytes as they came, as in the evidence
    redacted: bool  # a token was taken out, so that the digest does not fit the content


@dataclass(frozen=True)
class WholeLetter:
    """A letter with its content."""

    letter: Letter
    sender_name: str
    text: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Receipt:
    """Sealed evidence (dowod-<id>.xml) with its place in the log (dowod-<id>.tlog-proof)."""

    evidence_id: str
    xml: bytes
    tlog_proof: bytes


def acceptance_of(message: mailbox_pb2.Acceptance, key: str) -> Acceptance:
    """From the wire."""
    return Acceptance(
        number=message.number,
        accepted_at=_moment(message.accepted_at),
        repeated=message.repeated_deposit,
        receipt_follows=message.receipt_follows,
        due_on=_day(message.due_on),
        unit=message.unit,
        key=key,
    )


def letter_of(message: mailbox_pb2.Letter) -> Letter:
    """From the wire."""
    return Letter(
        number=message.number,
        cursor=message.cursor,
        state=_STATES.get(message.state, State.UNKNOWN),
        accepted_at=_moment(message.accepted_at),
        channel=message.channel,
        unit=message.unit,
        sender_unit=message.sender_unit,
        subject=message.subject,
        due_on=_day(message.due_on),
        term_rule=message.term_rule,
        matter=message.matter,
        answers=message.answers,
        answered_by=message.answered_by,
    )


def whole_letter_of(message: mailbox_pb2.GetLetterResponse) -> WholeLetter:
    """From the wire."""
    parts = tuple(
        Part(each.identifier, each.content_type, each.filename, each.content, each.sha256, each.redacted)
        for each in message.parts
    )
    return WholeLetter(letter_of(message.letter), message.sender_name, message.text, parts)


def receipt_of(message: mailbox_pb2.Receipt) -> Receipt:
    """From the wire."""
    return Receipt(message.evidence_id, message.xml, message.tlog_proof)


def _moment(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(tzinfo=UTC)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
