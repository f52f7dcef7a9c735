"""What this room asks of identity and mailbox, always for one chat account."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from google.protobuf.message import Message
from zwrotka.identity.v1 import identity_pb2 as identity
from zwrotka.identity.v1.identity_pb2_grpc import IdentityServiceStub
from zwrotka.mailbox.v1 import mailbox_pb2 as mailbox
from zwrotka.mailbox.v1.mailbox_pb2_grpc import MailboxServiceStub

from services.chassis import rpc
from services.chassis.errors import Unauthenticated, Unavailable
from services.chassis.settings import Settings

CHANNEL = "telegram"
_TIMEOUT_S = 20.0
# A service that is just starting again is waited for; longer trouble is told to the person.
_PAUSES_S = (0.5, 1.5)
_SOON_S = 3.0
Answer = TypeVar("Answer", bound=Message)


class House:
    """The house, seen from the door. Every method may raise a Refusal, and may be repeated."""

    def __init__(self, settings: Settings) -> None:
        certificate = settings.home_path / "certificates" / "frontdoor.pem"
        self._channels = [rpc.channel(settings.address_of(name), certificate) for name in ("identity", "mailbox")]
        self._identity = IdentityServiceStub(self._channels[0])
        self._mailbox = MailboxServiceStub(self._channels[1])

    def close(self) -> None:
        """Closes the channels."""
        for each in self._channels:
            each.close()

    async def chat_is_linked(self, account: int) -> bool:
        """Whether the account speaks for somebody."""
        credential = identity.Credential(chat=_identity_chat(account))
        request = identity.AuthenticateSendersRequest(credentials=[credential])
        outcome = (await _ask(self._identity.AuthenticateSenders, request)).outcomes[0]
        if not outcome.error:
            return True
        refusal = rpc.unpacked(outcome.error)
        if isinstance(refusal, Unauthenticated):
            return False
        raise refusal

    async def link_by_token(self, account: int, token: str) -> str:
        """Links the account; the name of whom it speaks for now."""
        request = identity.LinkChatRequest(chat=_identity_chat(account), token=token)
        return (await _ask(self._identity.LinkChat, request)).name

    async def link_by_code(self, account: int, code: str) -> str:
        """Links the account; the name of whom it speaks for now."""
        request = identity.LinkChatRequest(chat=_identity_chat(account), code=code)
        return (await _ask(self._identity.LinkChat, request)).name

    async def unlink(self, account: int) -> None:
        """Takes the link away."""
        await _ask(self._identity.UnlinkChat, identity.UnlinkChatRequest(chat=_identity_chat(account)))

    async def issue_code(self, account: int, email: str) -> tuple[str, str]:
        """A code and the registered address to mail it to; both empty where nobody has the address."""
        request = identity.IssueChatCodeRequest(chat=_identity_chat(account), email=email)
        answer = await _ask(self._identity.IssueChatCode, request)
        return answer.code, answer.email

    async def deposit(
        self, account: int, unit: str, content: bytes, key: str, facts: dict[str, str]
    ) -> mailbox.Acceptance:
        """Hands a letter in. After it the letter is stored, whatever happens here."""
        deposit = mailbox.Deposit(
            chat=mailbox.ChatAccount(channel=CHANNEL, account=str(account)),
            unit=unit,
            channel=CHANNEL,
            content=content,
            facts=[mailbox.Fact(name=name, value=value) for name, value in facts.items()],
            key=key,
        )
        request = mailbox.DepositLettersRequest(deposits=[deposit])

        def handed_in() -> mailbox.Acceptance:
            outcome = rpc.call(self._mailbox.DepositLetters, request, timeout_s=_TIMEOUT_S).outcomes[0]
            if outcome.error:
                raise rpc.unpacked(outcome.error)
            return outcome.acceptance

        return await _patiently(handed_in)

    async def letters_of(self, account: int) -> Sequence[mailbox.Letter]:
        """The newest letters of whom the account speaks for."""
        chat = mailbox.ChatAccount(channel=CHANNEL, account=str(account))
        return (await _ask(self._mailbox.ListSentLetters, mailbox.ListSentLettersRequest(chat=chat))).letters

    async def lease_notices(self, limit: int, lease_s: int) -> mailbox.LeaseNoticesResponse:
        """Notices to be told by this carrier."""
        request = mailbox.LeaseNoticesRequest(carrier=CHANNEL, limit=limit, lease_s=lease_s)
        return await _ask(self._mailbox.LeaseNotices, request)

    async def settle(self, lease_id: str, settlement: mailbox.Settlement) -> None:
        """Records what became of a notice."""
        request = mailbox.SettleNoticesRequest(lease_id=lease_id, settlements=[settlement])
        await _ask(self._mailbox.SettleNotices, request)

    async def accounts_of(self, profile_ids: Sequence[str]) -> dict[str, list[int]]:
        """The linked accounts of each active profile."""
        answer = await _ask(self._identity.GetContacts, identity.GetContactsRequest(profile_ids=profile_ids))
        return {
            contact.profile_id: [int(chat.account) for chat in contact.chats if chat.channel == CHANNEL]
            for contact in answer.contacts
            if contact.active
        }


def _identity_chat(account: int) -> identity.ChatAccount:
    return identity.ChatAccount(channel=CHANNEL, account=str(account))


async def _ask(method: Callable[..., Answer], request: Message) -> Answer:
    return await _patiently(lambda: rpc.call(method, request, timeout_s=_TIMEOUT_S))


_Kept = TypeVar("_Kept")


async def _patiently(call: Callable[[], _Kept]) -> _Kept:
    started_at = time.monotonic()
    for pause_s in _PAUSES_S:
        try:
            return await asyncio.to_thread(call)
        except Unavailable:
            if time.monotonic() - started_at > _SOON_S:
                raise
            await asyncio.sleep(pause_s)
    return await asyncio.to_thread(call)
