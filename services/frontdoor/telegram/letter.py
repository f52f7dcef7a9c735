"""A chat message as an RFC 5322 message, the same bytes each time: a press that comes twice is one letter."""

import hashlib
import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from services.frontdoor.dialogue import Message, subject_of

_MEDIA_TYPE = re.compile(r"([a-z0-9][a-z0-9!#$&^_.+-]{0,126})/([a-z0-9][a-z0-9!#$&^_.+-]{0,126})", re.IGNORECASE)
_DOMAIN = "telegram.invalid"  # reserved (RFC 2606): no mail can be sent to an account


@dataclass(frozen=True)
class Place:
    """Where a message stands in Telegram: numbers that are never used again."""

    bot: int
    chat: int
    message: int

    @property
    def key(self) -> str:
        """What the letter is known by, however often it is sent."""
        return f"telegram:{self.bot}:{self.chat}:{self.message}"


def letter_of(message: Message, place: Place, to: str, content: bytes | None) -> bytes:
    """The letter's bytes. `content` is the message's file, `to` the unit's address; the account stands in From."""
    letter = EmailMessage(policy=SMTP)
    letter["From"] = f"<{place.chat}@{_DOMAIN}>"
    letter["To"] = f"<{to}>"
    letter["Subject"] = _sound(subject_of(message))
    letter["Date"] = format_datetime(message.sent_at)
    letter["Message-ID"] = f"<{place.bot}.{place.chat}.{place.message}@{_DOMAIN}>"
    text = "\n".join(_sound(message.text).splitlines()) + "\n"
    letter.set_content(text, charset="utf-8", cte="quoted-printable")
    if message.file is not None and content is not None:
        # A random boundary would make each building another letter.
        letter.make_mixed(boundary="=_" + hashlib.sha256(place.key.encode()).hexdigest()[:32])
        main, sub = _media_type(message.file.media_type)
        name = "".join(symbol if symbol.isprintable() else "_" for symbol in _sound(message.file.name))
        letter.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return letter.as_bytes()


def _media_type(named: str) -> tuple[str, str]:
    match = _MEDIA_TYPE.fullmatch(named)
    # A message or multipart may not be sent base64 (RFC 2045 §6.4), and its parts would be taken for the letter's.
    if not match or match[1].lower() in ("message", "multipart"):
        return "application", "octet-stream"
    return match[1].lower(), match[2].lower()


def _sound(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
