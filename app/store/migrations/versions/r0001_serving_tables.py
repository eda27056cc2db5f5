"""The serving tables: runs, nodes, forecasts, and which run is shown."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION, TIMESTAMP

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    key = sa.Text(collation="C")
    op.create_table(
        "run",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("origin", sa.Date, nullable=False, comment="first day of the last month of history"),
        sa.Column("published_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("snapshot", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("because", sa.Text, nullable=False, comment="why this model was chosen"),
        sa.Column("horizon", sa.Integer, nullable=False, comment="months forecast after the origin"),
        sa.Column("levels", ARRAY(sa.Text), nullable=False, comment="as in node.level, top first"),
        sa.Column("probabilities", ARRAY(DOUBLE_PRECISION), nullable=False),
        sa.PrimaryKeyConstraint("id", name="run_pkey"),
    )
    op.create_table(
        "node",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("level", key, nullable=False, comment="the keys that are not null, joined by commas"),
        sa.Column("organization", key, comment="null where the node sums over it"),
        sa.Column("customer", key, comment="null where the node sums over it"),
        sa.Column("material", key, comment="null where the node sums over it"),
        sa.PrimaryKeyConstraint("id", name="node_pkey"),
        sa.UniqueConstraint(
            "level",
            "organization",
            "customer",
            "material",
            name="node_level_organization_customer_material_key",
            postgresql_nulls_not_distinct=True,
        ),
        comment="What is forecast, shared by all runs",
    )
    op.create_index("node_level_customer_idx", "node", ["level", "customer"])
    op.create_index("node_level_material_idx", "node", ["level", "material"])
    op.create_table(
        "forecast",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("node_id", sa.BigInteger, nullable=False),
        sa.Column("month", sa.Date, nullable=False, comment="first day of the month"),
        sa.Column("mean", DOUBLE_PRECISION, nullable=False, comment="in the run's unit"),
        sa.Column(
            "quantiles",
            ARRAY(DOUBLE_PRECISION),
            nullable=False,
            comment="one for each of run.probabilities",
        ),
        sa.PrimaryKeyConstraint("run_id", "node_id", "month", name="forecast_pkey"),
        comment="Every node of a run has every month of its horizon",
    )
    op.create_table(
        "current_run",
        sa.Column("single", sa.Boolean, server_default=sa.true(), nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("single", name="current_run_pkey"),
        sa.CheckConstraint("single", name="current_run_single_check"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="current_run_run_id_fkey"),
        comment="One row: the run that is shown",
    )
