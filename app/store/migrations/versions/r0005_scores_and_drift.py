"""What runs were worth, when the world moved, and how long each stage of a month took."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION, JSONB, TIMESTAMP

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "score",
        sa.Column("by_run", sa.Text, primary_key=True, comment="the run whose snapshot told what came"),
        sa.Column("run_id", sa.Text, primary_key=True, comment="the run that is scored"),
        sa.Column("level", sa.Text, primary_key=True, comment="as in node.level"),
        sa.Column("month", sa.Date, primary_key=True, comment="first day of the month that came"),
        sa.Column("lead", sa.Integer, nullable=False, comment="months from the scored run's origin"),
        sa.Column(
            "nodes", sa.Integer, nullable=False, comment="nodes scored, the two kinds below among them"
        ),
        sa.Column("new_nodes", sa.Integer, nullable=False, comment="not in the run: all that came is error"),
        sa.Column(
            "gone_nodes",
            sa.Integer,
            nullable=False,
            comment="not in the snapshot: all that was said is error",
        ),
        sa.Column("actual", DOUBLE_PRECISION, nullable=False, comment="sum over nodes, in the run's unit"),
        sa.Column("demand", DOUBLE_PRECISION, nullable=False, comment="sum of absolute actual values"),
        sa.Column("error", DOUBLE_PRECISION, nullable=False, comment="sum of the mean less actual"),
        sa.Column(
            "absolute_error",
            DOUBLE_PRECISION,
            nullable=False,
            comment="of the median, or the mean without one",
        ),
        sa.Column(
            "seasonal_error", DOUBLE_PRECISION, nullable=False, comment="the seasonal naive's absolute error"
        ),
        sa.Column("within", sa.Integer, comment="nodes from p10 to p90; null where the run has not both"),
        sa.Column(
            "pinball",
            ARRAY(DOUBLE_PRECISION),
            nullable=False,
            comment="one for each of run.probabilities",
        ),
        sa.PrimaryKeyConstraint("by_run", "run_id", "level", "month", name="score_pkey"),
        comment="What came against what earlier runs said of it, summed over the nodes of a level",
    )
    op.create_table(
        "drift_event",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False, comment="errors or data"),
        sa.Column("scope", sa.Text, nullable=False, comment="a node as people write it"),
        sa.Column("opened_month", sa.Date, nullable=False, comment="first day of the month that raised it"),
        sa.Column("by_run", sa.Text, nullable=False, comment="the run after which it was seen"),
        sa.Column("statistic", DOUBLE_PRECISION, nullable=False),
        sa.Column("threshold", DOUBLE_PRECISION, nullable=False),
        sa.Column("evidence", JSONB, nullable=False),
        sa.Column("decision", sa.Text, nullable=False, comment="notify or retrain"),
        sa.Column("closed_month", sa.Date, comment="null while it is open"),
        sa.PrimaryKeyConstraint("id", name="drift_event_pkey"),
    )
    op.create_index(
        "drift_event_open_idx",
        "drift_event",
        ["kind", "scope"],
        unique=True,
        postgresql_where=sa.text("closed_month is null"),
    )
    op.create_table(
        "stage_time",
        sa.Column("at", TIMESTAMP(timezone=True), primary_key=True, comment="when the month was started"),
        sa.Column("month", sa.Date, primary_key=True),
        sa.Column("stage", sa.Text, primary_key=True),
        sa.Column("place", sa.Integer, nullable=False, comment="order of the stages"),
        sa.Column("seconds", DOUBLE_PRECISION, nullable=False),
        sa.Column("peak_memory", sa.BigInteger, nullable=False, comment="bytes, of the process so far"),
        sa.Column(
            "outcome",
            sa.Text,
            nullable=False,
            comment="of the month: published, repeated, refused or failed",
        ),
        sa.Column("run_id", sa.Text, comment="null where no run came of it"),
        sa.PrimaryKeyConstraint("at", "month", "stage", name="stage_time_pkey"),
    )
