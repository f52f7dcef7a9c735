"""Somebody who writes to the bot, and what they see of it."""

import time
from typing import Any

from tests.telegram.bot_api import BotApi, Json


class Person:
    """Somebody who writes to the bot."""

    def __init__(self, api: BotApi, number: int, first_name: str = "Jan") -> None:
        self.api = api
        self.number = number
        self.user = {"id": number, "is_bot": False, "first_name": first_name}
        self.chat = {"id": number, "type": "private", "first_name": first_name}

    def says(self, text: str, *, chat: Json | None = None) -> int:
        """Writes a message; the update's id."""
        return self.sends({"text": text}, chat=chat)

    def sends(self, content: Json, *, chat: Json | None = None) -> int:
        """Sends anything; the update's id."""
        message = self.api.put({"chat": chat or self.chat, "from": self.user, **content})
        return self.api.deliver({"message": message})

    def sends_document(self, name: str, content: bytes, media_type: str, caption: str = "") -> int:
        """Sends a file; the update's id."""
        key = self.api.add_file(content)
        document = {
            "file_id": key,
            "file_unique_id": key,
            "file_name": name,
            "mime_type": media_type,
            "file_size": len(content),
        }
        return self.sends({"document": document} | ({"caption": caption} if caption else {}))

    def sends_photo(self, content: bytes, caption: str = "", **more: Any) -> int:
        """Sends a photo in two sizes; the update's id."""
        sizes = []
        for each, width in ((content[:10], 90), (content, 1280)):
            key = self.api.add_file(each)
            size = {"file_id": key, "file_unique_id": key, "width": width, "height": width, "file_size": len(each)}
            sizes.append(size)
        return self.sends({"photo": sizes} | ({"caption": caption} if caption else {}) | more)

    def edits(self, number: int, text: str) -> int:
        """Changes one of their messages; the update's id."""
        with self.api.changed:
            message = self.api.messages[self.number][number]
            message |= {"text": text, "edit_date": int(time.time())}
            return self.api.deliver({"edited_message": dict(message)})

    def presses(self, preview: Json, label: str) -> int:
        """Presses the button that says `label`; the update's id."""
        return self._presses(preview, _data_of(self.api.messages[self.number][preview["message_id"]], label))

    def presses_old(self, preview: Json, label: str) -> int:
        """Presses a button as `preview` still showed it, as a second device may; the update's id."""
        return self._presses(preview, _data_of(preview, label))

    def _presses(self, preview: Json, data: str) -> int:
        with self.api.changed:
            message = dict(self.api.messages[self.number][preview["message_id"]])
            if answered := message.pop("reply_to_message", None):
                # As it is now, and left out once it was deleted.
                now = self.api.messages[self.number].get(answered["message_id"])
                message |= {"reply_to_message": now} if now else {}
            query = {"id": "1", "from": self.user, "chat_instance": "1", "data": data, "message": message}
            return self.api.deliver({"callback_query": query})

    @property
    def seen(self) -> list[Json]:
        """The bot's messages in the chat, oldest first."""
        with self.api.changed:
            chat = self.api.messages[self.number]
            return [dict(chat[each]) for each in sorted(chat) if chat[each]["from"]["is_bot"]]

    @property
    def written(self) -> list[Json]:
        """Their own messages that are still there, oldest first."""
        with self.api.changed:
            chat = self.api.messages[self.number]
            return [chat[each] for each in sorted(chat) if not chat[each]["from"]["is_bot"]]

    def sees(self, words: str, *, times: int = 1, timeout_s: float = 20.0) -> Json:
        """Waits for a message of the bot with these words, for the `times`-th of them; that message."""

        def found() -> Json | None:
            texts = [each for each in self.seen if words in str(each.get("text", each.get("caption")))]
            return texts[times - 1] if len(texts) >= times else None

        message: Json = self.api.wait_until(found, timeout_s)
        return message

    def documents(self) -> dict[str, bytes]:
        """The files the bot sent, by name; of those sent twice the last."""
        return {
            each["document"]["file_name"]: self.api.files[each["document"]["file_id"]]
            for each in self.seen
            if "document" in each
        }


def _data_of(message: Json, label: str) -> str:
    rows = message["reply_markup"]["inline_keyboard"]
    data: str = next(button["callback_data"] for row in rows for button in row if button["text"].startswith(label))
    return data
