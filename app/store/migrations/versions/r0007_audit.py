"""The audit trail: a chain of entries that PostgreSQL lets nobody change."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0007"
down_revision = "0006"

_REFUSE = """
create function audit_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the audit trail is append-only: % is refused', tg_op using errcode = '42501';
end
$$
"""
# Once per statement, so that one which meets no row is refused too.
_TRIGGER = """
create trigger audit_is_append_only before update or delete or truncate on audit
for each statement execute function audit_is_append_only()
"""


def upgrade() -> None:
    """Create the table, and what keeps it as it is."""
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False, comment="1, 2, 3, …"),
        sa.Column("at", TIMESTAMP(timezone=True), nullable=False, comment="by the database's clock"),
        sa.Column("caller", sa.Text, nullable=False, comment="who"),
        sa.Column("key", sa.Text, comment="id of the key they showed"),
        sa.Column("address", sa.Text, comment="from where"),
        sa.Column("action", sa.Text, nullable=False, comment="method and route, or the command"),
        sa.Column("subject", sa.Text, comment="about what"),
        sa.Column("outcome", sa.Text, nullable=False, comment="status of the answer, or what came of it"),
        sa.Column("details", JSONB, nullable=False),
        sa.Column("previous", sa.Text, nullable=False, comment="hash of the entry before"),
        sa.Column("hash", sa.Text, nullable=False, comment="SHA-256 of all the rest"),
        sa.PrimaryKeyConstraint("number", name="audit_pkey"),
        comment="Who asked to change or to take out what: each entry holds the hash of the one before",
    )
    op.execute(_REFUSE)
    op.execute(_TRIGGER)
