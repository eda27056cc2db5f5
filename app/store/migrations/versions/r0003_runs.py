"""Runs keep what they were made by, and their history; one sees which was shown when; folds are kept."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION, JSONB, TIMESTAMP

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add columns and tables; runs that there are were recorded and shown when they were published."""
    moment = TIMESTAMP(timezone=True)
    numbers = ARRAY(DOUBLE_PRECISION)
    for column in (
        sa.Column("recorded_at", moment, server_default=sa.func.now()),
        sa.Column("recipe", JSONB, comment="how it was forecast; null before version 0.3"),
        sa.Column("plan", JSONB, comment="keys, levels, horizon, probabilities"),
        sa.Column("code_version", sa.Text),
        sa.Column("code_commit", sa.Text, comment="empty where nobody could tell"),
        sa.Column("code_lock", sa.Text, comment="SHA-256 of the lock file, empty where there was none"),
        sa.Column("panel_first", sa.Date, comment="first day of the first month of history"),
        sa.Column("checksum", sa.Text, comment="SHA-256 of the forecast: forecasting/checksum.py"),
        sa.Column("verdict", JSONB, comment="what the contest found"),
        sa.Column(
            "refused",
            ARRAY(sa.Text),
            server_default="{}",
            nullable=False,
            comment="the guard's reasons against showing it",
        ),
        sa.Column("accepted", sa.Text, comment="somebody's reason to show it all the same"),
    ):
        op.add_column("run", column)
    op.execute("update run set recorded_at = published_at")
    op.alter_column("run", "recorded_at", nullable=False)
    op.alter_column("run", "published_at", nullable=True, comment="null where it was never shown")
    op.create_table(
        "shown",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("because", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="shown_pkey"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="shown_run_id_fkey"),
        sa.CheckConstraint("what in ('published', 'accepted', 'rolled back')", name="shown_what_check"),
        comment="One row each time that a run became the one that is shown; rows are only ever added",
    )
    op.execute(
        "insert into shown (run_id, at, what, because) "
        "select id, published_at, 'published', because from run order by published_at, id"
    )
    op.create_table(
        "history",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("node_id", sa.BigInteger, nullable=False),
        sa.Column("quantity", numbers, nullable=False, comment="one for each month, in the run's unit"),
        sa.PrimaryKeyConstraint("run_id", "node_id", name="history_pkey"),
        comment="What each node of a run had bought, from run.panel_first to run.origin",
    )
    op.create_table(
        "fold",
        sa.Column("key", sa.Text, nullable=False, comment="hash of all that the losses follow from"),
        sa.Column("recipe", sa.Text, nullable=False),
        sa.Column("origin", sa.Date, nullable=False),
        sa.Column("absolute", numbers, nullable=False, comment="by level and lead"),
        sa.Column("pinball", numbers, nullable=False, comment="by level and lead"),
        sa.Column("demand", numbers, nullable=False, comment="by level and lead"),
        sa.PrimaryKeyConstraint("key", name="fold_pkey"),
        comment="What a recipe lost from a past origin, so that a contest does not find it out twice",
    )
