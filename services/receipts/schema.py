"""Tables of receipts. Rows are added, never changed: the service's database user may SELECT and INSERT only."""

import sqlalchemy as sa

from services.chassis.database import BigKey

metadata = sa.MetaData()

leaves = sa.Table(
    "leaves",
    metadata,
    sa.Column("leaf_index", BigKey, primary_key=True, autoincrement=False),
    sa.Column("entry", sa.LargeBinary, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)

# Hashes of complete subtrees of 256**level leaves, level 1 and up; level 0 is the leaves themselves.
subtrees = sa.Table(
    "subtrees",
    metadata,
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)

# `edge` has the hashes of log.edge_spans(size), one after the other.
checkpoints = sa.Table(
    "checkpoints",
    metadata,
    sa.Column("size", BigKey, primary_key=True, autoincrement=False),
    sa.Column("note", sa.LargeBinary, nullable=False),
    sa.Column("edge", sa.LargeBinary, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
)

# `digest` is of the event as it was asked for; `salt` opens the letter's number in the log entry.
evidence = sa.Table(
    "evidence",
    metadata,
    sa.Column("evidence_id", sa.Text, primary_key=True),
    sa.Column("message_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("leaf_index", sa.BigInteger, sa.ForeignKey("leaves.leaf_index"), nullable=False, unique=True),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("xml", sa.LargeBinary, nullable=False),
    sa.Column("tlog_proof", sa.LargeBinary, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("message_id", "kind", name="one_evidence_of_a_kind"),
)
