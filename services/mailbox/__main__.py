"""`python -m services.mailbox`: wires mailbox and runs it until it is told to stop."""

import threading
from collections.abc import Sequence
from pathlib import Path

from zwrotka.identity.v1 import identity_pb2 as identity
from zwrotka.identity.v1.identity_pb2_grpc import IdentityServiceStub
from zwrotka.mailbox.v1.mailbox_pb2_grpc import add_MailboxServiceServicer_to_server
from zwrotka.receipts.v1.receipts_pb2_grpc import ReceiptsServiceStub

from services.chassis import city, process, rpc
from services.chassis.database import Database
from services.chassis.settings import Settings
from services.mailbox import rounds
from services.mailbox.mailroom import IDENTITY_TIMEOUT_S, Mailroom
from services.mailbox.servicer import MAX_STREAMS, RIGHTS, SERVICE, Servicer


def run(settings: Settings) -> None:
    """Serves until TERM or INT."""
    stop = process.stop_event()
    certificate = settings.home_path / "certificates" / "mailbox.pem"
    identities = IdentityServiceStub(rpc.channel(settings.address_of("identity"), certificate))
    attestor = ReceiptsServiceStub(rpc.channel(settings.address_of("receipts"), certificate))

    def names_of(profile_ids: Sequence[str]) -> dict[str, str]:
        request = identity.GetContactsRequest(profile_ids=profile_ids)
        answer = rpc.call(identities.GetContacts, request, timeout_s=IDENTITY_TIMEOUT_S)
        return {each.profile_id: each.name for each in answer.contacts}

    database = Database(settings.database_of("mailbox"))
    mailroom = Mailroom(
        database, city.load(Path(settings.profile)), identities.AuthenticateSenders, attestor.AttestEvents
    )
    server = rpc.Server(settings, "mailbox", SERVICE, RIGHTS, threads=MAX_STREAMS + 32)
    add_MailboxServiceServicer_to_server(Servicer(mailroom, names_of), server.grpc)
    server.start()
    rounds_thread = threading.Thread(target=rounds.go, args=(mailroom, stop), name="rounds")
    rounds_thread.start()
    stop.wait()
    server.stop()
    rounds_thread.join()
    database.close()


if __name__ == "__main__":
    process.main("mailbox", run)
