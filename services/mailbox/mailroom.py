"""The work that crosses services. The order of commits here is the promise: stored, attested, told."""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from zwrotka.identity.v1 import identity_pb2 as identity
from zwrotka.mailbox.v1 import mailbox_pb2 as pb
from zwrotka.receipts.v1 import receipts_pb2 as receipts

from services.chassis import clock, rpc
from services.chassis.city import City
from services.chassis.database import Database
from services.chassis.errors import AlreadyExists, Invalid, NotFound, Refusal, Unauthenticated, Unavailable
from services.mailbox import letters, matters, notices, parts, reading, store, workflow

log = structlog.get_logger()
Row = store.Row
IDENTITY_TIMEOUT_S = 5.0
RECEIPTS_TIMEOUT_S = 8.0


@dataclass(frozen=True)
class Accepted:
    """A letter that is stored: its row, whether it was there before, whether its receipt is still to come."""

    row: Row
    repeated: bool
    receipt_follows: bool


@dataclass(frozen=True)
class _Draft:
    """A letter read and found acceptable; what depends on the store is still open."""

    sender_profile: str | None
    sender_unit: str | None
    unit: str
    answers: str
    key: str
    keyed: bool  # by its sender, not by its content
    raw: bytes
    columns: dict[str, Any]


class Mailroom:
    """Accepts letters and settles notices, asking identity and receipts. Never calls them inside a transaction."""

    def __init__(self, database: Database, city: City, authenticate: Callable[..., Any], attest: Callable[..., Any]):
        self.database = database
        self.city = city
        self.matters = matters.declared(city.matters)
        self._authenticate = authenticate
        self._attest = attest
        self.arrivals = Arrivals()

    def deposit(self, deposits: Sequence[pb.Deposit], unit: str) -> list[Accepted | Refusal]:
        """Accepts letters from `unit`, or, when that is "", from the residents whose credentials they carry.

        One outcome for each, in order. Raises Unavailable when nothing is known of any: the senders repeat.
        """
        senders = [unit] * len(deposits) if unit else self.profiles_of(deposits)
        drafts = [self._draft(deposit, sender, unit) for deposit, sender in zip(deposits, senders, strict=True)]
        # A crash up to here leaves nothing; the sender has no answer and repeats.
        stored = self.database.write(lambda tx: self._store(tx, drafts))
        # The letters are stored. From here on no error may reach a sender; a crash leaves the evidence pending,
        # and the sender, who has no answer, repeats and meets the letter under its key.
        accepted = [each for each in stored if isinstance(each, Accepted)]
        waiting = self.make_receipts([each.row["number"] for each in accepted]) if accepted else set()
        for each in accepted:
            log.info("letter-accepted", number=each.row["number"], repeated=each.repeated, channel=each.row["channel"])
        return [
            Accepted(each.row, each.repeated, each.row["number"] in waiting) if isinstance(each, Accepted) else each
            for each in stored
        ]

    def make_receipts(self, numbers: Sequence[str]) -> set[str]:
        """Makes the pending evidence of these letters; the numbers of those that have to wait for it."""
        try:
            rows = self.database.read(lambda tx: store.pending_evidence(tx, numbers=numbers))
            return {row["number"] for row in rows} - self._attest_and_file(rows) if rows else set()
        except Unavailable as trouble:
            log.warning("receipts-follow", reason=trouble.reason, letters=len(numbers))
            return set(numbers)

    def make_late_receipts(self, before: int) -> int:
        """Makes evidence pending since `before` (ms), some at a time; how many. Raises Unavailable."""
        rows = self.database.read(lambda tx: store.pending_evidence(tx, before=before))
        return len(self._attest_and_file(rows)) if rows else 0

    def hand_to_mail(self, before: int) -> None:
        """Has the mail carry what a messenger was to carry and did not fetch since `before` (ms)."""
        self.database.write(lambda tx: store.hand_to_mail(tx, before))

    def _attest_and_file(self, rows: Sequence[Row]) -> set[str]:
        # The event was put down with the letter: asked again, after a change of profile or program, it is the same.
        request = receipts.AttestEventsRequest(events=[receipts.Event.FromString(row["e_event"]) for row in rows])
        answer = rpc.call(self._attest, request, timeout_s=RECEIPTS_TIMEOUT_S)
        # A crash here leaves the evidence in the log and pending with us; asked again, receipts returns the same.
        made = []
        for row, outcome in zip(rows, answer.outcomes, strict=True):
            if outcome.error:
                log.error("not-attested", number=row["number"], reason=rpc.unpacked(outcome.error).reason)
            else:
                made.append((row, outcome.receipt.xml, outcome.receipt.tlog_proof))
        self.database.write(lambda tx: store.file_receipts(tx, made, clock.to_ms(clock.now())))
        self.arrivals.announce()
        return {row["number"] for row, _, _ in made}

    def settle(self, lease_id: str, settlements: Sequence[pb.Settlement]) -> None:
        """Records what became of leased notices; that an answer left for the relay is attested."""
        now = clock.to_ms(clock.now())
        # A crash before this commit leaves the notices leased: they are told again, with the same Message-ID.
        relayed = self.database.write(lambda tx: self._settle(tx, lease_id, settlements, now))
        # A crash here leaves the evidence pending; rounds make it.
        if relayed:
            self.make_receipts(relayed)

    def profiles_of(self, requests: Sequence[pb.Deposit | pb.ListSentLettersRequest]) -> list[str | Refusal]:
        """The profile ids of those whose credentials these are."""
        credentials = []
        for each in requests:
            if not each.WhichOneof("credential"):
                raise Unauthenticated("no-credential", "The request says not who sends it. Nothing was kept.")
            chat = identity.ChatAccount(channel=each.chat.channel, account=each.chat.account)
            credentials.append(identity.Credential(token=each.token) if each.token else identity.Credential(chat=chat))
        request = identity.AuthenticateSendersRequest(credentials=credentials)
        answer = rpc.call(self._authenticate, request, timeout_s=IDENTITY_TIMEOUT_S)
        return [rpc.unpacked(each.error) if each.error else each.sender.profile_id for each in answer.outcomes]

    def _draft(self, deposit: pb.Deposit, sender: str | Refusal, unit: str) -> _Draft | Refusal:
        if isinstance(sender, Refusal):
            return sender
        try:
            letters.must_be_acceptable(deposit.content)
            channel = letters.must_be_channel(deposit.channel or "grpc")
            facts = letters.must_be_facts([(each.name, each.value) for each in deposit.facts])
            matter = matters.matter_by(deposit.matter, self.matters)
            answers = letters.must_be_number(deposit.answers) if deposit.answers else ""
            if not answers and deposit.unit not in self.city.units:
                raise NotFound("unit-unknown", "The city has no such unit. Nothing was kept.", {"unit": "unknown"})
            if answers and not unit:
                raise Invalid("answers-by-units-only", "Only a unit answers a letter. Nothing was kept.")
        except Refusal as refusal:
            return refusal
        raw = deposit.content
        headers, body = parts.headers_of(raw)
        found = parts.split(raw)
        digest = hashlib.sha256(raw).digest()
        whole = {"identifier": "letter.eml", "content_type": "message/rfc822", "sha256": digest.hex(), "filename": ""}
        columns = {
            "content_sha256": digest,
            "channel": channel,
            "matter": matter.code,
            "subject": reading.subject_of(headers),
            "facts": facts,
            "parts": [whole, *(_described(part, raw) for part in found)],
            "answers": answers or None,
        }
        return _Draft(
            sender_profile=None if unit else sender,
            sender_unit=unit or None,
            unit="" if answers else deposit.unit,
            answers=answers,
            key=deposit.key or letters.content_key(headers, raw[body:]),
            keyed=bool(deposit.key),
            raw=raw,
            columns=columns,
        )

    def _store(self, tx: sa.Connection, drafts: Sequence[_Draft | Refusal]) -> list[Accepted | Refusal]:
        now = clock.now()  # the moment of filing: that of the durable commit
        planned: list[store.NewLetter | Refusal] = []
        for draft in drafts:
            try:
                planned.append(draft if isinstance(draft, Refusal) else self._new_letter(tx, draft, now))
            except Refusal as refusal:
                planned.append(refusal)
        new = [each for each in planned if isinstance(each, store.NewLetter)]
        rows = store.insert_letters(tx, new) if new else {}
        seen: set[str] = set()
        outcomes: list[Accepted | Refusal] = []
        for draft, each in zip(drafts, planned, strict=True):
            if isinstance(each, Refusal):
                outcomes.append(each)
                continue
            row = rows[each.key]
            repeated = row["number"] != each.columns["number"] or row["number"] in seen
            seen.add(row["number"])
            if isinstance(draft, _Draft) and draft.keyed and row["content_sha256"] != each.columns["content_sha256"]:
                outcomes.append(_other_content())
            else:
                outcomes.append(Accepted(row, repeated, receipt_follows=False))
        return outcomes

    def _new_letter(self, tx: sa.Connection, draft: _Draft, now: datetime) -> store.NewLetter:
        to_profile = None
        if draft.answers:
            answered = store.letter_by(tx, draft.answers)
            if answered is None:
                raise NotFound("letter-unknown", "There is no such letter to answer. Nothing was kept.")
            workflow.must_be_answerable(answered["unit"], draft.sender_unit or "", answered["sender_profile"])
            to_profile = answered["sender_profile"]
        term = None
        if draft.sender_profile:
            term = self.matters[draft.columns["matter"]].term_from(clock.day_of(now))
        sender = draft.sender_profile or f"unit:{draft.sender_unit}"
        columns = draft.columns | {
            "number": letters.new_number(),
            "deposit_key": letters.deposit_key(sender, draft.unit or draft.answers, draft.key),
            "sender_profile": draft.sender_profile,
            "sender_unit": draft.sender_unit,
            "unit": draft.unit or None,
            "to_profile": to_profile,
            "state": workflow.State.RECEIVED,
            "accepted_at": clock.to_ms(now),
            "term_rule": term.rule if term else None,
            "start_on": term.start_on.isoformat() if term else None,
            "due_on": term.due_on.isoformat() if term else None,
        }
        return store.NewLetter(columns, draft.raw, self._evidence(columns, store.ACCEPTANCE, columns["accepted_at"]))

    def _settle(self, tx: sa.Connection, lease_id: str, settlements: Sequence[pb.Settlement], now: int) -> list[str]:
        held = store.leased_notices(tx, lease_id, [each.notice_id for each in settlements])
        relayed = []
        for each in settlements:
            row = held.get(each.notice_id)
            if row is None:
                log.warning("lease-lost", notice=each.notice_id)
                continue
            result = notices.Result(each.result)
            reply, relay = letters.without_token(each.reply)[:500], each.relay[:255]
            columns = notices.settled(result, row["carrier"], row["attempts"], now)
            store.settle_notice(tx, each.notice_id, reply=reply, relay=relay, **columns)
            letter = store.letter_by(tx, row["number"]) if row["kind"] == store.ANSWER else None
            if letter and result is notices.Result.SENT:
                facts = {"relay": relay, "relay-reply": reply}
                store.add_evidence(tx, [self._evidence(dict(letter), store.RELAY, now, facts)])
                relayed.append(letter["number"])
        return relayed

    def _evidence(
        self, row: Mapping[str, Any], kind: int, occurred_at: int, facts: Mapping[str, str] | None = None
    ) -> store.NewEvidence:
        event = receipts.Event(
            evidence_id=letters.new_evidence_id(occurred_at),
            kind=receipts.EventKind.ValueType(kind),
            message_id=row["number"],
            sender=self._party(row["sender_profile"], row["sender_unit"]),
            recipient=self._party(row["to_profile"], row["unit"]),
            parts=[
                receipts.Part(
                    identifier=each["identifier"],
                    content_type=each["content_type"],
                    sha256=bytes.fromhex(each["sha256"]),
                )
                for each in row["parts"]
            ],
            channel=row["channel"],
            facts=[receipts.Fact(name=name, value=value) for name, value in (row["facts"] | (facts or {})).items()],
            unit=row["unit"] or row["sender_unit"],
        )
        event.occurred_at.FromMilliseconds(occurred_at)
        event.submitted_at.FromMilliseconds(row["accepted_at"])
        if row["term_rule"]:
            event.deadline.rule = row["term_rule"]
            event.deadline.start_on = row["start_on"]
            event.deadline.due_on = row["due_on"]
        return store.NewEvidence(event.evidence_id, row["number"], kind, occurred_at, event.SerializeToString())

    def _party(self, profile: str | None, unit: str | None) -> receipts.Party:
        if profile:
            return receipts.Party(identifier=f"urn:uuid:{profile}", scheme="profile")
        code = unit or ""
        return receipts.Party(identifier=self.city.spiffe_of_unit(code), scheme="unit", name=self.unit_name(code))

    def unit_name(self, code: str) -> str:
        """A unit's name; its code where the profile no longer declares it."""
        return self.city.units[code].name if code in self.city.units else code


class Arrivals:
    """Wakes those who wait for new letters in this process; what another process filed is found by looking."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def announce(self) -> None:
        """Wakes all who wait."""
        with self._changed:
            self._changed.notify_all()

    def wait(self, timeout_s: float) -> None:
        """Waits until something was announced, or the time is over."""
        with self._changed:
            self._changed.wait(timeout_s)


def _described(part: parts.Part, raw: bytes) -> dict[str, str]:
    return {
        "identifier": part.identifier,
        "content_type": part.content_type,
        "sha256": part.digest(raw).hex(),
        "filename": reading.filename_of(part),
    }


def _other_content() -> Refusal:
    return AlreadyExists(
        "key-taken", "Another letter was sent with this key before; it stands. Send this one with a key of its own."
    )
