"""Admits residents the way a city does: an officer takes the request, sees the card, confirms it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from google.protobuf.message import Message
from zwrotka.identity.v1 import identity_pb2 as pb
from zwrotka.identity.v1.identity_pb2_grpc import IdentityServiceStub

from services.chassis import city as cities
from services.chassis import rpc
from services.chassis.errors import AlreadyExists
from services.chassis.settings import Settings
from services.house import officers
from services.house.files import write

_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Person:
    """Somebody invented. The PESEL and card numbers have right check digits and belong to nobody (domain.md 7)."""

    first_names: str
    surname: str
    pesel: str
    email: str
    document_number: str


JAN = Person("Jan", "Nowak", "85123177752", "jan.nowak@poczta.example", "ABS123456")


def demo(settings: Settings) -> dict[str, str]:
    """The demo resident as ready.json shows him; admitted once, then kept in the home with his token."""
    path = settings.home_path / "demo.json"
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if "token" not in kept:
        with Desk(settings) as desk:
            # A crash before this write repeats the request, which then finds itself; one after it goes on here.
            profile_id = kept.get("profile_id") or desk.request(JAN)
            _keep(path, {"profile_id": profile_id})
            # A crash between confirmation and write costs a token that nobody has seen: another is issued.
            token = desk.confirm(profile_id, JAN)
        kept = {
            "profile_id": profile_id,
            "name": f"{JAN.first_names} {JAN.surname}",
            "email": JAN.email,
            "token": token.token,
            "letter_address": token.letter_address,
        }
        _keep(path, kept)
    return {name: kept[name] for name in ("name", "email", "token", "letter_address")}


class Desk:
    """The demo officer's desk, at the unit for residents' matters: identity's calls in one session."""

    def __init__(self, settings: Settings) -> None:
        unit = cities.load(Path(settings.profile)).residents_unit
        certificate = settings.home_path / "certificates" / "units" / f"{unit.code}.pem"
        self._channel = rpc.channel(settings.address_of("identity"), certificate)
        self._stub = IdentityServiceStub(self._channel)
        sign_in = pb.SignInOfficerRequest(login=officers.LOGIN, password=officers.password(settings))
        self._session = rpc.call(self._stub.SignInOfficer, sign_in, timeout_s=_TIMEOUT_S).session

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def request(self, person: Person) -> str:
        """Takes down a request for a profile; its id. The same request again is the same."""
        request = pb.RequestProfileRequest(
            first_names=person.first_names, surname=person.surname, pesel=person.pesel, email=person.email
        )
        return self._call(self._stub.RequestProfile, request).profile_id

    def confirm(self, profile_id: str, person: Person) -> pb.IssuedToken:
        """Confirms the request with the card shown; a profile confirmed before gets a new token."""
        request = pb.ConfirmProfileRequest(
            profile_id=profile_id, document_number=person.document_number, pesel=person.pesel
        )
        try:
            return self._call(self._stub.ConfirmProfile, request).token
        except AlreadyExists:
            return self._call(self._stub.IssueToken, pb.IssueTokenRequest(profile_id=profile_id)).token

    def revoke(self, profile_id: str, reason: str) -> None:
        """Ends a profile, its tokens and links."""
        self._call(self._stub.RevokeProfile, pb.RevokeProfileRequest(profile_id=profile_id, reason=reason))

    def _call(self, method: Callable[..., rpc.Answer], request: Message) -> rpc.Answer:
        return rpc.call(method, request, timeout_s=_TIMEOUT_S, session=self._session)


def _keep(path: Path, kept: dict[str, str]) -> None:
    write(path, f"{json.dumps(kept, ensure_ascii=False, indent=2)}\n".encode(), mode=0o600)
