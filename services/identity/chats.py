"""One-time codes that link a chat account: six digits, derived and never stored."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.chassis.errors import Invalid, Unauthenticated
from services.identity.digests import digest

CODE_LASTS = timedelta(minutes=15)
TRIES = 5
# 10 codes of 5 tries a day: a guesser of one profile's codes succeeds within 27 years in one case of two.
CODES_PER_DAY = 10
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Chat:
    """An account of a messenger, by the messenger's own number."""

    channel: str
    account: str


def unlinked() -> Unauthenticated:
    """The refusal of a chat that speaks for nobody."""
    return Unauthenticated(
        "chat-unlinked",
        "This chat is not linked to an active trusted profile. Nothing was kept. Link it with your token or a code.",
    )


def wrong_code() -> Unauthenticated:
    """One refusal for wrong, used and expired, so that a guesser learns nothing."""
    return Unauthenticated(
        "code-unknown",
        "This code is wrong, was used already, or has expired. Nothing was linked. Ask for a new code.",
    )


def chat_of(channel: str, account: str) -> Chat:
    """The chat account; Invalid if either part is empty, too long or not printable."""
    for part in (channel, account):
        if not 0 < len(part) <= 255 or not part.isprintable():
            raise Invalid("chat-malformed", "The chat account needs a channel and a number. Nothing was changed.")
    return Chat(channel, account)


def code_of(pepper: bytes, code_id: int) -> str:
    """The six digits of the code with this id. Ids are never used again, so no two codes hang together."""
    return f"{int.from_bytes(digest(pepper, 'chat-code', str(code_id))[:8]) % 1_000_000:06d}"


def code_fits(pepper: bytes, code_id: int, expires_at: datetime, typed: str, now: datetime) -> bool:
    """Whether these are the digits of this code, in time; takes the same time for every wrong one."""
    return hmac.compare_digest(code_of(pepper, code_id).encode(), "".join(typed.split()).encode()) and now < expires_at
