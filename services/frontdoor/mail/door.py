"""What the door says to each step of an SMTP conversation, and how a letter is handed on."""

import asyncio
import ipaddress
import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import structlog
from zwrotka.mailbox.v1 import mailbox_pb2 as pb
from zwrotka.mailbox.v1.mailbox_pb2_grpc import MailboxServiceStub

from services.chassis import rpc
from services.chassis.batch import Batcher
from services.chassis.errors import Refusal, Unavailable
from services.frontdoor.mail import replies, tokens
from services.frontdoor.mail.conversation import Conversation, LetterEnvelope
from services.frontdoor.mail.data import BareNewline, Budget

MAX_CONNECTIONS = 500
# Not for this machine's own addresses: a mail server in front of the door comes from there with everything.
MAX_PER_ADDRESS = 100
MAX_RECIPIENTS = 100
LARGE_BYTES = 8 << 20
CALL_S = 20.0
ANSWER_S = 60.0  # a letter's whole stay; its sender waits ten minutes (RFC 5321 §4.5.3.2.6)

log = structlog.get_logger()


@dataclass(frozen=True)
class Handed:
    """A letter for one unit, on its way to mailbox."""

    token: str
    unit: str
    content: bytes
    facts: Mapping[str, str]


class Deposits:
    """Hands letters to mailbox, those that wait together in one call."""

    def __init__(self, mailbox: MailboxServiceStub) -> None:
        self._mailbox = mailbox
        # gRPC holds four copies of a request: two of the largest letters at once would be 200 MB.
        self._one_large = threading.Lock()
        self._batcher: Batcher[Handed, pb.Acceptance] = Batcher(
            self._deposit, name="deposit", size_of=lambda handed: len(handed.content)
        )

    async def deposit(self, handed: Handed) -> pb.Acceptance:
        """Returns mailbox's acceptance or raises its refusal."""
        try:
            return await asyncio.wait_for(asyncio.wrap_future(self._batcher.submit(handed)), ANSWER_S)
        except TimeoutError as error:
            # It may be deposited all the same; sent again, it keeps its number.
            raise Unavailable("no-answer", "The mailbox does not answer for the moment. Please try again.") from error

    def _deposit(self, waiting: list[Handed]) -> Sequence[pb.Acceptance | Exception]:
        request = pb.DepositLettersRequest()
        for handed in waiting:
            request.deposits.add(
                token=handed.token,
                unit=handed.unit,
                channel="smtp",
                content=handed.content,
                facts=[pb.Fact(name=name, value=value) for name, value in handed.facts.items()],
            )
        large = sum(len(handed.content) for handed in waiting) > LARGE_BYTES
        with self._one_large if large else nullcontext():
            outcomes = rpc.call(self._mailbox.DepositLetters, request, timeout_s=CALL_S).outcomes
        if len(outcomes) != len(waiting):
            raise Unavailable("outcomes-missing", "Something went wrong on our side. Please repeat the request.")
        return [
            outcome.acceptance if outcome.WhichOneof("outcome") == "acceptance" else rpc.unpacked(outcome.error)
            for outcome in outcomes
        ]


class Door:
    """The hooks of all conversations, and what they share."""

    BUSY = "451 4.3.1 We have our hands full just now. Your mail server will try again by itself."
    FULL = "421 4.3.2 Too many connections just now. Please connect again later."
    FULL_FOR_YOU = "421 4.7.0 Too many connections from your address. Please use those you have."
    CLOSING = "421 4.3.2 The door is closing for a moment. Please connect again."

    def __init__(self, deposits: Deposits, units: Mapping[str, str], domain: str, budget_bytes: int) -> None:
        """`units` are the codes of units by the mailbox in their address."""
        self.domain = domain
        self.budget = Budget(budget_bytes)
        self.conversations: set[Conversation] = set()
        self.draining = False
        self._deposits = deposits
        self._units = units
        self._answers: set[asyncio.Task[Any] | None] = set()

    def __dir__(self) -> list[str]:
        """The hooks alone, as in Conversation."""
        return _HOOKS

    def refusal_of_connection(self, conversation: Conversation) -> str:
        """Why this connection is one too many, or ""."""
        if self.draining:
            return self.CLOSING
        if len(self.conversations) > MAX_CONNECTIONS:
            return self.FULL
        address = _address_of(conversation.session)
        if not ipaddress.ip_address(address).is_loopback:
            theirs = sum(1 for each in self.conversations if _address_of(each.session) == address)
            if theirs > MAX_PER_ADDRESS:
                return self.FULL_FOR_YOU
        return ""

    async def drain(self, grace_s: float) -> None:
        """Turns new connections away, ends those between letters, lets a letter on its way be finished."""
        self.draining = True
        for conversation in [each for each in self.conversations if not each.in_letter]:
            conversation.hang_up(self.CLOSING)
        ends_at = asyncio.get_running_loop().time() + grace_s
        while (self.conversations or self._answers) and asyncio.get_running_loop().time() < ends_at:
            await asyncio.sleep(0.05)

    async def handle_MAIL(
        self, _: Conversation, __: Any, envelope: LetterEnvelope, address: str, options: list[str]
    ) -> str:
        """Takes the envelope's sender, the null sender too (RFC 5321 §4.5.5)."""
        if not address.isascii() and not envelope.smtp_utf8:
            return "553 5.6.7 The address is not ASCII and SMTPUTF8 was not asked for."
        envelope.declared_bytes = next(
            (int(option[5:]) for option in options if option.startswith("SIZE=") and option[5:].isdigit()), 0
        )
        if not self.budget.has(envelope.declared_bytes):
            return self.BUSY
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Sender noted"

    async def handle_RCPT(
        self, _: Conversation, __: Any, envelope: LetterEnvelope, address: str, options: list[str]
    ) -> str:
        """Takes a unit's mailbox, with or without a token; all recipients of a letter share one sender."""
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 That is enough recipients for one letter. Please send another for the rest."
        try:
            recipient = tokens.recipient_of(address, self._units, self.domain)
        except Refusal as refusal:
            return replies.refused(refusal)
        if recipient.token and envelope.token not in ("", recipient.token):
            return "452 4.5.3 This address has another person's token. Please send a letter of its own for it."
        envelope.token = envelope.token or recipient.token
        mailbox = address.partition("@")[0].partition("+")[0]
        shown = f"{mailbox}{'+***' if recipient.token else ''}@{self.domain}"
        envelope.units.setdefault(recipient.unit, tokens.redacted(shown))
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Recipient noted"

    async def handle_VRFY(self, *_: Any) -> str:
        """Tells nobody who exists (RFC 5321 §7.3)."""
        return "252 2.5.0 Please send the letter, and you will see."

    async def handle_exception(self, error: Exception) -> str:
        """The reply after a hook or the engine failed; the error's text stays in the log."""
        if isinstance(error, BareNewline):
            return "521 5.5.2 Lines must end in CR LF, and neither may stand alone. Nothing was kept."
        log.error("unexpected", exc_info=error)
        return replies.TRY_LATER

    async def answer_for(self, content: bytes, envelope: LetterEnvelope, session: Any) -> str:
        """Deposits a letter with each recipient and words the one reply. Never raises."""
        task = asyncio.current_task()
        self._answers.add(task)
        try:
            token = envelope.token or await asyncio.to_thread(tokens.token_in, content)
            handed = [
                Handed(token, unit, content, _facts(session, envelope, shown)) for unit, shown in envelope.units.items()
            ]
            return reply_for(
                await asyncio.gather(*(self._deposits.deposit(each) for each in handed), return_exceptions=True)
            )
        except Refusal as refusal:
            return replies.refused(refusal)
        except Exception as error:
            log.error("unexpected", exc_info=error)
            return replies.TRY_LATER
        finally:
            self._answers.discard(task)


_HOOKS = [name for name in dir(Door) if name.startswith("handle_")]


def reply_for(outcomes: Sequence[pb.Acceptance | BaseException]) -> str:
    """One reply for all recipients: "later" wins, since a repeated letter keeps the numbers it has."""
    acceptances = [each for each in outcomes if isinstance(each, pb.Acceptance)]
    errors = [each for each in outcomes if isinstance(each, BaseException)]
    for error in errors:
        if not isinstance(error, Refusal):
            log.error("unexpected", exc_info=error)
    numbers = [each.number for each in acceptances]
    if errors:
        worst = next((each for each in errors if replies.refused(each) == replies.TRY_LATER), errors[0])
        return replies.refused(worst, numbers)
    return replies.accepted(numbers, receipt_follows=any(each.receipt_follows for each in acceptances))


def _facts(session: Any, envelope: LetterEnvelope, shown: str) -> dict[str, str]:
    facts = {
        "client-host": _address_of(session),
        "helo": session.host_name,
        "mail-from": envelope.mail_from,
        "rcpt-to": shown,
        "tls": session.ssl["cipher"][1] if session.ssl else "none",
    }
    return {name: tokens.redacted(value) for name, value in facts.items()}


def _address_of(session: Any) -> str:
    return str(session.peer[0])
