"""A letter as one RFC 5322 message: the same arguments give the same bytes."""

import hashlib
import mimetypes
import secrets
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from zwrotka_client.errors import Invalid

MAX_CONTENT_BYTES = 32 << 20
MAX_SUBJECT_CHARACTERS = 200


@dataclass(frozen=True)
class Attachment:
    """A file sent along."""

    filename: str
    content: bytes
    content_type: str = ""  # empty: by the file name's ending

    @classmethod
    def from_file(cls, path: Path) -> "Attachment":
        """Reads a file; OSError where that cannot be done."""
        return cls(path.name, path.read_bytes())


def new_key() -> str:
    """A key for one sending: a UUIDv7 (RFC 9562 §5.7), which carries its time."""
    value = time.time_ns() // 1_000_000 << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def time_in(key: str) -> datetime | None:
    """The time a UUIDv7 key was made, in whole seconds; None for any other key."""
    try:
        value = uuid.UUID(key)
        return datetime.fromtimestamp((value.int >> 80) // 1000, UTC) if value.version == 7 else None
    except (ValueError, OverflowError):
        return None


def compose(
    *,
    sender: str,
    recipient: str,
    domain: str,
    subject: str,
    text: str,
    attachments: Sequence[Attachment],
    key: str,
) -> bytes:
    """The message's bytes, at most 32 MiB; Invalid above that.

    `sender` and `recipient` are addresses as their headers show them. Date is the key's time, so that whoever
    repeats a sending in another process repeats its bytes; a key that carries no time makes a message without
    Date, and the evidence alone says when it was accepted.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = _one_line(subject) or _one_line(text)
    if moment := time_in(key):
        message["Date"] = format_datetime(moment)
    message["Message-ID"] = f"<{_digest(sender, recipient, key)}@{domain}>"
    message.set_content(text)
    for each in attachments:
        maintype, _, subtype = _content_type(each).partition("/")
        message.add_attachment(each.content, maintype=maintype, subtype=subtype, filename=each.filename)
    if attachments:
        message.set_boundary("=_" + _digest(text, *(hashlib.sha256(each.content).hexdigest() for each in attachments)))
    content = message.as_bytes()
    if len(content) > MAX_CONTENT_BYTES:
        raise Invalid(
            "too-large",
            f"The letter with its attachments is {len(content) / (1 << 20):.1f} MiB as sent; at most 32 MiB are taken. "
            "Nothing was sent. Send smaller or fewer attachments.",
        )
    return content


def _content_type(attachment: Attachment) -> str:
    guessed = attachment.content_type or mimetypes.guess_type(attachment.filename)[0] or ""
    # A message or multipart may not be in base64 (RFC 2046 §5.2.1), so such a file goes as plain bytes.
    return (
        guessed if "/" in guessed and not guessed.startswith(("message/", "multipart/")) else "application/octet-stream"
    )


def _one_line(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= MAX_SUBJECT_CHARACTERS else line[: MAX_SUBJECT_CHARACTERS - 1] + "…"


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:32]
