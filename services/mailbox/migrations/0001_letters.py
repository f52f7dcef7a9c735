"""Letters, contents, evidence, notices."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "letters",
        sa.Column("number", sa.String(17), primary_key=True),
        sa.Column("deposit_key", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("content_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("sender_profile", sa.String(36)),
        sa.Column("sender_unit", sa.String(32)),
        sa.Column("unit", sa.String(32)),
        sa.Column("to_profile", sa.String(36)),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("matter", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(400), nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("parts", sa.JSON, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("accepted_at", sa.BigInteger, nullable=False),
        sa.Column("taken_at", sa.BigInteger),
        sa.Column("term_rule", sa.String(200)),
        sa.Column("start_on", sa.String(10)),
        sa.Column("due_on", sa.String(10)),
        sa.Column("answers", sa.String(17), sa.ForeignKey("letters.number")),
        sa.Column("answered_by", sa.String(17)),
        sa.Column("cursor", sa.BigInteger, unique=True),
    )
    op.create_index("letters_of_unit", "letters", ["unit", "cursor"])
    op.create_index("letters_of_profile", "letters", ["sender_profile", "accepted_at"])
    op.create_table(
        "contents",
        sa.Column("number", sa.String(17), sa.ForeignKey("letters.number"), primary_key=True),
        sa.Column("raw", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "evidence",
        sa.Column("evidence_id", sa.String(36), primary_key=True),
        sa.Column("number", sa.String(17), sa.ForeignKey("letters.number"), nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("occurred_at", sa.BigInteger, nullable=False),
        sa.Column("event", sa.LargeBinary),
        sa.Column("done_at", sa.BigInteger),
        sa.Column("xml", sa.LargeBinary),
        sa.Column("tlog_proof", sa.LargeBinary),
        sa.UniqueConstraint("number", "kind"),
    )
    pending = sa.text("done_at IS NULL")
    op.create_index("evidence_pending", "evidence", ["occurred_at"], sqlite_where=pending, postgresql_where=pending)
    op.create_table(
        "notices",
        sa.Column("notice_id", sa.String(36), primary_key=True),
        sa.Column("number", sa.String(17), sa.ForeignKey("letters.number"), nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("profile_id", sa.String(36), nullable=False),
        sa.Column("carrier", sa.String(16), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("lease_id", sa.String(36)),
        sa.Column("settled_at", sa.BigInteger),
        sa.Column("reply", sa.String(500)),
        sa.Column("relay", sa.String(255)),
        sa.UniqueConstraint("number", "kind"),
    )
    due = sa.text("state = 'due'")
    op.create_index("notices_due", "notices", ["carrier", "due_at"], sqlite_where=due, postgresql_where=due)
    counters = op.create_table(
        "counters",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(counters, [{"name": "cursor", "value": 0}])
