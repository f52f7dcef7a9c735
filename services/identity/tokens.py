"""Trusted-profile tokens: 20 symbols, two of them checks, 89 bits; kept as a keyed digest, shown once."""

from services.chassis import codes
from services.chassis.errors import Invalid, Unauthenticated
from services.identity.digests import digest

_LENGTH = 20
_GROUP = 5
_MAX_TYPED = 100


def slip() -> Invalid:
    """The refusal of a token whose check characters do not fit."""
    return Invalid(
        "token-slip",
        "The token has a typing slip: its check characters do not fit. Nothing was kept. Compare it with your note, "
        "letter by letter, and try again.",
    )


def unknown() -> Unauthenticated:
    """One refusal for unknown, revoked and expired, so that nobody learns by trying which tokens have existed."""
    return Unauthenticated(
        "token-unknown",
        "This token is unknown, revoked or expired. Nothing was kept. Ask for a new one at a confirming point of city "
        "hall; bring your identity card.",
    )


def make() -> str:
    """A new token, normalized."""
    return codes.make(_LENGTH)


def read(text: str) -> str:
    """The token as typed (any case, hyphens, spaces), normalized; Invalid unless its check characters fit."""
    token = codes.normalized(text) if len(text) <= _MAX_TYPED else ""
    if len(token) != _LENGTH or not codes.is_whole(token):
        raise slip()
    return token


def digest_of(pepper: bytes, token: str) -> bytes:
    """What is kept of a normalized token."""
    return digest(pepper, "token", token)


def shown(token: str) -> str:
    """Grouped for reading out, as F7A8U-UWK9Q-2DR7W-6QGCZ."""
    return codes.grouped(token, _GROUP)


def letter_address(token: str, mailbox: str, domain: str) -> str:
    """The holder's personal address for letters to a mailbox of the city."""
    return f"{mailbox}+{shown(token).lower()}@{domain}"
