"""One round of the courier: lease, ask who, word, send, settle."""

import asyncio
from collections.abc import Iterable

import structlog
from zwrotka.identity.v1 import identity_pb2 as identity
from zwrotka.identity.v1.identity_pb2_grpc import IdentityServiceStub
from zwrotka.mailbox.v1 import mailbox_pb2 as pb
from zwrotka.mailbox.v1.mailbox_pb2_grpc import MailboxServiceStub

from services.chassis import clock, rpc
from services.chassis.city import City
from services.chassis.errors import Refusal
from services.frontdoor.courier.carriers import Carrier, Outcome
from services.frontdoor.courier.compose import Mail, mail_of

BATCH = 64
LEASE_S = 60
# All of a round at its slowest fits into the lease: 5 s for the contacts, 20 to send, 3 x 5 + 3 to settle.
CALL_S = 5.0
SEND_S = 20.0
SETTLE_TRIES = 3

log = structlog.get_logger()
_LATER = Outcome(pb.NOTICE_RESULT_TEMPORARY_FAILURE, "no answer in time")


class Courier:
    """Carries notices. Killed at any time: what was sent but not settled is told twice, with the same Message-ID."""

    def __init__(
        self, mailbox: MailboxServiceStub, contacts: IdentityServiceStub, carrier: Carrier, city: City
    ) -> None:
        self._mailbox = mailbox
        self._contacts = contacts
        self._carrier = carrier
        self._city = city

    async def round(self) -> int:
        """Does what is due, at most BATCH notices; returns how many they were. Raises a refusal if it cannot."""
        lease = await asyncio.to_thread(
            rpc.call,
            self._mailbox.LeaseNotices,
            pb.LeaseNoticesRequest(carrier="mail", limit=BATCH, lease_s=LEASE_S),
            timeout_s=CALL_S,
        )
        if not lease.notices:
            return 0
        outcomes = await self._carried(lease.notices)
        settlements = [
            pb.Settlement(notice_id=notice_id, result=each.result, reply=each.reply, relay=each.relay)
            for notice_id, each in outcomes.items()
        ]
        await self._settle(pb.SettleNoticesRequest(lease_id=lease.lease_id, settlements=settlements))
        return len(lease.notices)

    async def _carried(self, notices: Iterable[pb.Notice]) -> dict[str, Outcome]:
        contacts = await self._contacts_of({notice.profile_id for notice in notices})
        outcomes: dict[str, Outcome] = {}
        mails = []
        for notice in notices:
            worded = self._worded(notice, contacts)
            if isinstance(worded, Mail):
                mails.append(worded)
            else:
                outcomes[notice.notice_id] = worded
        sent = await asyncio.gather(*(self._sent(mail) for mail in mails))
        return outcomes | dict(zip((mail.notice_id for mail in mails), sent, strict=True))

    async def _contacts_of(self, profiles: set[str]) -> dict[str, identity.Contact] | None:
        """The contacts by profile; None if identity does not say."""
        request = identity.GetContactsRequest(profile_ids=sorted(profiles))
        try:
            answer = await asyncio.to_thread(rpc.call, self._contacts.GetContacts, request, timeout_s=CALL_S)
        except Refusal as refusal:
            log.warning("contacts-unknown", reason=refusal.reason)
            return None
        return {contact.profile_id: contact for contact in answer.contacts}

    def _worded(self, notice: pb.Notice, contacts: dict[str, identity.Contact] | None) -> Mail | Outcome:
        if contacts is None:
            return Outcome(pb.NOTICE_RESULT_TEMPORARY_FAILURE, "the contact could not be asked for")
        contact = contacts.get(notice.profile_id)
        if contact is None or not contact.active or not contact.email:
            return Outcome(pb.NOTICE_RESULT_PERMANENT_FAILURE, "the profile has ended or has no address")
        try:
            return mail_of(notice, contact, self._city, clock.now())
        except Exception as error:
            # Whatever is wrong with one notice, the others must leave. The text of the error may hold an address.
            log.error("not-worded", notice=notice.notice_id, letter=notice.letter.number, error=type(error).__name__)
            return Outcome(pb.NOTICE_RESULT_TEMPORARY_FAILURE, "the mail could not be worded")

    async def _sent(self, mail: Mail) -> Outcome:
        try:
            return await asyncio.wait_for(self._carrier.send(mail), SEND_S)
        except TimeoutError:
            return _LATER
        except Exception as error:
            log.warning("not-sent", notice=mail.notice_id, error=type(error).__name__)
            return Outcome(pb.NOTICE_RESULT_TEMPORARY_FAILURE, f"no connection ({type(error).__name__})")

    async def _settle(self, request: pb.SettleNoticesRequest) -> None:
        for attempt in range(1, SETTLE_TRIES + 1):
            try:
                # A crash or failure here leaves mails sent and notices due: told twice when the lease has run out.
                await asyncio.to_thread(rpc.call, self._mailbox.SettleNotices, request, timeout_s=CALL_S)
            except Refusal as refusal:
                log.warning("not-settled", attempt=attempt, reason=refusal.reason)
                if attempt == SETTLE_TRIES:
                    raise
                await asyncio.sleep(attempt)
            else:
                return
