"""Telegram's own objects as the dialogue's facts."""

import telegram
from telegram.constants import ChatType

from services.frontdoor import dialogue
from services.frontdoor.texts import chat as texts


def message_of(message: telegram.Message) -> dialogue.Message:
    """The facts of a message."""
    file = _file_of(message)
    text = message.text or message.caption or ""
    return dialogue.Message(
        text=text,
        sent_at=message.date,
        file=file,
        in_album=message.media_group_id is not None,
        readable=file is not None or message.text is not None,
    )


def _file_of(message: telegram.Message) -> dialogue.File | None:
    if message.document:
        document = message.document
        return dialogue.File(
            key=document.file_id,
            mark=document.file_unique_id,
            name=document.file_name or texts.file_name(message.message_id),
            media_type=document.mime_type or "",
            size_bytes=document.file_size or 0,
        )
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        name = texts.photo_name(message.message_id)
        return dialogue.File(largest.file_id, largest.file_unique_id, name, "image/jpeg", largest.file_size or 0)
    return None


def is_private(message: telegram.Message) -> bool:
    """Whether the message stands in a chat of one person with the bot, and that person wrote it."""
    sender = message.from_user
    return message.chat.type == ChatType.PRIVATE and sender is not None and sender.id == message.chat.id


def is_meant_for(message: telegram.Message, bot_id: int, bot_name: str) -> bool:
    """Whether a message in a group or channel speaks to the bot: a command, its name, an answer, its arrival."""
    text = message.text or message.caption or ""
    word = text.split(maxsplit=1)[0] if text.strip() else ""
    if word.startswith("/"):
        return "@" not in word or word.lower().endswith(f"@{bot_name.lower()}")
    if f"@{bot_name.lower()}" in text.lower():
        return True
    if any(member.id == bot_id for member in message.new_chat_members):
        return True
    answered = message.reply_to_message
    return answered is not None and answered.from_user is not None and answered.from_user.id == bot_id
