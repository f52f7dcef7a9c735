"""The wire of receipts: messages in and out, and who may call what."""

import hashlib
from datetime import UTC, datetime

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from zwrotka.receipts.v1 import receipts_pb2 as pb
from zwrotka.receipts.v1 import receipts_pb2_grpc

from services.chassis import rpc
from services.chassis.errors import Invalid, Refusal
from services.receipts.evidence import Deadline, Event, Part, Party
from services.receipts.logbook import Asked, Logbook, Receipt

SERVICE = "zwrotka.receipts.v1.ReceiptsService"
RIGHTS: rpc.Rights = {
    "AttestEvents": frozenset({"mailbox"}),
    "GetCheckpoint": frozenset({"frontdoor"}),
    "GetTile": frozenset({"frontdoor"}),
}
MAX_EVENTS = 256
_KINDS = {
    pb.EVENT_KIND_SUBMISSION_ACCEPTANCE: "SubmissionAcceptance",
    pb.EVENT_KIND_RELAY_TO_NON_ERDS: "RelayToNonERDS",
}


class Servicer(receipts_pb2_grpc.ReceiptsServiceServicer):
    """ReceiptsService."""

    def __init__(self, logbook: Logbook) -> None:
        self._logbook = logbook

    def AttestEvents(self, request: pb.AttestEventsRequest, context: grpc.ServicerContext) -> pb.AttestEventsResponse:
        if len(request.events) > MAX_EVENTS:
            raise Invalid("too-many-events", f"At most {MAX_EVENTS} events go into one call. Nothing was kept.")
        read = [_read(event) for event in request.events]
        attested = iter(self._logbook.attest([each for each in read if isinstance(each, Asked)]))
        outcomes = [next(attested) if isinstance(each, Asked) else each for each in read]
        return pb.AttestEventsResponse(outcomes=[_outcome(each) for each in outcomes])

    def GetCheckpoint(
        self, request: pb.GetCheckpointRequest, context: grpc.ServicerContext
    ) -> pb.GetCheckpointResponse:
        return pb.GetCheckpointResponse(checkpoint=self._logbook.checkpoint())

    def GetTile(self, request: pb.GetTileRequest, context: grpc.ServicerContext) -> pb.GetTileResponse:
        return pb.GetTileResponse(tile=self._logbook.tile(request.level, request.index, request.width))


def _read(event: pb.Event) -> Asked | Invalid:
    kind = _KINDS.get(event.kind)
    if kind is None:
        return Invalid("unknown-event", "Events of this kind are not attested. Nothing was kept.")
    try:
        read = Event(
            evidence_id=event.evidence_id,
            kind=kind,
            occurred_at=_time(event.occurred_at),
            submitted_at=_time(event.submitted_at),
            message_id=event.message_id,
            sender=_party(event.sender),
            recipient=_party(event.recipient),
            parts=tuple(Part(each.identifier, each.content_type, each.sha256) for each in event.parts),
            channel=event.channel,
            facts=tuple((each.name, each.value) for each in event.facts),
            deadline=_deadline(event),
            unit=event.unit,
        )
    except Invalid as refusal:
        return refusal
    return Asked(read, hashlib.sha256(event.SerializeToString(deterministic=True)).digest())


def _time(timestamp: Timestamp) -> datetime:
    try:
        if timestamp.seconds > 0:
            return timestamp.ToDatetime(UTC)
    except ValueError:
        pass
    raise Invalid("no-time", "The event lacks the time when it happened or was submitted. Nothing was kept.")


def _party(party: pb.Party) -> Party:
    return Party(party.identifier, party.scheme, party.name)


def _deadline(event: pb.Event) -> Deadline | None:
    if not event.HasField("deadline"):
        return None
    return Deadline(event.deadline.rule, event.deadline.start_on, event.deadline.due_on)


def _outcome(outcome: Receipt | Refusal) -> pb.AttestOutcome:
    if isinstance(outcome, Refusal):
        return pb.AttestOutcome(error=rpc.packed(outcome))
    return pb.AttestOutcome(
        receipt=pb.Receipt(evidence_id=outcome.evidence_id, xml=outcome.xml, tlog_proof=outcome.tlog_proof)
    )
