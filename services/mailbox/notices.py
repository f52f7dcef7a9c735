"""What becomes of a notice after an attempt to tell it."""

from enum import IntEnum
from typing import Any

MAIL, TELEGRAM = "mail", "telegram"
CARRIERS = (MAIL, TELEGRAM)
LONGEST_PAUSE_S = 900


class Result(IntEnum):
    """The result of an attempt; the numbers are those of NoticeResult on the wire."""

    SENT = 1
    TEMPORARY_FAILURE = 2
    PERMANENT_FAILURE = 3


def pause_s(attempts: int) -> int:
    """Seconds until the next attempt: 5, 10, 20, ... at most 15 minutes, for as long as it takes."""
    return int(min(5 * 2 ** min(attempts - 1, 20), LONGEST_PAUSE_S))


def settled(result: Result, carrier: str, attempts: int, now: int) -> dict[str, Any]:
    """The columns a notice gets: sent, due again, or, when its carrier can never bring it, handed to the mail."""
    if result is Result.SENT:
        return {"state": "sent", "settled_at": now}
    if result is Result.TEMPORARY_FAILURE:
        return {"due_at": now + pause_s(attempts) * 1000}
    if carrier != MAIL:
        return {"carrier": MAIL, "due_at": now}
    return {"state": "failed", "settled_at": now}
