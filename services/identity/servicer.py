"""Identity on the wire: protos in and out, who may call what."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from zwrotka.identity.v1 import identity_pb2 as pb
from zwrotka.identity.v1.identity_pb2_grpc import IdentityServiceServicer

from services.chassis import clock
from services.chassis.city import City
from services.chassis.database import Database
from services.chassis.errors import Invalid, Refusal
from services.chassis.rpc import Rights, caller_of, packed
from services.identity import chat_store, chats, officers, profiles, store, tokens
from services.identity.chats import Chat
from services.identity.store import Actor, OfficersWork

T = TypeVar("T")

SERVICE = "zwrotka.identity.v1.IdentityService"
_LETTERS = frozenset({"mailbox", "frontdoor"})
_DOOR = frozenset({"frontdoor"})
_UNIT = frozenset({"unit"})
RIGHTS: Rights = {
    "AuthenticateSenders": _LETTERS,
    "GetContacts": _LETTERS,
    "IssueChatCode": _DOOR,
    "LinkChat": _DOOR,
    "UnlinkChat": _DOOR,
    "SignInOfficer": _UNIT,
    "RequestProfile": _UNIT,
    "ConfirmProfile": _UNIT,
    "RevokeProfile": _UNIT,
    "IssueToken": _UNIT,
}
MAX_BATCH = 256

_UNKNOWN_TOKEN = packed(tokens.unknown())
_UNLINKED_CHAT = packed(chats.unlinked())


class Servicer(IdentityServiceServicer):
    """IdentityService; its proto says what each method means."""

    def __init__(self, database: Database, pepper: bytes, city: City, now: Callable[[], datetime] = clock.now) -> None:
        self._database = database
        self._pepper = pepper
        self._city = city
        self._now = now

    def AuthenticateSenders(
        self, request: pb.AuthenticateSendersRequest, context: grpc.ServicerContext
    ) -> pb.AuthenticateSendersResponse:
        _must_fit_a_batch(len(request.credentials))
        asked = [self._asked(credential) for credential in request.credentials]
        digests = {each for each in asked if isinstance(each, bytes)}
        linked = {each for each in asked if isinstance(each, Chat)}
        now = self._now()
        found = self._database.read(lambda tx: store.holders(tx, digests, linked, now))
        return pb.AuthenticateSendersResponse(outcomes=[_outcome(each, found) for each in asked])

    def GetContacts(self, request: pb.GetContactsRequest, context: grpc.ServicerContext) -> pb.GetContactsResponse:
        _must_fit_a_batch(len(request.profile_ids))
        now = self._now()
        profile_ids = {each for each in request.profile_ids if profiles.is_id(each)}
        found = self._database.read(lambda tx: store.contacts(tx, profile_ids, now))
        return pb.GetContactsResponse(contacts=[_contact(each) for each in found])

    def IssueChatCode(
        self, request: pb.IssueChatCodeRequest, context: grpc.ServicerContext
    ) -> pb.IssueChatCodeResponse:
        chat, actor, now = _chat(request.chat), _door(context), self._now()
        code, email = self._database.write(
            lambda tx: chat_store.issue_code(tx, self._pepper, chat, request.email, actor, now)
        )
        return pb.IssueChatCodeResponse(code=code, email=email)

    def LinkChat(self, request: pb.LinkChatRequest, context: grpc.ServicerContext) -> pb.LinkChatResponse:
        chat, actor, now = _chat(request.chat), _door(context), self._now()
        if request.WhichOneof("proof") == "token":
            digest = tokens.digest_of(self._pepper, tokens.read(request.token))
            name = self._database.write(lambda tx: chat_store.link_by_token(tx, digest, chat, actor, now))
        else:
            name = self._database.write(
                lambda tx: chat_store.link_by_code(tx, self._pepper, chat, request.code, actor, now)
            )
        return pb.LinkChatResponse(name=name)

    def UnlinkChat(self, request: pb.UnlinkChatRequest, context: grpc.ServicerContext) -> pb.UnlinkChatResponse:
        chat, actor, now = _chat(request.chat), _door(context), self._now()
        self._database.write(lambda tx: chat_store.unlink(tx, chat, actor, now))
        return pb.UnlinkChatResponse()

    def SignInOfficer(
        self, request: pb.SignInOfficerRequest, context: grpc.ServicerContext
    ) -> pb.SignInOfficerResponse:
        caller, now = caller_of(context), self._now()
        login = officers.must_be_login(request.login)
        known = self._database.read(lambda tx: store.officer_by(tx, login))
        # The slow hash is computed between two transactions, not inside one.
        fits = officers.password_fits(known.password_hash if known else None, request.password)
        if known is None or not fits:
            raise officers.wrong_password()
        session = officers.make_session()
        digest, actor = officers.session_digest(self._pepper, session), Actor("unit", caller.unit, known.id)
        expires_at = self._database.write(lambda tx: store.open_session(tx, digest, actor, now))
        return pb.SignInOfficerResponse(session=session, expires_at=_stamp(expires_at))

    def RequestProfile(
        self, request: pb.RequestProfileRequest, context: grpc.ServicerContext
    ) -> pb.RequestProfileResponse:
        profile = self._write_signed_in(
            context, lambda tx, actor, now: store.request(tx, self._pepper, _person(request), actor, now)
        )
        return pb.RequestProfileResponse(profile_id=profile.id, expires_at=_stamp(profile.ends_at))

    def ConfirmProfile(
        self, request: pb.ConfirmProfileRequest, context: grpc.ServicerContext
    ) -> pb.ConfirmProfileResponse:
        token = tokens.make()
        expires_at = self._write_signed_in(
            context,
            lambda tx, actor, now: store.confirm(
                tx, self._pepper, request.profile_id, _document(request), token, actor, now
            ),
        )
        return pb.ConfirmProfileResponse(token=self._issued(token, expires_at))

    def RevokeProfile(
        self, request: pb.RevokeProfileRequest, context: grpc.ServicerContext
    ) -> pb.RevokeProfileResponse:
        self._write_signed_in(
            context,
            lambda tx, actor, now: store.revoke(tx, request.profile_id, profiles.reason_of(request.reason), actor, now),
        )
        return pb.RevokeProfileResponse()

    def IssueToken(self, request: pb.IssueTokenRequest, context: grpc.ServicerContext) -> pb.IssueTokenResponse:
        token = tokens.make()
        expires_at = self._write_signed_in(
            context,
            lambda tx, actor, now: store.issue_token(tx, self._pepper, request.profile_id, token, actor, now),
        )
        return pb.IssueTokenResponse(token=self._issued(token, expires_at))

    def _asked(self, credential: pb.Credential) -> bytes | Chat | Refusal:
        """What to look up for a credential, or why there is nothing to look up."""
        try:
            if credential.WhichOneof("proof") == "token":
                return tokens.digest_of(self._pepper, tokens.read(credential.token))
            return _chat(credential.chat)
        except Refusal as refusal:
            return refusal

    def _write_signed_in(self, context: grpc.ServicerContext, work: OfficersWork[T]) -> T:
        """Runs `work` for the officer whose session the call carries, in the transaction that looked it up."""
        caller, now = caller_of(context), self._now()
        digest = officers.session_digest(self._pepper, caller.session)
        return self._database.write(lambda tx: work(tx, store.actor_in(tx, digest, caller.unit, now), now))

    def _issued(self, token: str, expires_at: datetime) -> pb.IssuedToken:
        address = tokens.letter_address(token, self._city.residents_unit.mailbox, self._city.domain)
        return pb.IssuedToken(token=tokens.shown(token), letter_address=address, expires_at=_stamp(expires_at))


def _must_fit_a_batch(number: int) -> None:
    if number > MAX_BATCH:
        raise Invalid("too-many", f"At most {MAX_BATCH} can be asked for at once. Nothing was done. Ask in parts.")


def _outcome(asked: bytes | Chat | Refusal, found: Mapping[bytes | Chat, str]) -> pb.SenderOutcome:
    if isinstance(asked, Refusal):
        return pb.SenderOutcome(error=packed(asked))
    profile_id = found.get(asked)
    if profile_id is None:
        return pb.SenderOutcome(error=_UNLINKED_CHAT if isinstance(asked, Chat) else _UNKNOWN_TOKEN)
    basis = f"chat:{asked.channel}" if isinstance(asked, Chat) else "token"
    return pb.SenderOutcome(sender=pb.Sender(profile_id=profile_id, basis=basis))


def _door(context: grpc.ServicerContext) -> Actor:
    return Actor(caller_of(context).role)


def _person(request: pb.RequestProfileRequest) -> profiles.Person:
    return profiles.person_of(
        first_names=request.first_names,
        surname=request.surname,
        pesel_number=request.pesel,
        email=request.email,
        phone=request.phone,
    )


def _document(request: pb.ConfirmProfileRequest) -> profiles.Document:
    return profiles.document_of(request.document_number, request.pesel)


def _chat(chat: pb.ChatAccount) -> Chat:
    return chats.chat_of(chat.channel, chat.account)


def _contact(contact: store.Contact) -> pb.Contact:
    return pb.Contact(
        profile_id=contact.profile_id,
        name=contact.name,
        email=contact.email,
        chats=[pb.ChatAccount(channel=chat.channel, account=chat.account) for chat in contact.chats],
        active=contact.is_active,
    )


def _stamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
