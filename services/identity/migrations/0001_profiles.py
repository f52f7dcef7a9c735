"""The first tables: profiles, tokens, chats and their codes, officers and their sessions, the journal."""

import sqlalchemy as sa
from alembic import op

from services.chassis.database import BigKey

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "profiles",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("first_names", sa.Text, nullable=False),
        sa.Column("surname", sa.Text, nullable=False),
        sa.Column("pesel", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("document_number", sa.Text, nullable=False),
        sa.Column("request_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("pesel_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("email_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("requested_at", sa.BigInteger, nullable=False),
        sa.Column("confirmed_at", sa.BigInteger),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
    )
    requested, active = sa.text("state = 'requested'"), sa.text("state = 'active'")
    op.create_index("profiles_by_end", "profiles", ["state", "ends_at"])
    op.create_index("profiles_by_email", "profiles", ["email_digest"])
    op.create_index(
        "one_request", "profiles", ["request_digest"], unique=True, sqlite_where=requested, postgresql_where=requested
    )
    op.create_index(
        "one_active_profile", "profiles", ["pesel_digest"], unique=True, sqlite_where=active, postgresql_where=active
    )
    op.create_table(
        "tokens",
        sa.Column("id", BigKey, primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("profile_id", sa.String(36), sa.ForeignKey("profiles.id"), nullable=False, index=True),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_table(
        "chats",
        sa.Column("account", sa.String(255), primary_key=True),
        sa.Column("channel", sa.String(255), primary_key=True),
        sa.Column("profile_id", sa.String(36), sa.ForeignKey("profiles.id"), nullable=False, index=True),
        sa.Column("linked_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "chat_codes",
        sa.Column("id", BigKey, primary_key=True),
        sa.Column("account", sa.String(255), nullable=False),
        sa.Column("channel", sa.String(255), nullable=False),
        sa.Column("profile_id", sa.String(36), sa.ForeignKey("profiles.id")),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("tries_left", sa.Integer, nullable=False),
        sa.Column("used_at", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("chat_codes_by_chat", "chat_codes", ["account", "channel", "id"])
    op.create_index("chat_codes_by_profile", "chat_codes", ["profile_id", "issued_at"])
    op.create_table(
        "officers",
        sa.Column("id", BigKey, primary_key=True),
        sa.Column("login", sa.String(63), nullable=False, unique=True),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("officer_id", BigKey, sa.ForeignKey("officers.id"), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "journal",
        sa.Column("id", BigKey, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("event", sa.String(40), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("officer_id", sa.BigInteger),
        sa.Column("profile_id", sa.String(36), index=True),
        sa.Column("reason", sa.Text, nullable=False),
    )
