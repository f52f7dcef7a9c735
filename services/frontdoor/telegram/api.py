"""The Bot API as this room uses it: through python-telegram-bot, against any base URL."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import telegram
from telegram.error import BadRequest, RetryAfter
from telegram.request import BaseRequest, HTTPXRequest

from services.chassis.settings import Settings

T = TypeVar("T")
# A longer wait holds up one chat, not all: it is raised.
_PATIENCE_S = 10.0


def bot_of(settings: Settings) -> telegram.Bot:
    """The bot, not yet connected."""
    # Their lines and tracebacks quote updates and URLs, and the URL holds the bot's token.
    for name in ("telegram", "httpx", "httpcore"):
        logging.getLogger(name).disabled = True
        logging.getLogger(name).propagate = False
    api = settings.telegram_api.rstrip("/")
    return telegram.Bot(
        settings.telegram_token,
        base_url=f"{api}/bot",
        base_file_url=f"{api}/file/bot",
        request=HTTPXRequest(read_timeout=15.0, write_timeout=15.0, media_write_timeout=30.0, pool_timeout=15.0),
        get_updates_request=_PollRequest(connection_pool_size=1, read_timeout=10.0, pool_timeout=10.0),
    )


class _PollRequest(HTTPXRequest):
    """Keeps an update that the library cannot read from hiding the others of its batch."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        answer: dict[str, Any] = BaseRequest.parse_json_payload(payload)
        if isinstance(answer.get("result"), list):
            answer["result"] = [each if _is_readable(each) else _bare(each) for each in answer["result"]]
        return answer


def _is_readable(update: dict[str, Any]) -> bool:
    try:
        return telegram.Update.de_json(update) is not None
    except Exception:  # whatever the library stumbles over
        return False


def _bare(update: dict[str, Any]) -> dict[str, Any]:
    """The update without what cannot be read: enough to confirm it, and to answer a private message."""
    bare: dict[str, Any] = {"update_id": update["update_id"]}
    match update.get("message"):
        case {"message_id": int(number), "date": int(date), "chat": {"id": int(chat), "type": "private"}}:
            person = {"id": chat, "is_bot": False, "first_name": ""}
            bare["message"] = {
                "message_id": number,
                "date": date,
                "chat": {"id": chat, "type": "private"},
                "from": person,
            }
    return bare


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Makes a call, waiting as long as Telegram asks for; a wait of over ten seconds is raised as RetryAfter."""
    while True:
        try:
            return await call()
        except RetryAfter as error:
            if seconds_of(error) > _PATIENCE_S:
                raise
            await asyncio.sleep(seconds_of(error))


async def quietly(call: Callable[[], Awaitable[Any]]) -> bool:
    """Makes a call whose refusal changes nothing, as when it was made before; whether it was granted."""
    try:
        await patiently(call)
    except BadRequest:
        return False
    return True


def seconds_of(error: RetryAfter) -> float:
    """How long Telegram asks to wait."""
    wait = error.retry_after
    return float(wait) if isinstance(wait, int) else wait.total_seconds()


def kind_of(error: BaseException) -> str:
    """An error for the log: its kind alone, since its text may quote the chat or the bot's token."""
    return type(error).__name__
