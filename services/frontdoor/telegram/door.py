"""Answers one update. Called again with the same update it does the same again: letters and links are repeatable."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC

import structlog
import telegram
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message, ReplyParameters
from telegram.constants import ChatType
from telegram.error import BadRequest

from services.chassis.city import City
from services.chassis.errors import AlreadyExists, Invalid, Refusal, Unauthenticated, Unavailable
from services.frontdoor import dialogue
from services.frontdoor.telegram.api import patiently, quietly
from services.frontdoor.telegram.house import House
from services.frontdoor.telegram.letter import Place, letter_of
from services.frontdoor.telegram.updates import is_meant_for, is_private, message_of
from services.frontdoor.texts import chat as texts

log = structlog.get_logger()
# Letters with files that are in memory at once: each is held some four times while it is built and handed in.
_FILES_AT_ONCE = 2
_FETCH_S = 90.0


class Door:
    """The chats of one bot. `mail_code(email, code)` sends a linking code to a registered address."""

    def __init__(
        self, bot: telegram.Bot, house: House, city: City, mail_code: Callable[[str, str], Awaitable[None]]
    ) -> None:
        self._bot = bot
        self._house = house
        self._city = city
        self._mail_code = mail_code
        self._files = asyncio.Semaphore(_FILES_AT_ONCE)

    async def answer(self, update: telegram.Update) -> None:
        """Does all that an update asks for. A crash anywhere leaves it unconfirmed, and it comes again."""
        message = update.message or update.channel_post or update.edited_message
        if update.callback_query:
            await self._pressed(update.callback_query)
        elif message is None or (message.from_user is not None and message.from_user.is_bot):
            return
        elif not is_private(message):
            if update.edited_message is None and is_meant_for(message, self._bot.id, self._bot.username):
                await self._reply(message, texts.NO_GROUPS)
        elif update.edited_message is None or _shows_token(message):
            await self._said(message)
        else:
            await self._reply(message, texts.EDITED)

    async def apologise(self, update: telegram.Update) -> None:
        """Tells the person that an update could not be handled."""
        chat = update.effective_chat
        if chat is not None and chat.type == ChatType.PRIVATE:
            await self._say(chat.id, texts.APOLOGY)

    async def _said(self, message: Message) -> None:
        try:
            await self._do(message, dialogue.intent_of(message_of(message)))
        except Unavailable as trouble:
            log.warning("house-away", reason=trouble.reason)
            await self._reply(message, texts.TRY_AGAIN)

    async def _do(self, message: Message, intent: dialogue.Intent) -> None:
        match intent:
            case dialogue.LinkByToken():
                await self._link_by_token(message, intent)
            case dialogue.LinkByCode(code):
                await self._link_by_code(message, code)
            case dialogue.Unlink():
                await self._house.unlink(message.chat.id)
                await self._reply(message, texts.UNLINKED)
            case dialogue.ListLetters():
                await self._list_letters(message)
            case _ if await self._house.chat_is_linked(message.chat.id):
                await self._do_for_linked(message, intent)
            case dialogue.Start():
                await self._reply(message, texts.start(self._city))
            case dialogue.AskForCode(email):
                await self._issue_code(message, email)
            case _:
                await self._reply(message, texts.NOT_LINKED)

    async def _do_for_linked(self, message: Message, intent: dialogue.Intent) -> None:
        match intent:
            case dialogue.Write() | dialogue.AskForCode():
                unit = self._city.residents_unit.code
                await self._reply(message, self._preview(message, unit), self._buttons(message, unit))
            case dialogue.Start():
                await self._reply(message, texts.ALREADY_LINKED)
            case dialogue.TooLarge():
                await self._reply(message, texts.TOO_LARGE)
            case dialogue.UnknownCommand():
                await self._reply(message, texts.UNKNOWN_COMMAND)
            case _:
                await self._reply(message, texts.UNREADABLE)

    async def _link_by_token(self, message: Message, shown: dialogue.LinkByToken) -> None:
        # Out of the chat before all else, whatever the token turns out to be.
        removed = await self._remove(message)
        try:
            answer = texts.linked(await self._house.link_by_token(message.chat.id, shown.token))
        except Invalid:
            answer = texts.TOKEN_SLIP
        except Unavailable:
            answer = texts.TRY_AGAIN
        except Refusal:
            answer = texts.TOKEN_UNKNOWN
        await self._say(message.chat.id, f"{texts.token_removed(removed, shown.alone)}\n\n{answer}")

    async def _remove(self, message: Message) -> bool:
        try:
            return await patiently(lambda: self._bot.delete_message(message.chat.id, message.message_id))
        except BadRequest as error:
            # Not there any more: this update came before.
            return "not found" in str(error).lower()

    async def _link_by_code(self, message: Message, code: str) -> None:
        try:
            answer = texts.linked(await self._house.link_by_code(message.chat.id, code))
        except Unavailable:
            raise
        except Refusal:
            # This update may have come before, and used the code up.
            linked = await self._house.chat_is_linked(message.chat.id)
            answer = texts.ALREADY_LINKED if linked else texts.CODE_UNKNOWN
        await self._reply(message, answer)

    async def _issue_code(self, message: Message, email: str) -> None:
        code, registered = await self._house.issue_code(message.chat.id, email)
        # Answered before the mail goes, so that neither words nor time tell whether the address is known.
        await self._reply(message, texts.CODE_COMES)
        if code:
            # A crash here leaves the update unconfirmed: it comes again, and a new code is mailed.
            await self._mail_code(registered, code)

    async def _list_letters(self, message: Message) -> None:
        try:
            letters = await self._house.letters_of(message.chat.id)
        except Unauthenticated:
            await self._reply(message, texts.NOT_LINKED)
            return
        rows = [
            texts.Row(
                number=each.number,
                accepted_at=each.accepted_at.ToDatetime(UTC),
                subject=each.subject,
                unit=each.unit,
                state=each.state,
                due_on=each.due_on,
                answered_by=each.answered_by,
            )
            for each in letters
        ]
        await self._reply(message, texts.letters(rows, self._city))

    async def _pressed(self, query: telegram.CallbackQuery) -> None:
        # Stops the button's clock; refused for a press that is old or came before.
        await quietly(lambda: self._bot.answer_callback_query(query.id))
        preview = query.message
        if preview is None or preview.chat.type != ChatType.PRIVATE or query.from_user.id != preview.chat.id:
            return
        if not isinstance(preview, Message):
            # Telegram keeps what a very old message said from bots.
            await self._say(preview.chat.id, texts.BUTTON_OLD)
            return
        original = preview.reply_to_message
        match dialogue.press_of(query.data or "", self._city.units):
            case dialogue.Cancel():
                await self._show(preview, texts.CANCELLED)
            case None:
                await self._show(preview, texts.BUTTON_OLD)
            case _ if original is None or not is_private(original):
                await self._show(preview, texts.ORIGINAL_GONE)
            case dialogue.Choose(unit):
                await self._show(preview, self._preview(original, unit), self._buttons(original, unit))
            case dialogue.Send(unit, mark):
                await self._send(preview, original, unit, mark)

    async def _send(self, preview: Message, original: Message, unit: str, mark: str) -> None:
        facts = message_of(original)
        if not isinstance(dialogue.intent_of(facts), dialogue.Write | dialogue.AskForCode):
            # Edited into something else, a token perhaps, since it was shown.
            await self._show(preview, texts.BUTTON_OLD)
            await self._said(original)
        elif dialogue.mark_of(facts) != mark:
            await self._show(preview, self._preview(original, unit, changed=True), self._buttons(original, unit))
        elif facts.file is None:
            await self._hand_in(preview, original, unit, None)
        else:
            async with self._files:
                try:
                    content = await self._fetch(facts.file)
                except BadRequest as error:
                    too_large = "too big" in str(error).lower()
                    await self._show(preview, texts.TOO_LARGE if too_large else texts.FILE_GONE)
                    return
                await self._hand_in(preview, original, unit, content)

    async def _fetch(self, file: dialogue.File) -> bytes:
        async with asyncio.timeout(_FETCH_S):
            found = await patiently(lambda: self._bot.get_file(file.key))
            return bytes(await patiently(found.download_as_bytearray))

    async def _hand_in(self, preview: Message, original: Message, unit: str, content: bytes | None) -> None:
        place = Place(self._bot.id, original.chat.id, original.message_id)
        to = f"{self._city.units[unit].mailbox}@{self._city.domain}"
        letter = letter_of(message_of(original), place, to, content)
        facts = {
            "chat-kind": "private",
            "bot-id": str(place.bot),
            "message-id": str(place.message),
            "message-at": original.date.isoformat(),
        }
        try:
            acceptance = await self._house.deposit(place.chat, unit, letter, place.key, facts)
        except Unavailable as trouble:
            log.warning("house-away", reason=trouble.reason)
            # The button stays: pressing it again is the whole remedy.
            await self._reply(preview, texts.TRY_THE_BUTTON_AGAIN)
        except Unauthenticated:
            await self._show(preview, texts.NOT_LINKED)
        except AlreadyExists:
            await self._show(preview, texts.SENT_BEFORE)
        except Refusal as refusal:
            await self._show(preview, texts.refused(refusal.sentence))
        else:
            log.info("letter-handed-in", number=acceptance.number, repeated=acceptance.repeated_deposit)
            # A crash here leaves the press unconfirmed: it comes again and finds the letter under its key.
            await self._show(
                preview,
                texts.accepted(
                    acceptance.number,
                    acceptance.accepted_at.ToDatetime(UTC),
                    self._city.units[acceptance.unit or unit],
                    acceptance.due_on,
                    repeated=acceptance.repeated_deposit,
                ),
            )

    def _preview(self, message: Message, unit: str, *, changed: bool = False) -> str:
        return texts.preview(message_of(message), self._city.units[unit], self._city, changed=changed)

    def _buttons(self, message: Message, unit: str) -> InlineKeyboardMarkup:
        rows = dialogue.keyboard(message_of(message), unit, self._city.units)
        return InlineKeyboardMarkup(
            [
                [
                    InlineKeyboardButton(texts.label(press, self._city), callback_data=dialogue.data_of(press))
                    for press in row
                ]
                for row in rows
            ]
        )

    async def _reply(self, message: Message, text: str, buttons: InlineKeyboardMarkup | None = None) -> None:
        to = ReplyParameters(message.message_id, allow_sending_without_reply=True)
        # Telegram's answer repeats the message replied to; one that the library cannot read would look like a failure.
        await self._say(message.chat.id, text, buttons, to if message_of(message).readable else None)

    async def _say(
        self, chat: int, text: str, buttons: InlineKeyboardMarkup | None = None, to: ReplyParameters | None = None
    ) -> None:
        await patiently(lambda: self._bot.send_message(chat, text, reply_markup=buttons, reply_parameters=to))

    async def _show(self, preview: Message, text: str, buttons: InlineKeyboardMarkup | None = None) -> None:
        """Puts the text in the preview's place. One call, so that shown twice it is still seen once."""
        try:
            await patiently(
                lambda: self._bot.edit_message_text(text, preview.chat.id, preview.message_id, reply_markup=buttons)
            )
        except BadRequest as error:
            if "not modified" not in str(error).lower():
                await self._say(preview.chat.id, text, buttons)


def _shows_token(message: Message) -> bool:
    return isinstance(dialogue.intent_of(message_of(message)), dialogue.LinkByToken)
