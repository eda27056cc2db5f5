"""Runs tell what they were made from, why they changed and where they were wrong."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION, JSONB, TIMESTAMP

revision = "0011"
down_revision = "0009"


def upgrade() -> None:
    """Add the columns and the tables; what earlier versions did not keep stays unknown."""
    op.add_column(
        "run",
        sa.Column("models", JSONB, comment="name and version in the registry, by level; null where not kept"),
    )
    op.add_column(
        "score",
        sa.Column(
            "scaled_error",
            DOUBLE_PRECISION,
            comment="sum of each node's absolute error by its mean seasonal difference (MASE)",
        ),
    )
    op.add_column("score", sa.Column("scaled_nodes", sa.Integer, comment="nodes that have such a difference"))
    op.create_table(
        "snapshot",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("month", sa.Date, nullable=False, comment="first day of the last month that it holds"),
        sa.Column("taken_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("code_version", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False, comment="of all quantities in this row: kg or piece"),
        sa.Column("parent", sa.Text, comment="the snapshot that it was compared with when it was taken"),
        sa.Column("accepted", sa.Text, comment="somebody's reason to take it although closed months changed"),
        sa.Column("sources", JSONB, nullable=False, comment="lines kept and set aside, one for each source"),
        sa.Column(
            "changes", JSONB, nullable=False, comment="months that were not what they were in the parent"
        ),
        sa.PrimaryKeyConstraint("id", name="snapshot_pkey"),
        comment="What runs were made from, as each snapshot tells of itself; written with its first run",
    )
    op.create_table(
        "run_change",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("before_id", sa.Text, nullable=False, comment="the run that was shown before it"),
        sa.Column(
            "first", sa.Date, nullable=False, comment="first day of the first month that both forecast"
        ),
        sa.Column("months", sa.Integer, nullable=False, comment="how many months both forecast"),
        sa.Column("causes", ARRAY(sa.Text), nullable=False, comment="what can move a number, in order"),
        sa.PrimaryKeyConstraint("run_id", name="run_change_pkey"),
        comment="Runs whose differences from the run shown before were explained",
    )
    op.create_table(
        "node_change",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("node_id", sa.BigInteger, nullable=False),
        sa.Column(
            "moved",
            ARRAY(DOUBLE_PRECISION),
            nullable=False,
            comment="in the run's unit: for each of run_change.causes all its months",
        ),
        sa.PrimaryKeyConstraint("run_id", "node_id", name="node_change_pkey"),
        comment="By how much each cause moved a node; a node without a row did not change",
    )
    op.create_table(
        "class_score",
        sa.Column("by_run", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False, comment="as in node.level"),
        sa.Column("month", sa.Date, nullable=False, comment="first day of the month that came"),
        sa.Column(
            "demand_class",
            sa.Text,
            nullable=False,
            comment="smooth, erratic, intermittent, lumpy or silent by the history before the run's origin",
        ),
        sa.Column(
            "abc", sa.Text, nullable=False, comment="A, B or C by tonnes of the year before the origin"
        ),
        sa.Column("lead", sa.Integer, nullable=False, comment="months from the scored run's origin"),
        sa.Column("nodes", sa.Integer, nullable=False),
        sa.Column("demand", DOUBLE_PRECISION, nullable=False, comment="sum of absolute actual values"),
        sa.Column("error", DOUBLE_PRECISION, nullable=False, comment="sum of the mean less actual"),
        sa.Column("absolute_error", DOUBLE_PRECISION, nullable=False, comment="of the median, or the mean"),
        sa.Column(
            "seasonal_error", DOUBLE_PRECISION, nullable=False, comment="of the seasonal naive, absolute"
        ),
        sa.Column("within", sa.Integer, comment="nodes from p10 to p90; null where the run has not both"),
        sa.Column("pinball", ARRAY(DOUBLE_PRECISION), nullable=False, comment="one for each probability"),
        sa.Column("scaled_error", DOUBLE_PRECISION, nullable=False, comment="as in score"),
        sa.Column("scaled_nodes", sa.Integer, nullable=False, comment="as in score"),
        sa.PrimaryKeyConstraint(
            "by_run", "run_id", "level", "month", "demand_class", "abc", name="class_score_pkey"
        ),
        comment="The rows of score, parted by what kind of demand the nodes have",
    )
    op.execute("grant select on snapshot, run_change, node_change, class_score to tonnage_reader")
