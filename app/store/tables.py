"""The serving tables: forecasts as they are asked for, and the record of how each run was made."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION, JSONB, TIMESTAMP

metadata = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
    }
)

# Keys sort by their bytes: the order of the core, the same on every server, and safe to page by.
_KEY = sa.Text(collation="C")

run = sa.Table(
    "run",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("origin", sa.Date, nullable=False, comment="first day of the last month of history"),
    sa.Column("published_at", TIMESTAMP(timezone=True), comment="null where it was never shown"),
    sa.Column("snapshot", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("because", sa.Text, nullable=False, comment="why this model was chosen"),
    sa.Column("horizon", sa.Integer, nullable=False, comment="months forecast after the origin"),
    sa.Column("levels", ARRAY(sa.Text), nullable=False, comment="as in node.level, top first"),
    sa.Column("probabilities", ARRAY(DOUBLE_PRECISION), nullable=False),
    sa.Column("recorded_at", TIMESTAMP(timezone=True), server_default=sa.func.now(), nullable=False),
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
)

shown = sa.Table(
    "shown",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("run_id", sa.ForeignKey("run.id"), nullable=False),
    sa.Column("at", TIMESTAMP(timezone=True), nullable=False),
    sa.Column(
        "what",
        sa.Text,
        sa.CheckConstraint("what in ('published', 'accepted', 'rolled back')", name="shown_what_check"),
        nullable=False,
    ),
    sa.Column("because", sa.Text, nullable=False),
    comment="One row each time that a run became the one that is shown; rows are only ever added",
)

node = sa.Table(
    "node",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column(
        "level",
        _KEY,
        nullable=False,
        comment="the keys that are not null, then the attributes, joined by commas",
    ),
    sa.Column("organization", _KEY, comment="null where the node sums over it"),
    sa.Column("customer", _KEY, comment="null where the node sums over it"),
    sa.Column("material", _KEY, comment="null where the node sums over it"),
    # An array sorts like its values, by their bytes too, so that pages walk the unique index at every level.
    sa.Column(
        "attributes",
        ARRAY(_KEY),
        server_default="{}",
        nullable=False,
        comment="values of the attributes that level names after its keys, in that order",
    ),
    sa.UniqueConstraint(
        "level", "organization", "customer", "material", "attributes", postgresql_nulls_not_distinct=True
    ),
    sa.Index("node_level_customer_idx", "level", "customer"),
    sa.Index("node_level_material_idx", "level", "material"),
    comment="What is forecast, shared by all runs",
)

# No foreign keys here and in history: their one writer, run_rows.py, writes runs and nodes in the same
# transaction, and checking them again row by row would more than double the time it takes.
forecast = sa.Table(
    "forecast",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("node_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("month", sa.Date, primary_key=True, comment="first day of the month"),
    sa.Column("mean", DOUBLE_PRECISION, nullable=False, comment="in the run's unit"),
    sa.Column(
        "quantiles", ARRAY(DOUBLE_PRECISION), nullable=False, comment="one for each of run.probabilities"
    ),
    comment="Every node of a run has every month of its horizon",
)

history = sa.Table(
    "history",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("node_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column(
        "quantity",
        ARRAY(DOUBLE_PRECISION),
        nullable=False,
        comment="one for each month, in the run's unit",
    ),
    comment="What each node of a run had bought, from run.panel_first to run.origin",
)

current_run = sa.Table(
    "current_run",
    metadata,
    sa.Column(
        "single",
        sa.Boolean,
        sa.CheckConstraint("single", name="current_run_single_check"),
        primary_key=True,
        server_default=sa.true(),
    ),
    sa.Column("run_id", sa.ForeignKey("run.id"), nullable=False),
    comment="One row: the run that is shown",
)

fold = sa.Table(
    "fold",
    metadata,
    sa.Column("key", sa.Text, primary_key=True, comment="hash of all that the losses follow from"),
    sa.Column("recipe", sa.Text, nullable=False),
    sa.Column("origin", sa.Date, nullable=False),
    sa.Column("absolute", ARRAY(DOUBLE_PRECISION), nullable=False, comment="by level and lead"),
    sa.Column("pinball", ARRAY(DOUBLE_PRECISION), nullable=False, comment="by level and lead"),
    sa.Column("demand", ARRAY(DOUBLE_PRECISION), nullable=False, comment="by level and lead"),
    comment="What a recipe lost from a past origin, so that a contest does not find it out twice",
)
