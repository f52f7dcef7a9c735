"""What makes a letter: its number, what it is known by when it comes again, what may be shown of it."""

import hashlib
import re
import secrets
import uuid
from collections.abc import Sequence
from email.message import Message

from services.chassis import codes
from services.chassis.errors import Invalid

MAX_CONTENT_BYTES = 32 << 20
MAX_FACTS = 24
MAX_FACT_CHARS = 1000
CHANNELS = ("smtp", "telegram", "grpc")
# What a message is known by when a mail server sends it again: its trace headers may differ then, these do not.
_LASTING_HEADERS = ("message-id", "date", "from", "to", "subject", "content-type", "content-transfer-encoding")
_GROUP = f"[{codes.ALPHABET}]{{5}}"
# Between groups: a hyphen or space, or a dash as word processors put it, also as the UTF-8 bytes of one in Latin-1.
_SEPARATOR = r"(?:[- \u2010-\u2015\u2212]|\xe2\x80[\x90-\x95]|\xe2\x88\x92)?"
# Looks ahead, so that a word of five letters before a token does not use up the token's first groups.
_TOKEN = re.compile(
    rf"(?<![0-9A-Za-z])(?=({_GROUP}(?:{_SEPARATOR}{_GROUP}){{3}})(?![0-9A-Za-z]))", re.IGNORECASE | re.ASCII
)
_NO_SYMBOL = re.compile(r"[^0-9A-Za-z]+")
_FACT_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
HIDDEN = "***"


def new_number() -> str:
    """A letter's number, "ZW-XXXX-XXXX-XXXX": ten random symbols (49 bits) and two check symbols."""
    return f"ZW-{codes.grouped(codes.make(12), 4)}"


def must_be_number(text: str) -> str:
    """The number in its canonical form; Invalid where the check symbols do not fit."""
    code = codes.normalized(text).removeprefix("ZW")
    if len(code) != 12 or not codes.is_whole(code):
        raise Invalid(
            "number-slip",
            "This is not a letter's number: its check characters do not fit. Compare it with the receipt.",
            {"number": "check characters do not fit"},
        )
    return f"ZW-{codes.grouped(code, 4)}"


def must_be_acceptable(content: bytes) -> None:
    """Invalid for a letter that is empty or too large."""
    if not content.strip():
        raise Invalid("content-empty", "The letter is empty. Nothing was kept.", {"content": "empty"})
    if len(content) > MAX_CONTENT_BYTES:
        raise Invalid(
            "content-too-large",
            f"The letter is larger than {MAX_CONTENT_BYTES >> 20} MiB. Nothing was kept. Send smaller attachments.",
            {"content": "too large"},
        )


def must_be_channel(channel: str) -> str:
    """The channel; Invalid for one that evidence has no name for."""
    if channel not in CHANNELS:
        raise Invalid("channel-unknown", "There is no such channel. Nothing was kept.", {"channel": "unknown"})
    return channel


def must_be_facts(facts: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Facts about the channel by name, values cut to size and free of tokens; Invalid for what evidence cannot hold."""
    if len(facts) > MAX_FACTS or not all(_FACT_NAME.fullmatch(name) for name, _ in facts):
        raise Invalid(
            "facts-malformed",
            f"A letter carries up to {MAX_FACTS} facts, their names in lower case with hyphens. Nothing was kept.",
            {"facts": "malformed"},
        )
    return {name: without_token(value)[:MAX_FACT_CHARS] for name, value in facts}


def content_key(headers: Message, body: bytes) -> str:
    """The same for the same message, also when it comes again over another path (hex SHA-256)."""
    digest = hashlib.sha256()
    for name in _LASTING_HEADERS:
        for value in headers.get_all(name, ()):
            digest.update(f"{name}:{value}\n".encode("utf-8", "surrogateescape"))
    digest.update(body)
    return digest.hexdigest()


def deposit_key(sender: str, addressee: str, key: str) -> bytes:
    """What a deposit is unique by: 32 bytes."""
    return hashlib.sha256("\0".join((sender, addressee, key)).encode("utf-8", "surrogateescape")).digest()


def without_token(text: str) -> str:
    """The text with every whole token in it replaced."""
    shown: list[str] = []
    at = 0
    for found in _TOKEN.finditer(text):
        if found.start() >= at and codes.is_whole(_NO_SYMBOL.sub("", found[1]).upper()):
            shown += [text[at : found.start()], HIDDEN]
            at = found.end(1)
    return "".join([*shown, text[at:]])


def new_evidence_id(now_ms: int) -> str:
    """A UUIDv7 (RFC 9562 §5.7): rising with time, so that keys are appended, not scattered."""
    value = (now_ms & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    return str(uuid.UUID(int=value))
