"""The loop that takes updates: each is handled to its end before Telegram is told that it was taken.

So a kill at any moment repeats an update and loses none. What is remembered here only spares repetition.
"""

import asyncio
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby

import structlog
import telegram
from telegram.error import Forbidden, RetryAfter, TelegramError

from services.frontdoor.telegram.api import kind_of, seconds_of

log = structlog.get_logger()
_KINDS = ["message", "edited_message", "channel_post", "callback_query"]
_LONG_POLL_S = 25
_BATCH = 40
_TRIES = 3
_LONGEST_PAUSE_S = 30.0
# Between rounds while an update waits to be tried again: the others' updates come by these rounds too.
_ROUND_PAUSE_S = 1.0
Work = Callable[[telegram.Update], Awaitable[None]]


class Polling:
    """Takes updates: those of one chat in order, chats side by side."""

    def __init__(self, bot: telegram.Bot, answer: Work, apologise: Work) -> None:
        self._bot = bot
        self._answer = answer
        self._apologise = apologise
        self._offset: int | None = None
        self._done: set[int] = set()
        self._tries: Counter[int] = Counter()
        self._not_before: dict[int, float] = {}  # by chat, on the loop's clock: as Telegram asked

    async def run(self) -> None:
        """Takes updates until cancelled."""
        pause_s = 0.5
        while True:
            try:
                updates = await self._bot.get_updates(
                    self._offset, _BATCH, timeout=_LONG_POLL_S, allowed_updates=_KINDS
                )
                pause_s = 0.5
                if not await self._handle(updates):
                    await asyncio.sleep(_ROUND_PAUSE_S)
            except RetryAfter as error:
                await asyncio.sleep(seconds_of(error))
            except TelegramError as error:
                log.warning("telegram-away", error=kind_of(error))
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _handle(self, updates: Sequence[telegram.Update]) -> bool:
        """Handles what is new and moves the offset behind all that is done; whether nothing is left over."""
        new = sorted((each for each in updates if each.update_id not in self._done), key=_chat_of)
        await asyncio.gather(*(self._handle_chat(list(each)) for _, each in groupby(new, _chat_of)))
        for each in updates:
            if each.update_id not in self._done:
                return False
            self._done.discard(each.update_id)
            self._tries.pop(each.update_id, None)
            self._offset = each.update_id + 1
        return True

    async def _handle_chat(self, updates: Sequence[telegram.Update]) -> None:
        now = asyncio.get_running_loop().time()
        for update in updates:
            if now < self._not_before.get(_chat_of(update), 0.0) or not await self._is_done(update):
                return
            self._done.add(update.update_id)
            self._not_before.pop(_chat_of(update), None)

    async def _is_done(self, update: telegram.Update) -> bool:
        """Handles one update; False if it must come again."""
        try:
            await self._answer(update)
        except Forbidden:
            # Blocked by its sender: nobody is left to tell.
            log.info("chat-closed", update=update.update_id)
        except RetryAfter as error:
            self._not_before[_chat_of(update)] = asyncio.get_running_loop().time() + seconds_of(error)
            return False
        except Exception as error:
            self._tries[update.update_id] += 1
            log.error("update-failed", update=update.update_id, error=kind_of(error), at=_place_of(error))
            if self._tries[update.update_id] < _TRIES:
                return False
            await self._give_up(update)
        return True

    async def _give_up(self, update: telegram.Update) -> None:
        try:
            await self._apologise(update)
        except TelegramError as error:
            log.error("apology-failed", update=update.update_id, error=kind_of(error))
        log.error("update-skipped", update=update.update_id)


def _chat_of(update: telegram.Update) -> int:
    return update.effective_chat.id if update.effective_chat else 0


def _place_of(error: Exception) -> str:
    """File and line where the error arose: the traceback's text may quote a letter."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
