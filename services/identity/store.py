"""Identity's SQL, but for chats (chat_store).

Functions take an open transaction; the caller commits them whole or not at all. A crash before the commit leaves
nothing of a function's writes, after it all of them with their journal row; the comments say what that means to the
caller, who does not know which it was and repeats.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

import sqlalchemy as sa

from services.chassis.clock import from_ms, to_ms
from services.chassis.errors import Invalid, Refusal
from services.identity import officers, personal, profiles, tokens
from services.identity.chats import Chat
from services.identity.digests import digest
from services.identity.profiles import ACTIVE, EXPIRED, REQUESTED, REVOKED, Document, Person, Profile
from services.identity.schema import chats as chat_rows
from services.identity.schema import journal
from services.identity.schema import officers as officer_rows
from services.identity.schema import profiles as profile_rows
from services.identity.schema import sessions as session_rows
from services.identity.schema import tokens as token_rows

T = TypeVar("T")


@dataclass(frozen=True)
class Actor:
    """Who changes something: a role as chassis.rpc names it, a unit's officer, or the service itself."""

    role: str
    unit: str = ""
    officer_id: int | None = None


@dataclass(frozen=True)
class Contact:
    """How a holder is addressed and reached."""

    profile_id: str
    name: str
    email: str
    chats: list[Chat]
    is_active: bool


@dataclass(frozen=True)
class Officer:
    """An officer who may sign in."""

    id: int
    password_hash: str


OfficersWork = Callable[[sa.Connection, Actor, datetime], T | Refusal]
ITSELF = Actor("identity")


def holders(
    tx: sa.Connection, token_digests: Collection[bytes], linked: Collection[Chat], now: datetime
) -> dict[bytes | Chat, str]:
    """The active profiles' ids by valid token digest and by linked chat; at most one SELECT for each kind."""
    found: dict[bytes | Chat, str] = {}
    is_active = sa.and_(profile_rows.c.state == ACTIVE, profile_rows.c.ends_at > to_ms(now))
    if token_digests:
        valid = sa.and_(token_rows.c.revoked_at.is_(None), token_rows.c.expires_at > to_ms(now), is_active)
        of_tokens = sa.select(token_rows.c.digest, token_rows.c.profile_id).join(profile_rows)
        for token in tx.execute(of_tokens.where(token_rows.c.digest.in_(token_digests), valid)):
            found[token.digest] = token.profile_id
    if linked:
        accounts = {each.account for each in linked}
        of_chats = sa.select(chat_rows.c.channel, chat_rows.c.account, chat_rows.c.profile_id).join(profile_rows)
        for chat in tx.execute(of_chats.where(chat_rows.c.account.in_(accounts), is_active)):
            found[Chat(chat.channel, chat.account)] = chat.profile_id
    return found


def contacts(tx: sa.Connection, profile_ids: Collection[str], now: datetime) -> list[Contact]:
    """The contacts of those profiles that are or were confirmed."""
    linked: dict[str, list[Chat]] = {}
    for row in tx.execute(sa.select(chat_rows).where(chat_rows.c.profile_id.in_(profile_ids))):
        linked.setdefault(row.profile_id, []).append(Chat(row.channel, row.account))
    query = sa.select(profile_rows).where(profile_rows.c.id.in_(profile_ids), profile_rows.c.confirmed_at.is_not(None))
    return [
        Contact(row.id, person.name, person.email, linked.get(row.id, []), _profile(row).is_active(now))
        for row in tx.execute(query)
        for person in [personal.person_of(row)]
    ]


def request(tx: sa.Connection, pepper: bytes, person: Person, actor: Actor, now: datetime) -> Profile:
    """Keeps a request. The same request again, not yet lapsed, is found and not doubled."""
    end_what_is_due(tx, now)
    request_digest = _request_digest(pepper, person)
    known = sa.select(profile_rows).where(
        profile_rows.c.request_digest == request_digest, profile_rows.c.state == REQUESTED
    )
    for row in tx.execute(known):
        return _profile(row)
    profile = Profile(str(uuid4()), REQUESTED, now + profiles.REQUEST_LASTS)
    # Crash: a repetition finds no request and keeps it, or finds this one by its digest.
    tx.execute(
        sa.insert(profile_rows).values(
            id=profile.id,
            state=REQUESTED,
            **personal.columns_of(person),
            request_digest=request_digest,
            pesel_digest=_pesel_digest(pepper, person.pesel),
            email_digest=email_digest_of(pepper, person.email),
            requested_at=to_ms(now),
            ends_at=to_ms(profile.ends_at),
        )
    )
    note(tx, "profile-requested", actor, now, profile.id)
    return profile


def confirm(
    tx: sa.Connection,
    pepper: bytes,
    profile_id: str,
    document: Document,
    token: str,
    actor: Actor,
    now: datetime,
) -> datetime | Invalid:
    """Makes a request the active profile with its first token, and returns their end.

    The refusal for another PESEL is returned, not raised: raising would take its journal row back.
    """
    end_what_is_due(tx, now)
    profiles.must_be_confirmable(_profile_by(tx, profile_id), now)
    row = tx.execute(sa.select(profile_rows).where(profile_rows.c.id == profile_id)).one()
    if row.pesel_digest != _pesel_digest(pepper, document.pesel):
        # Crash: no trace of the attempt, and none of a confirmation.
        note(tx, "confirmation-refused", actor, now, profile_id, reason="pesel-differs")
        return profiles.pesel_differs()
    same_person = sa.and_(profile_rows.c.pesel_digest == row.pesel_digest, profile_rows.c.state == ACTIVE)
    if other := tx.execute(sa.select(profile_rows.c.id).where(same_person)).scalar_one_or_none():
        raise profiles.pesel_taken(other)
    ends_at = profiles.ends_at(now)
    person = replace(personal.person_of(row), document_number=document.number)
    # Crash: still a request, or confirmed with a token that nobody has seen; the officer is then told that it is
    # confirmed and issues another. Two officers at once: the second changes nothing, or meets one_active_profile.
    changed = tx.execute(
        sa.update(profile_rows)
        .where(profile_rows.c.id == profile_id, profile_rows.c.state == REQUESTED)
        .values(state=ACTIVE, confirmed_at=to_ms(now), ends_at=to_ms(ends_at), **personal.columns_of(person))
    ).rowcount
    if not changed:
        profiles.must_be_confirmable(_profile_by(tx, profile_id), now)
    note(tx, "profile-confirmed", actor, now, profile_id)
    _keep_token(tx, pepper, profile_id, token, ends_at, now)
    return ends_at


def issue_token(tx: sa.Connection, pepper: bytes, profile_id: str, token: str, actor: Actor, now: datetime) -> datetime:
    """Gives an active profile a new token instead of all earlier ones, and returns its end: the profile's."""
    profile = profiles.must_be_active(_profile_by(tx, profile_id), now)
    # Crash: the earlier token still holds, or only one that nobody has seen; the officer issues another.
    _revoke_tokens(tx, profile_id, now)
    _keep_token(tx, pepper, profile_id, token, profile.ends_at, now)
    note(tx, "token-issued", actor, now, profile_id)
    return profile.ends_at


def revoke(tx: sa.Connection, profile_id: str, reason: str, actor: Actor, now: datetime) -> None:
    """Ends a profile or a request with its tokens and links. What has ended already stays as it is."""
    profile = profiles.must_exist(_profile_by(tx, profile_id), now)
    if profile.state not in (REQUESTED, ACTIVE):
        return
    # Crash: the profile and all its tokens and links hold, or none does.
    tx.execute(sa.update(profile_rows).where(profile_rows.c.id == profile_id).values(state=REVOKED))
    _revoke_tokens(tx, profile_id, now)
    tx.execute(sa.delete(chat_rows).where(chat_rows.c.profile_id == profile_id))
    note(tx, "profile-revoked", actor, now, profile_id, reason=reason)


def enrol(tx: sa.Connection, login: str, password_hash: str, now: datetime) -> None:
    """Keeps an officer, or a known one's new password; their sessions end."""
    # Crash: as before; the enrolment is repeated.
    if known := officer_by(tx, login):
        tx.execute(sa.update(officer_rows).where(officer_rows.c.id == known.id).values(password_hash=password_hash))
        tx.execute(sa.delete(session_rows).where(session_rows.c.officer_id == known.id))
        note(tx, "password-set", replace(ITSELF, officer_id=known.id), now)
        return
    values = {"login": login, "password_hash": password_hash, "added_at": to_ms(now)}
    officer_id = tx.execute(sa.insert(officer_rows).values(values).returning(officer_rows.c.id)).scalar_one()
    note(tx, "officer-added", replace(ITSELF, officer_id=officer_id), now)


def officer_by(tx: sa.Connection, login: str) -> Officer | None:
    """The officer with this login."""
    row = tx.execute(sa.select(officer_rows).where(officer_rows.c.login == login)).one_or_none()
    return Officer(row.id, row.password_hash) if row else None


def open_session(tx: sa.Connection, session_digest: bytes, actor: Actor, now: datetime) -> datetime:
    """Opens a session of an officer at a unit, and returns its end."""
    expires_at = now + officers.SESSION_LASTS
    # Crash: a session whose token nobody has.
    tx.execute(
        sa.insert(session_rows).values(
            digest=session_digest,
            officer_id=actor.officer_id,
            unit=actor.unit,
            opened_at=to_ms(now),
            expires_at=to_ms(expires_at),
        )
    )
    note(tx, "session-opened", actor, now)
    return expires_at


def actor_in(tx: sa.Connection, session_digest: bytes, unit: str, now: datetime) -> Actor:
    """The officer whose session it is; a session is good at the unit where it was opened, until it ends."""
    officer_id = tx.execute(
        sa.select(session_rows.c.officer_id).where(
            session_rows.c.digest == session_digest,
            session_rows.c.unit == unit,
            session_rows.c.expires_at > to_ms(now),
        )
    ).scalar_one_or_none()
    if officer_id is None:
        raise officers.no_session()
    return Actor("unit", unit, officer_id)


def end_what_is_due(tx: sa.Connection, now: datetime) -> None:
    """Deletes lapsed requests (PZ §3(2)) and marks the profiles whose time is over."""
    is_due = profile_rows.c.ends_at <= to_ms(now)
    # Crash: as due as before; the next call ends them. Until then every look compares the time itself.
    lapsed = sa.delete(profile_rows).where(profile_rows.c.state == REQUESTED, is_due).returning(profile_rows.c.id)
    for profile_id in tx.execute(lapsed).scalars().all():
        note(tx, "request-lapsed", ITSELF, now, profile_id)
    over = sa.update(profile_rows).where(profile_rows.c.state == ACTIVE, is_due).values(state=EXPIRED)
    for profile_id in tx.execute(over.returning(profile_rows.c.id)).scalars().all():
        note(tx, "profile-expired", ITSELF, now, profile_id)


def forget_sessions(tx: sa.Connection, now: datetime) -> None:
    """Deletes the sessions that have ended."""
    # Crash: the next round deletes them.
    tx.execute(sa.delete(session_rows).where(session_rows.c.expires_at <= to_ms(now)))


def note(
    tx: sa.Connection, event: str, actor: Actor, now: datetime, profile_id: str | None = None, reason: str = ""
) -> None:
    """Writes a row of the journal, in the transaction of what it tells."""
    tx.execute(
        sa.insert(journal).values(
            at=to_ms(now),
            event=event,
            role=actor.role,
            unit=actor.unit,
            officer_id=actor.officer_id,
            profile_id=profile_id,
            reason=reason,
        )
    )


def email_digest_of(pepper: bytes, email: str) -> bytes:
    """What a profile is found by; upper and lower case are one."""
    return digest(pepper, "email", email.lower())


def _profile_by(tx: sa.Connection, profile_id: str) -> Profile | None:
    if not profiles.is_id(profile_id):
        return None
    row = tx.execute(sa.select(profile_rows).where(profile_rows.c.id == profile_id)).one_or_none()
    return _profile(row) if row else None


def _profile(row: sa.Row[Any]) -> Profile:
    return Profile(row.id, row.state, from_ms(row.ends_at))


def _revoke_tokens(tx: sa.Connection, profile_id: str, now: datetime) -> None:
    valid = sa.and_(token_rows.c.profile_id == profile_id, token_rows.c.revoked_at.is_(None))
    tx.execute(sa.update(token_rows).where(valid).values(revoked_at=to_ms(now)))


def _keep_token(
    tx: sa.Connection, pepper: bytes, profile_id: str, token: str, expires_at: datetime, now: datetime
) -> None:
    tx.execute(
        sa.insert(token_rows).values(
            digest=tokens.digest_of(pepper, token),
            profile_id=profile_id,
            issued_at=to_ms(now),
            expires_at=to_ms(expires_at),
        )
    )


def _request_digest(pepper: bytes, person: Person) -> bytes:
    return digest(pepper, "request", "\0".join(personal.columns_of(person).values()))


def _pesel_digest(pepper: bytes, pesel_number: str) -> bytes:
    return digest(pepper, "pesel", pesel_number)
