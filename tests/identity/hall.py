"""A city hall's identity on loopback: the real server over mutual TLS, with a clock that the test moves."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from google.protobuf.message import Message
from zwrotka.identity.v1 import identity_pb2 as pb
from zwrotka.identity.v1.identity_pb2_grpc import IdentityServiceStub, add_IdentityServiceServicer_to_server

from services.chassis import city, rpc
from services.chassis.database import Database
from services.chassis.migrate import upgrade
from services.chassis.settings import Settings
from services.house import certificates, keys
from services.identity import schema
from services.identity.enrolment import enrol
from services.identity.servicer import RIGHTS, SERVICE, Servicer
from tests.ports import free_port

LOGIN, PASSWORD = "anna.urzednik", "bardzo-tajne-haslo"
JAN = pb.RequestProfileRequest(
    first_names="Jan Żegota", surname="Nowak-Gżegżółka", pesel="85123177752", email="Jan.Nowak@poczta.example"
)
EWA = pb.RequestProfileRequest(
    first_names="Ewa", surname="Wójcik", pesel="70010100124", email="ewa@poczta.example", phone="+48 600 100 200"
)
CITY = city.load(Path("profiles/demo"))
CARD = "ABS123456"
CHAT = pb.ChatAccount(channel="telegram", account="700100200")


def a_home(folder: Path, database: str = "") -> Settings:
    """A home with keys, certificates for every caller and identity's tables."""
    settings = Settings(home=str(folder), identity_port=free_port(), database=database)
    certificates.issue(folder, CITY)
    keys.make(folder, CITY)
    tables = Database(settings.database_of("identity"))
    tables.write(partial(upgrade, "identity"))
    tables.close()
    return settings


class Hall:
    """Identity's server and its callers."""

    def __init__(self, folder: Path, database: str = "") -> None:
        self.settings = a_home(folder, database)
        self.now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        self.database = Database(self.settings.database_of("identity"))
        self.pepper = (folder / "keys" / "pepper").read_bytes()
        self._server = rpc.Server(self.settings, "identity", SERVICE, RIGHTS)
        servicer = Servicer(self.database, self.pepper, CITY, lambda: self.now)
        add_IdentityServiceServicer_to_server(servicer, self._server.grpc)
        self._server.start()
        self._channels = {
            name: rpc.channel(self.settings.address_of("identity"), folder / "certificates" / f"{name}.pem")
            for name in ("mailbox", "receipts", "frontdoor", "units/SO", "units/KD")
        }
        enrol(self.database, LOGIN, PASSWORD, self.now)
        self.session = self.sign_in()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for channel in self._channels.values():
            channel.close()
        self._server.stop()
        self.database.close()

    def pass_time(self, **by: float) -> None:
        """Moves the clock by timedelta's arguments; the officer signs in anew."""
        self.go_to(self.now + timedelta(**by))

    def go_to(self, moment: datetime) -> None:
        """Sets the clock; the officer signs in anew."""
        self.now = moment
        self.session = self.sign_in()

    def call(self, caller: str, method: str, request: Message, *, session: str = "") -> Any:
        """Calls a method with a caller's certificate; raises the refusal that comes back."""
        stub = IdentityServiceStub(self._channels[caller])
        answer: Any = rpc.call(getattr(stub, method), request, timeout_s=20, session=session)
        return answer

    def desk(self, method: str, request: Message) -> Any:
        """Calls a method as the signed-in officer."""
        return self.call("units/SO", method, request, session=self.session)

    def sign_in(self, unit: str = "units/SO", login: str = LOGIN, password: str = PASSWORD) -> str:
        """A new session's token."""
        request = pb.SignInOfficerRequest(login=login, password=password)
        session: str = self.call(unit, "SignInOfficer", request).session
        return session

    def request(self, person: pb.RequestProfileRequest = JAN) -> str:
        """A profile's id, just requested."""
        profile_id: str = self.desk("RequestProfile", person).profile_id
        return profile_id

    def confirm(self, profile_id: str, person: pb.RequestProfileRequest = JAN) -> str:
        """Confirms a request; the token."""
        request = pb.ConfirmProfileRequest(profile_id=profile_id, document_number=CARD, pesel=person.pesel)
        token: str = self.desk("ConfirmProfile", request).token.token
        return token

    def admit(self, person: pb.RequestProfileRequest = JAN) -> tuple[str, str]:
        """A confirmed profile's id and token."""
        profile_id = self.request(person)
        return profile_id, self.confirm(profile_id, person)

    def authenticate(self, *credentials: pb.Credential) -> list[pb.SenderOutcome]:
        """What mailbox is told."""
        request = pb.AuthenticateSendersRequest(credentials=credentials)
        return list(self.call("mailbox", "AuthenticateSenders", request).outcomes)

    def whose(self, token: str) -> str:
        """The id of the profile a token opens; "" if none."""
        profile_id: str = self.authenticate(pb.Credential(token=token))[0].sender.profile_id
        return profile_id

    def whose_chat(self, chat: pb.ChatAccount = CHAT) -> str:
        """The id of the profile a chat speaks for; "" if none."""
        profile_id: str = self.authenticate(pb.Credential(chat=chat))[0].sender.profile_id
        return profile_id

    def contact(self, profile_id: str) -> pb.Contact | None:
        """A profile's contact, if there is one."""
        contacts = self.call("frontdoor", "GetContacts", pb.GetContactsRequest(profile_ids=[profile_id])).contacts
        return contacts[0] if contacts else None

    def journal(self, profile_id: str | None) -> list[tuple[str, str, str, int | None, str]]:
        """(event, role, unit, officer, reason) of each of a profile's journal rows, in order."""
        columns = schema.journal.c
        query = sa.select(columns.event, columns.role, columns.unit, columns.officer_id, columns.reason)
        query = query.where(columns.profile_id == profile_id).order_by(columns.id)
        return self.database.read(lambda tx: [tuple(row) for row in tx.execute(query)])

    def events(self, profile_id: str | None) -> list[str]:
        """What the journal says was done to a profile."""
        return [row[0] for row in self.journal(profile_id)]
