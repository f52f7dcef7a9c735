"""The wire of mailbox: messages in and out, and who may call what."""

import threading
import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any

import grpc
from zwrotka.mailbox.v1 import mailbox_pb2 as pb
from zwrotka.mailbox.v1 import mailbox_pb2_grpc

from services.chassis import clock, rpc
from services.chassis.errors import Invalid, NotFound, Refusal, Unavailable
from services.mailbox import letters, notices, parts, reading, store
from services.mailbox.mailroom import Accepted, Mailroom, Row

SERVICE = "zwrotka.mailbox.v1.MailboxService"
_DOOR, _UNIT = frozenset({"frontdoor"}), frozenset({"unit"})
RIGHTS: rpc.Rights = {
    "DepositLetters": _DOOR | _UNIT,
    "ListLetters": _UNIT,
    "WatchLetters": _UNIT,
    "TakeLetter": _UNIT,
    "GetLetter": _UNIT,
    "GetReceipts": _UNIT,
    "ListSentLetters": _DOOR,
    "LeaseNotices": _DOOR,
    "SettleNotices": _DOOR,
}
MAX_DEPOSITS = 64
MAX_STREAMS = 128
PAGE = 50
LOOK_S = 1.0  # how often a stream looks for what another mailbox process filed


class Servicer(mailbox_pb2_grpc.MailboxServiceServicer):
    """MailboxService."""

    def __init__(self, mailroom: Mailroom, contacts: Any) -> None:
        self._mailroom = mailroom
        self._database = mailroom.database
        self._names_of = contacts
        self._streams = threading.BoundedSemaphore(MAX_STREAMS)

    def DepositLetters(
        self, request: pb.DepositLettersRequest, context: grpc.ServicerContext
    ) -> pb.DepositLettersResponse:
        _must_be_between("deposits", len(request.deposits), 1, MAX_DEPOSITS)
        outcomes = self._mailroom.deposit(request.deposits, rpc.caller_of(context).unit)
        return pb.DepositLettersResponse(outcomes=[_outcome(each) for each in outcomes])

    def ListLetters(self, request: pb.ListLettersRequest, context: grpc.ServicerContext) -> pb.ListLettersResponse:
        limit = request.limit or PAGE
        _must_be_between("limit", limit, 1, 200)
        unit = rpc.caller_of(context).unit
        rows = self._database.read(lambda tx: store.letters_to(tx, unit, request.after, limit))
        return pb.ListLettersResponse(
            letters=[_letter(row) for row in rows], next_after=rows[-1]["cursor"] if rows else request.after
        )

    def WatchLetters(
        self, request: pb.WatchLettersRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WatchLettersResponse]:
        unit = rpc.caller_of(context).unit
        if not self._streams.acquire(blocking=False):  # each stream holds a thread
            raise Unavailable("too-many-streams", "Too many units are watching. Nothing is lost: list, or try again.")
        try:
            after = request.after
            while context.is_active() and (context.time_remaining() or 0) > LOOK_S:
                rows = self._database.read(partial(store.letters_to, unit=unit, after=after, limit=PAGE))
                for row in rows:
                    yield pb.WatchLettersResponse(letter=_letter(row))
                    after = row["cursor"]
                if not rows:
                    self._mailroom.arrivals.wait(LOOK_S)
        finally:
            self._streams.release()

    def TakeLetter(self, request: pb.TakeLetterRequest, context: grpc.ServicerContext) -> pb.TakeLetterResponse:
        number, unit = letters.must_be_number(request.number), rpc.caller_of(context).unit

        def take(tx: Any) -> Row:
            _must_hold(store.letter_by(tx, number), unit)
            store.take(tx, number, clock.to_ms(clock.now()))
            return _must_hold(store.letter_by(tx, number), unit)

        return pb.TakeLetterResponse(letter=_letter(self._database.write(take)))

    def GetLetter(self, request: pb.GetLetterRequest, context: grpc.ServicerContext) -> pb.GetLetterResponse:
        number, unit = letters.must_be_number(request.number), rpc.caller_of(context).unit

        def find(tx: Any) -> tuple[Row, bytes]:
            return _must_hold_or_have_sent(store.letter_by(tx, number), unit), store.content_of(tx, number)

        row, raw = self._database.read(find)
        found = parts.split(raw)
        return pb.GetLetterResponse(
            letter=_letter(row),
            sender_name=self._sender_name(row),
            text=reading.text_of(raw, found),
            parts=[_content_part(part, raw) for part in found],
        )

    def GetReceipts(self, request: pb.GetReceiptsRequest, context: grpc.ServicerContext) -> pb.GetReceiptsResponse:
        number, unit = letters.must_be_number(request.number), rpc.caller_of(context).unit

        def find(tx: Any) -> list[Row]:
            _must_hold_or_have_sent(store.letter_by(tx, number), unit)
            return store.receipts_of(tx, number)

        return pb.GetReceiptsResponse(receipts=[_receipt(row["evidence_id"], row) for row in self._database.read(find)])

    def ListSentLetters(
        self, request: pb.ListSentLettersRequest, context: grpc.ServicerContext
    ) -> pb.ListSentLettersResponse:
        limit = request.limit or 10
        _must_be_between("limit", limit, 1, 50)
        (profile,) = self._mailroom.profiles_of([request])
        if isinstance(profile, Refusal):
            raise profile
        rows = self._database.read(lambda tx: store.letters_from(tx, profile, limit))
        return pb.ListSentLettersResponse(letters=[_letter(row) for row in rows])

    def LeaseNotices(self, request: pb.LeaseNoticesRequest, context: grpc.ServicerContext) -> pb.LeaseNoticesResponse:
        _must_be_between("limit", request.limit, 1, MAX_DEPOSITS)
        _must_be_between("lease_s", request.lease_s, 5, 600)
        if request.carrier not in notices.CARRIERS:
            raise Invalid("carrier-unknown", "There is no such carrier.", {"carrier": "unknown"})
        now = clock.to_ms(clock.now())
        until, lease_id = now + request.lease_s * 1000, str(uuid.uuid4())
        rows = self._database.write(
            lambda tx: store.lease_notices(tx, request.carrier, request.limit, now, until, lease_id)
        )
        return pb.LeaseNoticesResponse(lease_id=lease_id, notices=[self._notice(row) for row in rows])

    def SettleNotices(
        self, request: pb.SettleNoticesRequest, context: grpc.ServicerContext
    ) -> pb.SettleNoticesResponse:
        _must_be_between("settlements", len(request.settlements), 1, MAX_DEPOSITS)
        if any(each.result == pb.NOTICE_RESULT_UNSPECIFIED for each in request.settlements):
            raise Invalid("result-missing", "A settlement lacks its result.", {"settlements.result": "missing"})
        self._mailroom.settle(request.lease_id, request.settlements)
        return pb.SettleNoticesResponse()

    def _sender_name(self, row: Row) -> str:
        if row["sender_unit"]:
            return self._mailroom.unit_name(row["sender_unit"])
        return str(self._names_of([row["sender_profile"]]).get(row["sender_profile"], ""))

    def _notice(self, row: Row) -> pb.Notice:
        notice = pb.Notice(
            notice_id=row["n_notice_id"],
            kind=row["n_kind"],
            profile_id=row["n_profile_id"],
            letter=_letter(row),
            receipt=_receipt(row["n_notice_id"], row),
            attempts=row["n_attempts"] - 1,
            enclosures=[each["filename"] for each in row["parts"] if each["filename"]],
        )
        if row["n_kind"] == store.ANSWER:
            raw = self._database.read(lambda tx: store.content_of(tx, row["number"]))
            found = parts.split(raw)
            notice.text = reading.text_of(raw, found)
            notice.attachments.extend(_content_part(part, raw) for part in found if reading.filename_of(part))
        return notice


def _must_be_between(field: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise Invalid("out-of-range", f"{field} must be from {least} to {most}.", {field: f"{least} to {most}"})


def _must_hold(row: Row | None, unit: str) -> Row:
    if row is None or row["unit"] != unit:
        raise NotFound("letter-unknown", "This unit holds no letter of that number.")
    return row


def _must_hold_or_have_sent(row: Row | None, unit: str) -> Row:
    if row is None or unit not in (row["unit"], row["sender_unit"]):
        raise NotFound("letter-unknown", "This unit neither holds nor sent a letter of that number.")
    return row


def _outcome(outcome: Accepted | Refusal) -> pb.DepositOutcome:
    if isinstance(outcome, Refusal):
        return pb.DepositOutcome(error=rpc.packed(outcome))
    row = outcome.row
    acceptance = pb.Acceptance(
        number=row["number"],
        repeated_deposit=outcome.repeated,
        receipt_follows=outcome.receipt_follows,
        due_on=row["due_on"],
        unit=row["unit"],
    )
    acceptance.accepted_at.FromMilliseconds(row["accepted_at"])
    return pb.DepositOutcome(acceptance=acceptance)


def _letter(row: Row) -> pb.Letter:
    letter = pb.Letter(
        number=row["number"],
        cursor=row["cursor"],
        state=row["state"],
        channel=row["channel"],
        unit=row["unit"],
        sender_unit=row["sender_unit"],
        subject=row["subject"],
        due_on=row["due_on"],
        term_rule=row["term_rule"],
        matter=row["matter"],
        answers=row["answers"],
        answered_by=row["answered_by"],
    )
    letter.accepted_at.FromMilliseconds(row["accepted_at"])
    return letter


def _receipt(evidence_id: str, row: Row) -> pb.Receipt:
    return pb.Receipt(evidence_id=evidence_id, xml=row["xml"], tlog_proof=row["tlog_proof"])


def _content_part(part: parts.Part, raw: bytes) -> pb.ContentPart:
    content = part.decoded(raw)
    shown = content
    if part.content_type.startswith("text/") or part.content_type.startswith("message/"):
        # Latin-1 maps every byte to itself: the token is plain ASCII in each charset that mail uses.
        shown = letters.without_token(content.decode("latin-1")).encode("latin-1")
    return pb.ContentPart(
        identifier=part.identifier,
        content_type=part.content_type,
        filename=reading.filename_of(part),
        content=shown,
        sha256=part.digest(raw),
        redacted=shown != content,
    )
