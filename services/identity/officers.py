"""Officers: passwords by Argon2id, sessions by random tokens."""

import re
import secrets
from datetime import timedelta
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from services.chassis.errors import Unauthenticated
from services.identity.digests import digest

SESSION_LASTS = timedelta(hours=8)
MIN_PASSWORD = 12
_MAX_PASSWORD = 1024
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")

# 19 MiB, two passes, one lane: OWASP's first choice for Argon2id; two at a time keep a rush under 40 MiB.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_TURNS = BoundedSemaphore(2)
# Checked for a login that nobody has, so that it takes no less time.
_NOBODYS_HASH = _HASHER.hash(secrets.token_urlsafe(32))


def wrong_password() -> Unauthenticated:
    """One refusal for an unknown login and a wrong password."""
    return Unauthenticated("sign-in-wrong", "Login or password is wrong. Nothing was changed. Try again.")


def no_session() -> Unauthenticated:
    """The refusal of a call that needs a signed-in officer."""
    return Unauthenticated(
        "session-unknown", "You are not signed in, or your session has ended. Nothing was changed. Sign in again."
    )


def login_flaw(login: str) -> str:
    """What is wrong with a new login; "" if nothing."""
    if _LOGIN.fullmatch(login):
        return ""
    return "A login has up to 63 lower-case letters, digits, dots, underscores and hyphens. Choose another."


def must_be_login(login: str) -> str:
    """A login as it is typed, in lower case; what cannot be one is refused as a wrong one is."""
    login = login.strip().lower()
    if login_flaw(login):
        raise wrong_password()
    return login


def password_flaw(password: str) -> str:
    """What is wrong with a new password; "" if nothing."""
    if len(password) >= MIN_PASSWORD and len(password.encode()) <= _MAX_PASSWORD:
        return ""
    return f"A password has at least {MIN_PASSWORD} characters and at most {_MAX_PASSWORD} bytes. Choose another."


def hashed(password: str) -> str:
    """The password as it is kept: Argon2id in PHC form."""
    with _TURNS:
        return _HASHER.hash(password)


def password_fits(kept: str | None, password: str) -> bool:
    """Whether the password is the kept one; False, and no sooner, where none is kept."""
    if len(password.encode()) > _MAX_PASSWORD:
        return False
    try:
        with _TURNS:
            return _HASHER.verify(kept or _NOBODYS_HASH, password) and kept is not None
    except (Argon2Error, InvalidHashError):
        return False


def make_session() -> str:
    """A new session's token: 32 random bytes in ASCII."""
    return secrets.token_urlsafe(32)


def session_digest(pepper: bytes, session: str) -> bytes:
    """What is kept of a session's token."""
    return digest(pepper, "session", session)
