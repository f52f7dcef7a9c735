"""`python -m services.receipts`: wires receipts and runs it until it is told to stop."""

from pathlib import Path

from zwrotka.receipts.v1.receipts_pb2_grpc import add_ReceiptsServiceServicer_to_server

from services.chassis import city, clock, process, rpc
from services.chassis.database import Database
from services.chassis.errors import Refusal
from services.chassis.settings import Settings, SettingsError
from services.receipts.checkpoint import LogKey
from services.receipts.evidence import Issuer
from services.receipts.logbook import Logbook
from services.receipts.seal import Seal
from services.receipts.servicer import RIGHTS, SERVICE, Servicer


def run(settings: Settings) -> None:
    """Serves until TERM or INT."""
    stop = process.stop_event()
    declared = city.load(Path(settings.profile))
    issuer = Issuer(declared.office, declared.domain, declared.log_origin)
    keys = settings.home_path / "keys"
    database = Database(settings.database_of("receipts"))
    try:
        seal = Seal((keys / "seal.pem").read_bytes(), (keys / "seal.key").read_bytes())
        seal.must_be_valid(clock.now())
        key = LogKey(declared.log_origin, (keys / "log.key").read_bytes())
        logbook = Logbook(database, issuer, seal, key)
        logbook.must_be_whole()
    except ValueError as error:
        raise SettingsError(f"receipts cannot start: {error}. See {keys}.") from error
    except Refusal as refusal:
        raise SettingsError(f"receipts cannot start: {refusal.sentence}") from refusal
    server = rpc.Server(settings, "receipts", SERVICE, RIGHTS)
    add_ReceiptsServiceServicer_to_server(Servicer(logbook), server.grpc)
    server.start()
    stop.wait()
    server.stop()
    database.close()


if __name__ == "__main__":
    process.main("receipts", run)
