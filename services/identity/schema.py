"""Identity's tables. Times are milliseconds since 1970 (chassis.clock), digests are keyed (digests.py)."""

import sqlalchemy as sa

from services.chassis.database import BigKey
from services.identity.profiles import ACTIVE, REQUESTED

metadata = sa.MetaData()

profiles = sa.Table(
    "profiles",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    # Personal columns: written and read by personal.py alone.
    sa.Column("first_names", sa.Text, nullable=False),
    sa.Column("surname", sa.Text, nullable=False),
    sa.Column("pesel", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("phone", sa.Text, nullable=False),
    sa.Column("document_number", sa.Text, nullable=False),
    # What they are found by.
    sa.Column("request_digest", sa.LargeBinary(32), nullable=False),
    sa.Column("pesel_digest", sa.LargeBinary(32), nullable=False),
    sa.Column("email_digest", sa.LargeBinary(32), nullable=False),
    sa.Column("requested_at", sa.BigInteger, nullable=False),
    sa.Column("confirmed_at", sa.BigInteger),
    sa.Column("ends_at", sa.BigInteger, nullable=False),
)
_is_requested, _is_active = profiles.c.state == REQUESTED, profiles.c.state == ACTIVE
sa.Index("profiles_by_end", profiles.c.state, profiles.c.ends_at)
sa.Index("profiles_by_email", profiles.c.email_digest)
# A request repeated finds itself; a person has one active profile.
sa.Index(
    "one_request", profiles.c.request_digest, unique=True, sqlite_where=_is_requested, postgresql_where=_is_requested
)
sa.Index(
    "one_active_profile", profiles.c.pesel_digest, unique=True, sqlite_where=_is_active, postgresql_where=_is_active
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", BigKey, primary_key=True),
    sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("profile_id", sa.ForeignKey("profiles.id"), nullable=False, index=True),
    sa.Column("issued_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("revoked_at", sa.BigInteger),
)

chats = sa.Table(
    "chats",
    metadata,
    sa.Column("account", sa.String(255), primary_key=True),
    sa.Column("channel", sa.String(255), primary_key=True),
    sa.Column("profile_id", sa.ForeignKey("profiles.id"), nullable=False, index=True),
    sa.Column("linked_at", sa.BigInteger, nullable=False),
)

chat_codes = sa.Table(
    "chat_codes",
    metadata,
    sa.Column("id", BigKey, primary_key=True),
    sa.Column("account", sa.String(255), nullable=False),
    sa.Column("channel", sa.String(255), nullable=False),
    sa.Column("profile_id", sa.ForeignKey("profiles.id")),  # none: the address was not a registered one
    sa.Column("issued_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("tries_left", sa.Integer, nullable=False),
    sa.Column("used_at", sa.BigInteger),
    sa.Index("chat_codes_by_chat", "account", "channel", "id"),
    sa.Index("chat_codes_by_profile", "profile_id", "issued_at"),
    sqlite_autoincrement=True,  # the digits derive from the id, so none may come twice
)

officers = sa.Table(
    "officers",
    metadata,
    sa.Column("id", BigKey, primary_key=True),
    sa.Column("login", sa.String(63), nullable=False, unique=True),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("added_at", sa.BigInteger, nullable=False),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),
    sa.Column("officer_id", sa.ForeignKey("officers.id"), nullable=False),
    sa.Column("unit", sa.String(64), nullable=False),
    sa.Column("opened_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
)

# What was done, by whom, when, to which profile. Outlives the profile, so it references nothing.
journal = sa.Table(
    "journal",
    metadata,
    sa.Column("id", BigKey, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("event", sa.String(40), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("unit", sa.String(64), nullable=False),
    sa.Column("officer_id", sa.BigInteger),
    sa.Column("profile_id", sa.String(36), index=True),
    sa.Column("reason", sa.Text, nullable=False),
)
