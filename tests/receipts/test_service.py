"""The service as it runs: a process, mutual TLS, a database in a file."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import sqlalchemy as sa
from zwrotka.receipts.v1 import receipts_pb2 as pb
from zwrotka.receipts.v1.receipts_pb2_grpc import ReceiptsServiceStub

from services.chassis import migrate, rpc
from services.chassis.errors import AlreadyExists, Forbidden, Invalid, NotFound, Refusal
from services.receipts.checkpoint import LogKey
from services.receipts.servicer import RIGHTS
from tests.ports import free_port
from tests.receipts import people

ROOT = Path(__file__).parents[2]


class Service:
    """Receipts in a process of its own, on a home made for the test."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.process: subprocess.Popen[str] | None = None
        self._channels: dict[str, grpc.Channel] = {}

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "services.receipts"],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": ".:protos",
                "ZWROTKA_HOME": str(self.home),
                "ZWROTKA_RECEIPTS_PORT": str(self.port),
            },
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_ready(self) -> None:
        grpc.channel_ready_future(self.channel("mailbox")).result(timeout=60)

    def stop(self, *, kill: bool = False) -> None:
        if self.process is not None:
            (self.process.kill if kill else self.process.terminate)()
            self.process.communicate(timeout=60)
            self.process = None

    def channel(self, caller: str) -> grpc.Channel:
        if caller not in self._channels:
            certificate = self.home / f"certificates/{caller}.pem"
            self._channels[caller] = rpc.channel(f"127.0.0.1:{self.port}", certificate)
        return self._channels[caller]

    def stub(self, caller: str) -> ReceiptsServiceStub:
        return ReceiptsServiceStub(self.channel(caller))

    def attest(self, *events: pb.Event, caller: str = "mailbox") -> list[pb.Receipt | Refusal]:
        answer = rpc.call(self.stub(caller).AttestEvents, pb.AttestEventsRequest(events=events), timeout_s=10)
        return [each.receipt if each.HasField("receipt") else rpc.unpacked(each.error) for each in answer.outcomes]

    def checkpoint(self) -> bytes:
        return rpc.call(self.stub("frontdoor").GetCheckpoint, pb.GetCheckpointRequest(), timeout_s=10).checkpoint

    def tile(self, level: int, index: int, width: int) -> bytes:
        request = pb.GetTileRequest(level=level, index=index, width=width)
        return rpc.call(self.stub("frontdoor").GetTile, request, timeout_s=10).tile


def migrated(home: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{home}/data/receipts.sqlite3")
    with engine.begin() as tx:
        migrate.upgrade("receipts", tx)
    engine.dispose()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    home = people.make_home(tmp_path, people.Authority())
    migrated(home)
    service = Service(home)
    service.start()
    service.wait_ready()
    yield service
    service.stop()


def wire(number: int = 1) -> pb.Event:
    event = people.event(number)
    message = pb.Event(
        evidence_id=event.evidence_id,
        kind=pb.EVENT_KIND_SUBMISSION_ACCEPTANCE,
        message_id=event.message_id,
        sender=pb.Party(identifier=event.sender.identifier, scheme=event.sender.scheme),
        recipient=pb.Party(identifier=event.recipient.identifier, scheme="unit", name=event.recipient.name),
        parts=[pb.Part(identifier=p.identifier, content_type=p.content_type, sha256=p.sha256) for p in event.parts],
        channel=event.channel,
        facts=[pb.Fact(name=name, value=value) for name, value in event.facts],
        deadline=pb.Deadline(rule="art. 35 § 3 k.p.a.", start_on="2026-11-25", due_on="2026-12-28"),
        unit=event.unit,
    )
    message.occurred_at.FromDatetime(event.occurred_at)
    message.submitted_at.FromDatetime(event.submitted_at)
    return message


def receipt(outcome: pb.Receipt | Refusal) -> pb.Receipt:
    assert isinstance(outcome, pb.Receipt), outcome
    return outcome


def test_an_event_gets_a_receipt_and_the_same_bytes_after_a_kill(service: Service) -> None:
    first = receipt(service.attest(wire())[0])
    assert first.xml.startswith(b"<?xml")
    assert first.tlog_proof.startswith(b"c2sp.org/tlog-proof@v1\nextra ")
    service.attest(wire(2))
    service.stop(kill=True)
    service.start()
    service.wait_ready()
    assert receipt(service.attest(wire())[0]) == first


def test_an_event_that_cannot_be_attested_leaves_the_others_theirs(service: Service) -> None:
    wrong, timeless, kindless, other = wire(2), wire(3), wire(4), wire(1)
    wrong.parts[0].sha256 = b"short"
    timeless.ClearField("occurred_at")
    kindless.kind = pb.EVENT_KIND_UNSPECIFIED
    other.channel = "telegram"
    outcomes = service.attest(wire(1), wrong, timeless, kindless, other, wire(5))
    assert [type(each) for each in outcomes] == [pb.Receipt, Invalid, Invalid, Invalid, AlreadyExists, pb.Receipt]
    assert service.checkpoint().split(b"\n")[1] == b"2"
    with pytest.raises(Invalid, match="At most 256"):
        service.attest(*(wire(number) for number in range(257)))


def test_the_empty_log_has_a_signed_checkpoint_and_no_tile(service: Service) -> None:
    key = LogKey(people.ORIGIN, (service.home / "keys/log.key").read_bytes())
    assert key.opened(service.checkpoint()).size == 0
    with pytest.raises(NotFound):
        service.tile(0, 0, 1)
    service.attest(wire())
    assert key.opened(service.checkpoint()).size == 1
    assert len(service.tile(0, 0, 1)) == 32


REQUESTS = {
    "AttestEvents": pb.AttestEventsRequest(),
    "GetCheckpoint": pb.GetCheckpointRequest(),
    "GetTile": pb.GetTileRequest(width=1),
}


def test_who_has_no_right_to_a_method_is_refused_it(service: Service) -> None:
    assert set(RIGHTS) == set(REQUESTS) == set(pb.DESCRIPTOR.services_by_name["ReceiptsService"].methods_by_name)
    callers = {name: name for name in ("identity", "mailbox", "receipts", "frontdoor")} | {"unit": "units/SO"}
    for method, allowed in RIGHTS.items():
        for role, certificate in callers.items():
            if role not in allowed:
                with pytest.raises(Forbidden):
                    rpc.call(getattr(service.stub(certificate), method), REQUESTS[method], timeout_s=10)


def test_a_stranger_without_our_certificate_gets_no_connection(service: Service) -> None:
    stranger = people.Authority("Somebody else").caller("service/mailbox")
    credentials = grpc.ssl_channel_credentials(
        (service.home / "certificates/ca.pem").read_bytes(), stranger.key, stranger.certificate
    )
    with (
        grpc.secure_channel(f"127.0.0.1:{service.port}", credentials) as channel,
        pytest.raises(grpc.RpcError) as refused,
    ):
        ReceiptsServiceStub(channel).AttestEvents(pb.AttestEventsRequest(events=[wire()]), timeout=5)
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    assert service.checkpoint().split(b"\n")[1] == b"0"


def refusal_to_start(home: Path) -> str:
    service = Service(home)
    service.start()
    assert service.process is not None
    _, error = service.process.communicate(timeout=60)
    assert service.process.returncode == 1
    return error


def test_it_does_not_start_on_keys_it_cannot_use_and_says_which(tmp_path: Path) -> None:
    authority = people.Authority()
    home = people.make_home(tmp_path, authority)
    migrated(home)
    expired = authority.seal(days=-1)
    (home / "keys/seal.pem").write_bytes(expired.certificate)
    assert "another key" in refusal_to_start(home)
    (home / "keys/seal.key").write_bytes(expired.key)
    assert "The office's seal is valid from" in refusal_to_start(home)
    (home / "keys/seal.pem").unlink()
    lines = refusal_to_start(home).splitlines()
    assert lines == [f"receipts cannot start: No such file or directory ({home}/keys/seal.pem)."]
