"""What crosses a process: refusals as themselves, nothing of an exception, no call without right or deadline."""

import dataclasses
import io
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
import structlog
from zwrotka.receipts.v1 import receipts_pb2 as pb
from zwrotka.receipts.v1 import receipts_pb2_grpc

from services.chassis import city as cities
from services.chassis import errors, rpc
from services.chassis.settings import Settings
from services.house import certificates

SECRET = "Nowak 85123177752 at 10.1.2.3"
SERVICE = "zwrotka.receipts.v1.ReceiptsService"
RIGHTS: rpc.Rights = {
    "AttestEvents": frozenset({"mailbox"}),
    "GetCheckpoint": frozenset({"frontdoor"}),
    "GetTile": frozenset({"frontdoor"}),
}


class Servicer(receipts_pb2_grpc.ReceiptsServiceServicer):
    """Does what the test told it."""

    behaviour: Callable[[], pb.GetCheckpointResponse]

    AttestEvents = GetTile = receipts_pb2_grpc.ReceiptsServiceServicer.AttestEvents  # type: ignore[assignment]

    def GetCheckpoint(  # noqa: N802
        self, _request: pb.GetCheckpointRequest, _context: grpc.ServicerContext
    ) -> pb.GetCheckpointResponse:
        """The one method in use."""
        return self.behaviour()


@dataclasses.dataclass
class World:
    """A server, its certificates, and what it wrote to its log."""

    servicer: Servicer
    certificates: Path
    address: str
    log: io.StringIO

    def stub(self, certificate: str = "frontdoor") -> receipts_pb2_grpc.ReceiptsServiceStub:
        return receipts_pb2_grpc.ReceiptsServiceStub(
            rpc.channel(self.address, self.certificates / f"{certificate}.pem")
        )

    def ask(self, certificate: str = "frontdoor") -> pb.GetCheckpointResponse:
        return rpc.call(self.stub(certificate).GetCheckpoint, pb.GetCheckpointRequest(), timeout_s=5)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    city = cities.load(Path("profiles/demo"))
    certificates.issue(tmp_path, city)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = Settings(home=str(tmp_path), receipts_port=port)
    server, servicer, log = rpc.Server(settings, "receipts", SERVICE, RIGHTS), Servicer(), io.StringIO()
    receipts_pb2_grpc.add_ReceiptsServiceServicer_to_server(servicer, server.grpc)
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=log), cache_logger_on_first_use=False)
    server.start()
    yield World(servicer, tmp_path / "certificates", settings.address_of("receipts"), log)
    server.stop(0)
    structlog.reset_defaults()


@pytest.mark.parametrize("kind", [*errors.Refusal.__subclasses__()])
def test_a_refusal_comes_out_as_the_class_it_went_in(world: World, kind: type[errors.Refusal]) -> None:
    def refuse() -> pb.GetCheckpointResponse:
        raise kind("some-reason", "What happened, and what to do.", {"field": "what is wrong with it"})

    world.servicer.behaviour = refuse
    with pytest.raises(kind) as caught:
        world.ask()
    assert type(caught.value) is kind
    assert (caught.value.reason, caught.value.sentence) == ("some-reason", "What happened, and what to do.")
    assert caught.value.fields == {"field": "what is wrong with it"}


def test_an_exceptions_text_never_leaves_the_process(world: World) -> None:
    def fail() -> pb.GetCheckpointResponse:
        raise ValueError(SECRET)

    world.servicer.behaviour = fail
    with pytest.raises(grpc.RpcError) as caught:
        world.stub().GetCheckpoint(pb.GetCheckpointRequest(), timeout=5)
    assert SECRET not in str(caught.value)
    assert "Nowak" not in str(caught.value.trailing_metadata())
    assert isinstance(rpc.refusal_from(caught.value), errors.Unavailable)
    assert "ValueError" in world.log.getvalue()


def test_a_call_without_a_deadline_is_refused(world: World) -> None:
    world.servicer.behaviour = pb.GetCheckpointResponse
    with pytest.raises(grpc.RpcError) as caught:
        world.stub().GetCheckpoint(pb.GetCheckpointRequest())
    assert rpc.refusal_from(caught.value).reason == "no-deadline"


@pytest.mark.parametrize("certificate", ["mailbox", "identity", "units/SO"])
def test_a_caller_without_right_is_refused(world: World, certificate: str) -> None:
    world.servicer.behaviour = pb.GetCheckpointResponse
    assert world.ask() == pb.GetCheckpointResponse()
    with pytest.raises(errors.Forbidden):
        world.ask(certificate)


def test_a_caller_without_a_certificate_of_the_city_gets_nowhere(world: World, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    certificates.issue(stranger, cities.load(Path("profiles/demo")))
    for name in ("frontdoor.pem", "frontdoor.key"):
        (world.certificates / f"stranger-{name}").write_bytes((stranger / "certificates" / name).read_bytes())
    with pytest.raises(errors.Unavailable):
        world.ask("stranger-frontdoor")


def test_nobody_answering_is_unavailable(world: World) -> None:
    with pytest.raises(errors.Unavailable):
        rpc.call(
            receipts_pb2_grpc.ReceiptsServiceStub(
                rpc.channel("127.0.0.1:1", world.certificates / "frontdoor.pem")
            ).GetCheckpoint,
            pb.GetCheckpointRequest(),
            timeout_s=2,
        )
