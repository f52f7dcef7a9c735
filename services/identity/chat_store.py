"""Identity's SQL for chats: the codes that link them, and the links. See store for what a crash leaves."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.chassis.clock import from_ms, to_ms
from services.chassis.errors import Unauthenticated
from services.identity import chats, personal, tokens
from services.identity.chats import Chat
from services.identity.profiles import ACTIVE
from services.identity.schema import chat_codes as code_rows
from services.identity.schema import chats as chat_rows
from services.identity.schema import profiles as profile_rows
from services.identity.store import Actor, email_digest_of, holders, note


def issue_code(
    tx: sa.Connection, pepper: bytes, chat: Chat, email: str, actor: Actor, now: datetime
) -> tuple[str, str]:
    """A new code for the chat and the registered address it is mailed to; ("", "") if there is none to mail.

    No address, or one that several active profiles share (it would not say whose the chat is), or too many codes
    today: the same work is done, so that the time it takes tells nothing.
    """
    registered = sa.select(profile_rows).where(
        profile_rows.c.email_digest == email_digest_of(pepper, email), _is_active(now)
    )
    rows = tx.execute(registered.limit(2)).all()
    profile_id = rows[0].id if len(rows) == 1 else None
    lately = sa.select(sa.func.count()).where(
        code_rows.c.profile_id == (profile_id or ""), code_rows.c.issued_at > to_ms(now - chats.DAY)
    )
    if tx.execute(lately).scalar_one() >= chats.CODES_PER_DAY:
        profile_id = None
    # Crash: a code that nobody was told; the next one counts instead of it.
    code_id: int = tx.execute(
        sa.insert(code_rows)
        .values(
            account=chat.account,
            channel=chat.channel,
            profile_id=profile_id,
            issued_at=to_ms(now),
            expires_at=to_ms(now + chats.CODE_LASTS),
            tries_left=chats.TRIES,
        )
        .returning(code_rows.c.id)
    ).scalar_one()
    note(tx, "chat-code-issued", actor, now, profile_id)
    code = chats.code_of(pepper, code_id)
    return (code, personal.person_of(rows[0]).email) if profile_id else ("", "")


def link_by_code(
    tx: sa.Connection, pepper: bytes, chat: Chat, typed: str, actor: Actor, now: datetime
) -> str | Unauthenticated:
    """Links the chat to the profile its newest code was issued for, and returns the holder's name.

    The refusal is returned, not raised: raising would give the try back.
    """
    newest = sa.select(code_rows).where(code_rows.c.account == chat.account, code_rows.c.channel == chat.channel)
    row = tx.execute(newest.order_by(code_rows.c.id.desc()).limit(1)).one_or_none()
    if row is None:
        return chats.wrong_code()
    fits = chats.code_fits(pepper, row.id, from_ms(row.expires_at), typed, now)
    holder = _holder(tx, row.profile_id, now)
    # Crash: the try is not counted, and its outcome not told. The condition keeps apart tries that come at once.
    counts = sa.and_(code_rows.c.id == row.id, code_rows.c.tries_left > 0, code_rows.c.used_at.is_(None))
    is_counted = tx.execute(
        sa.update(code_rows)
        .where(counts)
        .values(tries_left=code_rows.c.tries_left - 1, used_at=to_ms(now) if fits else None)
    ).rowcount
    if not fits or holder is None:
        return chats.wrong_code()
    # The door lost our answer and asks again: the link of this very code exists.
    is_repeated = row.used_at is not None and _linked_profile(tx, chat) == holder.id
    return _link(tx, chat, holder, actor, now) if is_counted or is_repeated else chats.wrong_code()


def link_by_token(tx: sa.Connection, token_digest: bytes, chat: Chat, actor: Actor, now: datetime) -> str:
    """Links the chat to the token's profile and returns the holder's name."""
    profile_id = holders(tx, [token_digest], (), now).get(token_digest)
    holder = _holder(tx, profile_id, now)
    if holder is None:
        raise tokens.unknown()
    return _link(tx, chat, holder, actor, now)


def unlink(tx: sa.Connection, chat: Chat, actor: Actor, now: datetime) -> None:
    """Takes the chat's link away, if there is one."""
    # Crash: still linked; a repetition unlinks.
    gone = sa.delete(chat_rows).where(_is_chat(chat)).returning(chat_rows.c.profile_id)
    for profile_id in tx.execute(gone).scalars().all():
        note(tx, "chat-unlinked", actor, now, profile_id)


def forget_codes(tx: sa.Connection, now: datetime) -> None:
    """Deletes the codes that no longer count for anything."""
    # Crash: the next round deletes them.
    tx.execute(sa.delete(code_rows).where(code_rows.c.issued_at <= to_ms(now - chats.DAY)))


def _link(tx: sa.Connection, chat: Chat, holder: sa.Row[Any], actor: Actor, now: datetime) -> str:
    if _linked_profile(tx, chat) != holder.id:
        # Crash: linked as before. Two links of one chat at once: the second meets the primary key and is repeated.
        unlink(tx, chat, actor, now)
        tx.execute(
            sa.insert(chat_rows).values(
                account=chat.account, channel=chat.channel, profile_id=holder.id, linked_at=to_ms(now)
            )
        )
        note(tx, "chat-linked", actor, now, holder.id)
    return personal.person_of(holder).name


def _holder(tx: sa.Connection, profile_id: str | None, now: datetime) -> sa.Row[Any] | None:
    query = sa.select(profile_rows).where(profile_rows.c.id == profile_id, _is_active(now))
    return tx.execute(query).one_or_none()


def _linked_profile(tx: sa.Connection, chat: Chat) -> str | None:
    return tx.execute(sa.select(chat_rows.c.profile_id).where(_is_chat(chat))).scalar_one_or_none()


def _is_chat(chat: Chat) -> sa.ColumnElement[bool]:
    return sa.and_(chat_rows.c.account == chat.account, chat_rows.c.channel == chat.channel)


def _is_active(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(profile_rows.c.state == ACTIVE, profile_rows.c.ends_at > to_ms(now))
