"""Runs identity, or adds an officer: `python -m services.identity [add-officer LOGIN]`."""

import sys
from functools import partial
from pathlib import Path

import structlog
from zwrotka.identity.v1.identity_pb2_grpc import add_IdentityServiceServicer_to_server

from services.chassis import city, clock, process
from services.chassis.database import Database
from services.chassis.errors import Refusal
from services.chassis.rpc import Server
from services.chassis.settings import Settings, SettingsError
from services.identity import chat_store, store
from services.identity.enrolment import enrol
from services.identity.servicer import RIGHTS, SERVICE, Servicer

PEPPER_BYTES = 32
ROUND_S = 3600.0
log = structlog.get_logger()


def serve(settings: Settings) -> None:
    """Answers until the process is told to stop; once an hour ends what is due."""
    stop = process.stop_event()
    pepper = _pepper(settings)
    database = Database(settings.database_of("identity"))
    server = Server(settings, "identity", SERVICE, RIGHTS)
    servicer = Servicer(database, pepper, city.load(Path(settings.profile)))
    add_IdentityServiceServicer_to_server(servicer, server.grpc)
    server.start()
    log.info("started")
    while not stop.is_set():
        _make_round(database)
        stop.wait(ROUND_S)
    server.stop()
    database.close()


def add_officer(settings: Settings, login: str) -> None:
    """Enrols an officer with the password on standard input's first line; the same again is no error."""
    password = sys.stdin.readline().rstrip("\r\n")
    database = Database(settings.database_of("identity"))
    try:
        is_new = enrol(database, login, password, clock.now())
    except Refusal as refusal:
        sys.exit(" ".join(refusal.fields.values()) or refusal.sentence)
    finally:
        database.close()
    print(f"{login} can sign in with the new password." if is_new else f"{login} can sign in already; nothing changed.")


def _make_round(database: Database) -> None:
    now = clock.now()
    try:
        database.write(lambda tx: store.end_what_is_due(tx, now))
        database.write(lambda tx: store.forget_sessions(tx, now))
        database.write(lambda tx: chat_store.forget_codes(tx, now))
    except Refusal as refusal:
        log.warning("round-failed", reason=refusal.reason)


def _pepper(settings: Settings) -> bytes:
    path = settings.home_path / "keys" / "pepper"
    pepper = path.read_bytes()
    if len(pepper) != PEPPER_BYTES:
        raise SettingsError(f"ZWROTKA_HOME: {path} must hold {PEPPER_BYTES} random bytes. Restore it from a backup.")
    return pepper


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            process.main("identity", serve)
        case ["add-officer", login]:
            process.main("identity", partial(add_officer, login=login))
        case _:
            sys.exit("Usage: python -m services.identity [add-officer LOGIN]")
