"""Mailbox's tables. Times are milliseconds since 1970 UTC, days are ISO dates of Europe/Warsaw."""

import sqlalchemy as sa

metadata = sa.MetaData()

letters = sa.Table(
    "letters",
    metadata,
    sa.Column("number", sa.String(17), primary_key=True),
    # One letter however often it is handed in: sender, addressee, key.
    sa.Column("deposit_key", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("content_sha256", sa.LargeBinary(32), nullable=False),
    # Exactly one of the two is set.
    sa.Column("sender_profile", sa.String(36)),
    sa.Column("sender_unit", sa.String(32)),
    # Exactly one of the two is set: the unit that holds the letter, or the resident an answer goes to.
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
    # Place in the order in which receipted letters become visible to units.
    sa.Column("cursor", sa.BigInteger, unique=True),
    sa.Index("letters_of_unit", "unit", "cursor"),
    sa.Index("letters_of_profile", "sender_profile", "accepted_at"),
)

contents = sa.Table(
    "contents",
    metadata,
    sa.Column("number", sa.String(17), sa.ForeignKey("letters.number"), primary_key=True),
    sa.Column("raw", sa.LargeBinary, nullable=False),
)

evidence = sa.Table(
    "evidence",
    metadata,
    sa.Column("evidence_id", sa.String(36), primary_key=True),
    sa.Column("number", sa.String(17), sa.ForeignKey("letters.number"), nullable=False),
    sa.Column("kind", sa.SmallInteger, nullable=False),
    sa.Column("occurred_at", sa.BigInteger, nullable=False),
    # The event as receipts is asked to attest it, the same bytes each time; null once it has.
    sa.Column("event", sa.LargeBinary),
    sa.Column("done_at", sa.BigInteger),
    sa.Column("xml", sa.LargeBinary),
    sa.Column("tlog_proof", sa.LargeBinary),
    sa.UniqueConstraint("number", "kind"),
    sa.Index(
        "evidence_pending",
        "occurred_at",
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    ),
)

notices = sa.Table(
    "notices",
    metadata,
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
    sa.Index(
        "notices_due",
        "carrier",
        "due_at",
        sqlite_where=sa.text("state = 'due'"),
        postgresql_where=sa.text("state = 'due'"),
    ),
)

counters = sa.Table(
    "counters",
    metadata,
    sa.Column("name", sa.String(16), primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
