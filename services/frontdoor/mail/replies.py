"""The door's SMTP replies: ASCII, with an enhanced status code (RFC 3463), never an exception's text."""

import re
import textwrap
from collections.abc import Sequence

from services.chassis.errors import AlreadyExists, Forbidden, Invalid, NotFound, Refusal, Unauthenticated

# A reply line may have 512 octets (RFC 5321 §4.5.3.1.5); a sentence of ours is folded well below that.
_WIDTH = 400
_CODED = re.compile(r"[245]\d\d[ -][245]\.\d{1,3}\.\d{1,3} ")
# For replies that the engine words itself. 220, 354 and the answers to HELO and EHLO carry none (RFC 2034 §3).
_ENHANCED = {
    "221": "2.0.0",
    "250": "2.0.0",
    "421": "4.3.2",
    "451": "4.3.0",
    "452": "4.5.3",
    "500": "5.5.2",
    "501": "5.5.4",
    "502": "5.5.1",
    "503": "5.5.1",
    "504": "5.5.4",
    "521": "5.5.2",
    "538": "5.7.11",
    "552": "5.3.4",
    "554": "5.5.0",
    "555": "5.5.4",
}
_CODES: dict[type[Refusal], str] = {
    Invalid: "550 5.6.0",
    Unauthenticated: "550 5.7.1",
    Forbidden: "550 5.7.1",
    NotFound: "550 5.1.1",
    AlreadyExists: "550 5.6.0",
}
TRY_LATER = "451 4.3.0 We cannot take the letter just now. Your mail server will try again by itself."


def coded(reply: str) -> str:
    """The reply with an enhanced code, where it ought to have one and has none."""
    if _CODED.match(reply) or reply[:3] not in _ENHANCED:
        return reply
    return f"{reply[:3]} {_ENHANCED[reply[:3]]} {reply[4:].removeprefix('Error: ')}"


def refused(error: BaseException, numbers: Sequence[str] = ()) -> str:
    """The reply for a refusal; for anything that is none, and for our own trouble, "try again later".

    `numbers` are letters of the same message that another unit did get: they stay accepted.
    """
    code = _CODES.get(type(error)) if isinstance(error, Refusal) else None
    if code is None or not isinstance(error, Refusal):
        return TRY_LATER
    kept = f"{', '.join(numbers)} accepted; for the other recipients: " if numbers else ""
    return _folded(code, kept + error.sentence)


def accepted(numbers: Sequence[str], *, receipt_follows: bool) -> str:
    """The reply that promises: stored for good, under these numbers."""
    return _folded("250 2.0.0", f"{', '.join(numbers)} accepted{', receipt follows' if receipt_follows else ''}")


def _folded(code: str, text: str) -> str:
    """A reply of one or more lines, each with the code (RFC 5321 §4.2.1)."""
    plain = "".join(symbol if " " <= symbol <= "~" else "?" for symbol in text)
    lines = textwrap.wrap(plain, _WIDTH) or ["-"]
    status, enhanced = code.split(" ")
    last = len(lines) - 1
    return "\r\n".join(f"{status}{'-' if number < last else ' '}{enhanced} {line}" for number, line in enumerate(lines))
