"""Brings receipts and answers to the chats. Between sending and settling a crash tells twice, never not at all."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from urllib.parse import urlsplit

import structlog
import telegram
from telegram import InputMediaDocument
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError
from zwrotka.mailbox.v1 import mailbox_pb2 as pb

from services.chassis.city import City
from services.chassis.errors import Refusal
from services.frontdoor.courier.compose import accepted_of, answered_of, unit_of
from services.frontdoor.telegram.api import kind_of, patiently, seconds_of
from services.frontdoor.telegram.house import House
from services.frontdoor.texts import chat as texts
from services.frontdoor.texts.told import Proof

log = structlog.get_logger()
_AT_ONCE = 8
_LEASE_S = 45
# Ends before the lease does: a settlement after it would be dropped, and the notice told without end.
_SENDING_S = 35.0
_IDLE_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 15.0
_GROUP = 10  # documents that one message may bring
Named = tuple[str, bytes]


class Courier:
    """Tells what is due to be told by Telegram."""

    def __init__(self, bot: telegram.Bot, house: House, city: City) -> None:
        self._bot = bot
        self._house = house
        self._city = city
        self._relay = urlsplit(bot.base_url).hostname or ""

    async def run(self) -> None:
        """Tells notices until cancelled."""
        pause_s = _IDLE_PAUSE_S
        while True:
            try:
                busy = await self.round()
                pause_s = 0.0 if busy else _IDLE_PAUSE_S
            except Refusal as trouble:
                log.warning("house-away", reason=trouble.reason)
                pause_s = min(max(2 * pause_s, _IDLE_PAUSE_S), _LONGEST_PAUSE_S)
            except Exception as error:
                # Leases run out by themselves; whatever went wrong is tried again.
                log.error("round-failed", error=kind_of(error))
                pause_s = _LONGEST_PAUSE_S
            await asyncio.sleep(pause_s)

    async def round(self) -> bool:
        """Tells what is due now; whether there was anything."""
        lease = await self._house.lease_notices(_AT_ONCE, _LEASE_S)
        if not lease.notices:
            return False
        accounts = await self._house.accounts_of(sorted({each.profile_id for each in lease.notices}))
        await asyncio.gather(
            *(self._tell(lease.lease_id, each, accounts.get(each.profile_id, [])) for each in lease.notices)
        )
        return True

    async def _tell(self, lease_id: str, notice: pb.Notice, accounts: Sequence[int]) -> None:
        # Every linked chat is told; one that has it is enough for the notice to be settled as sent.
        results = await asyncio.gather(*(self._attempt(notice, account) for account in accounts))
        results = results or [(pb.NOTICE_RESULT_PERMANENT_FAILURE, "no linked chat")]
        best = min(results, key=lambda each: _PREFERENCE.index(each[0]))
        settlement = pb.Settlement(
            notice_id=notice.notice_id,
            result=best[0],
            reply="; ".join(words for result, words in results if result == best[0])[:500],
            relay=self._relay,
        )
        # A crash here leaves the notice leased: it is told again when the lease ends.
        await self._house.settle(lease_id, settlement)
        log.info("notice-settled", notice=notice.notice_id, number=notice.letter.number, result=best[0])

    async def _attempt(self, notice: pb.Notice, account: int) -> tuple[pb.NoticeResult.ValueType, str]:
        send = self._send_answer if notice.kind == pb.NOTICE_KIND_ANSWER else self._send_receipt
        try:
            async with asyncio.timeout(_SENDING_S):
                numbers = await send(notice, account)
        except (Forbidden, BadRequest) as error:
            # The bot was blocked, or the chat is no more: the mail takes it from here.
            return pb.NOTICE_RESULT_PERMANENT_FAILURE, str(error)
        except RetryAfter as error:
            return pb.NOTICE_RESULT_TEMPORARY_FAILURE, f"retry after {seconds_of(error):.0f} s"
        except (TelegramError, TimeoutError) as error:
            # Their texts may quote the URL, and with it the bot's token.
            return pb.NOTICE_RESULT_TEMPORARY_FAILURE, kind_of(error)
        return pb.NOTICE_RESULT_SENT, f"message {' '.join(map(str, numbers))}"

    async def _send_receipt(self, notice: pb.Notice, account: int) -> list[int]:
        told = accepted_of(notice, unit_of(notice, self._city), self._city)
        return await self._send_documents(account, _evidence(notice.receipt, told.proof), texts.receipt(told))

    async def _send_answer(self, notice: pb.Notice, account: int) -> list[int]:
        told = answered_of(notice, unit_of(notice, self._city), self._city)
        whole = texts.answer(told)
        sent = []
        for start in range(0, len(whole), texts.MAX_SYMBOLS):
            piece = whole[start : start + texts.MAX_SYMBOLS]
            message = await patiently(partial(self._bot.send_message, account, piece))
            sent.append(message.message_id)
        enclosed = [(each.filename or f"{each.identifier}.bin", each.content) for each in notice.attachments]
        documents = [*enclosed, *_evidence(notice.receipt, told.proof)]
        return sent + await self._send_documents(account, documents, texts.answer_enclosures(told))

    async def _send_documents(self, account: int, documents: Sequence[Named], caption: str) -> list[int]:
        sent: list[int] = []
        for start in range(0, len(documents), _GROUP):
            group = documents[start : start + _GROUP]
            words = caption if start + _GROUP >= len(documents) else None
            sent += await patiently(self._sending(account, group, words))
        return sent

    def _sending(self, account: int, group: Sequence[Named], words: str | None) -> Callable[[], Awaitable[list[int]]]:
        async def one() -> list[int]:
            name, content = group[0]
            message = await self._bot.send_document(account, content, filename=name, caption=words)
            return [message.message_id]

        async def several() -> list[int]:
            media = [
                # A group shows the last one's caption below all of them.
                InputMediaDocument(content, filename=name, caption=words if place == len(group) else None)
                for place, (name, content) in enumerate(group, 1)
            ]
            return [each.message_id for each in await self._bot.send_media_group(account, media)]

        return one if len(group) == 1 else several


# Of several chats' results the one to settle with.
_PREFERENCE = (pb.NOTICE_RESULT_SENT, pb.NOTICE_RESULT_TEMPORARY_FAILURE, pb.NOTICE_RESULT_PERMANENT_FAILURE)


def _evidence(receipt: pb.Receipt, proof: Proof) -> list[Named]:
    return [(proof.xml, receipt.xml), (proof.log_proof, receipt.tlog_proof)]
