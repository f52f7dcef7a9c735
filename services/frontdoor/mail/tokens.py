"""Where a letter says who writes: the token in the address, in the subject or in the first line of the text."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message

from services.chassis import codes
from services.chassis.errors import NotFound, Unauthenticated

TOKEN_SYMBOLS = 20
# The token of a letter stands in its head or first line: what comes later is not looked at.
LOOKED_AT_BYTES = 64 << 10
# Hyphens also as word processors put them. Not inside a longer run: that is something else.
_SHAPE = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{5}(?:[-\u2010-\u2015\u2212][0-9A-Za-z]{5}){3}(?![0-9A-Za-z])")
_DASHES = re.compile(r"[-\u2010-\u2015\u2212]")
_RUN = re.compile(r"[0-9A-Za-z-]{20,}")
_TAGS = re.compile(r"(?is)<(?:style|script|head|title)\b.*?</(?:style|script|head|title)>|<!--.*?-->|<[^>]*>")
_BREAKS = re.compile(r"(?i)<(?:br|/p|/div|/tr|/h\d|/li)\b[^>]*>")
_FIRST_PARTS = 20

SLIP = "This trusted-profile token has a typing slip: its check characters do not fit."


@dataclass(frozen=True)
class Recipient:
    """A unit's mailbox, and the token its address carries, or ""."""

    unit: str
    token: str


def recipient_of(address: str, units: Mapping[str, str], domain: str) -> Recipient:
    """The recipient an envelope address names; `units` are codes by mailbox. NotFound says what is wrong with it."""
    local, _, host = address.rpartition("@") if "@" in address else (address, "", "")
    mailbox, plus, token = local.strip('"').partition("+")
    mailbox = mailbox.lower()
    if mailbox in ("postmaster", "abuse") and host.lower() in ("", domain):
        raise NotFound(
            "no-operator-mailbox",
            f"This door takes letters to the city's units only, so {mailbox} is not read here and nothing was kept. "
            "Please use the contacts on the city's web page.",
        )
    if host.lower() != domain:
        raise NotFound("foreign-domain", f"Only addresses at {domain} are served here. Nothing was kept.")
    if mailbox not in units:
        raise NotFound("no-such-mailbox", f"No unit of the city has this mailbox at {domain}. Nothing was kept.")
    if not plus:
        return Recipient(units[mailbox], "")
    if not (whole := whole_token(token)):
        raise NotFound("token-slip", f"{SLIP} Nothing was kept. Compare the address with the one you were given.")
    return Recipient(units[mailbox], whole)


def whole_token(text: str) -> str:
    """The token in its written form if its length and check characters fit, else ""."""
    code = codes.normalized(_DASHES.sub("-", text))
    return codes.grouped(code, 5) if len(code) == TOKEN_SYMBOLS and codes.is_whole(code) else ""


def token_in(content: bytes) -> str:
    """The token in a letter's subject, else in its first line. Unauthenticated says how to write validly."""
    message = message_from_bytes(content[:LOOKED_AT_BYTES])
    slipped = False
    for line in _places(message):
        for match in _SHAPE.finditer(line):
            if whole := whole_token(match[0]):
                return whole
            slipped = True
    if slipped:
        raise Unauthenticated("token-slip", f"{SLIP} Nothing was kept. Please compare it and send the letter again.")
    raise Unauthenticated(
        "no-token",
        "The letter carries no trusted-profile token, so nothing was kept. Send it to your personal letter address, "
        "or put the token into the subject or the first line.",
    )


def redacted(text: str) -> str:
    """The text without anything that is a token or shaped like one, and without what no XML may hold."""
    shown = text[:320]
    if not shown.isprintable():
        shown = "".join(symbol if symbol.isprintable() else "?" for symbol in shown)
    return _RUN.sub(lambda run: "***" if whole_token(run[0]) else run[0], _SHAPE.sub("***", shown))


def _places(message: "Message[str, str]") -> Iterator[str]:
    yield _subject(message)
    yield _first_line(message)


def _subject(message: "Message[str, str]") -> str:
    raw = next((value for name, value in message.raw_items() if name.lower() == "subject"), "")
    raw = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # bytes beyond ASCII came as surrogates
    try:
        return "".join(part if isinstance(part, str) else _decoded(part, name) for part, name in decode_header(raw))
    except (HeaderParseError, ValueError):
        return raw


def _first_line(message: "Message[str, str]") -> str:
    for number, part in enumerate(message.walk()):
        if number >= _FIRST_PARTS:
            break
        if part.get_content_maintype() != "text" or part.get_filename():
            continue
        payload = part.get_payload(decode=True)
        text = _decoded(payload if isinstance(payload, bytes) else b"", part.get_content_charset())
        if part.get_content_subtype() == "html":
            text = _TAGS.sub("", _BREAKS.sub("\n", text)).replace("&nbsp;", " ")
        return next((line for line in text.splitlines() if line.strip("\ufeff \t")), "")
    return ""


def _decoded(raw: bytes, charset: str | None) -> str:
    """A token is ASCII, so what a wrong charset does to other letters does not matter here."""
    try:
        return raw.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return raw.decode("utf-8", "replace")
