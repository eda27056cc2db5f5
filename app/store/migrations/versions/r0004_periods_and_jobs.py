"""The schedule: months that are due, and jobs that were asked for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, JSONB, TIMESTAMP
from sqlalchemy.schema import SchemaItem

revision = "0004"
down_revision = "0003"


def _leased(table: str, statuses: str) -> list[SchemaItem]:
    moment = TIMESTAMP(timezone=True)
    return [
        sa.Column("status", sa.Text, server_default="waiting", nullable=False),
        sa.Column("attempt", sa.Integer, server_default="0", nullable=False, comment="grows with each claim"),
        sa.Column("failures", sa.Integer, server_default="0", nullable=False, comment="deaths among them"),
        sa.Column("not_before", moment, comment="when it may be tried again, by the database's clock"),
        sa.Column("worker", sa.Text, comment="who has it, or had it last"),
        sa.Column("lease_until", moment, comment="by the database's clock"),
        sa.Column("heartbeat", moment, comment="by the database's clock"),
        sa.Column("stage", sa.Text, comment="what is being done, or was done last"),
        sa.Column("progress", DOUBLE_PRECISION, server_default="0", nullable=False, comment="from 0 to 1"),
        sa.Column("started_at", moment, comment="of the last attempt"),
        sa.Column("finished_at", moment),
        sa.Column("detail", sa.Text, comment="what went wrong, or why it was refused"),
        sa.CheckConstraint(
            sa.column("status").in_(statuses.split()),
            name=f"{table}_status_check",
        ),
    ]


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "period",
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("month", sa.Date, nullable=False, comment="first day of the last month of history"),
        sa.Column("run_id", sa.Text, comment="what was published"),
        *_leased("period", "waiting running done refused failed"),
        sa.PrimaryKeyConstraint("job", "month", name="period_pkey"),
        comment="One row for each month that the schedule has come to, however many workers there are",
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("arguments", JSONB, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("asked_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("idempotency_key", sa.Text, comment="the asker's own name for the question"),
        sa.Column("cancel_requested", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("result", JSONB, comment="what came of it"),
        *_leased("job", "waiting running done refused failed cancelled"),
        sa.PrimaryKeyConstraint("id", name="job_pkey"),
        sa.UniqueConstraint("asked_by", "idempotency_key", name="job_asked_by_idempotency_key_key"),
        comment="What people and programs have asked a worker to do",
    )
    op.create_index("job_status_asked_at_idx", "job", ["status", "asked_at"])
