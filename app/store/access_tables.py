"""Who may ask: a table of the serving schema that no reader may read."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from app.store.tables import metadata

api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("id", sa.Text, primary_key=True, comment="the part of the key that is no secret"),
    sa.Column("secret_hash", sa.LargeBinary, nullable=False, comment="SHA-256 of 256 random bits"),
    sa.Column("name", sa.Text, nullable=False, comment="who holds it"),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("organizations", ARRAY(sa.Text), comment="whose nodes its holder sees; null for all"),
    sa.Column("expires_at", TIMESTAMP(timezone=True), comment="null for never"),
    sa.Column("created_at", TIMESTAMP(timezone=True), server_default=sa.func.now(), nullable=False),
    sa.Column("last_used_at", TIMESTAMP(timezone=True), comment="to the minute"),
    sa.Column("revoked_at", TIMESTAMP(timezone=True)),
    sa.CheckConstraint(
        sa.column("role").in_(["viewer", "planner", "operator", "admin"]), name="api_key_role_check"
    ),
    # A name tells callers apart, in the audit trail too; a key that was revoked gives it free.
    sa.Index("api_key_name_idx", "name", unique=True, postgresql_where=sa.text("revoked_at is null")),
    comment="Who may ask; no reader may read it",
)
