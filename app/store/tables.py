"""The serving tables: forecasts as they are asked for, and the record of how each run was made."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION, JSONB, TIMESTAMP
from sqlalchemy.schema import SchemaItem

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
    sa.Column("models", JSONB, comment="name and version in the registry, by level; null where not kept"),
    sa.Column(
        "number",
        sa.Integer,
        sa.Identity(always=True),
        unique=True,
        nullable=False,
        comment="its key for analysts",
    ),
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


def _leased(table: str, *statuses: str) -> list[SchemaItem]:
    """The columns of rows that workers take turns at: see `app.store.leases`."""
    moment = TIMESTAMP(timezone=True)
    return [
        sa.Column("status", sa.Text, nullable=False, server_default="waiting"),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0", comment="grows with each claim"),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0", comment="deaths among them"),
        sa.Column("not_before", moment, comment="when it may be tried again, by the database's clock"),
        sa.Column("worker", sa.Text, comment="who has it, or had it last"),
        sa.Column("lease_until", moment, comment="by the database's clock"),
        sa.Column("heartbeat", moment, comment="by the database's clock"),
        sa.Column("stage", sa.Text, comment="what is being done, or was done last"),
        sa.Column("progress", DOUBLE_PRECISION, nullable=False, server_default="0", comment="from 0 to 1"),
        sa.Column("started_at", moment, comment="of the last attempt"),
        sa.Column("finished_at", moment),
        sa.Column("detail", sa.Text, comment="what went wrong, or why it was refused"),
        sa.CheckConstraint(sa.column("status").in_(statuses), name=f"{table}_status_check"),
    ]


period = sa.Table(
    "period",
    metadata,
    sa.Column("job", sa.Text, primary_key=True),
    sa.Column("month", sa.Date, primary_key=True, comment="first day of the last month of history"),
    sa.Column("run_id", sa.Text, comment="what was published"),
    *_leased("period", "waiting", "running", "done", "refused", "failed"),
    comment="One row for each month that the schedule has come to, however many workers there are",
)

job = sa.Table(
    "job",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("arguments", JSONB, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", TIMESTAMP(timezone=True), nullable=False),
    sa.Column("idempotency_key", sa.Text, comment="the asker's own name for the question"),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("result", JSONB, comment="what came of it"),
    *_leased("job", "waiting", "running", "done", "refused", "failed", "cancelled"),
    sa.UniqueConstraint("asked_by", "idempotency_key"),
    sa.Index("job_status_asked_at_idx", "status", "asked_at"),
    comment="What people and programs have asked a worker to do",
)

# Scores, events and times name runs without a foreign key: what was learned stays when a run goes.
score = sa.Table(
    "score",
    metadata,
    sa.Column("by_run", sa.Text, primary_key=True, comment="the run whose snapshot told what came"),
    sa.Column("run_id", sa.Text, primary_key=True, comment="the run that is scored"),
    sa.Column("level", sa.Text, primary_key=True, comment="as in node.level"),
    sa.Column("month", sa.Date, primary_key=True, comment="first day of the month that came"),
    sa.Column("lead", sa.Integer, nullable=False, comment="months from the scored run's origin"),
    sa.Column("nodes", sa.Integer, nullable=False, comment="nodes scored, the two kinds below among them"),
    sa.Column("new_nodes", sa.Integer, nullable=False, comment="not in the run: all that came is error"),
    sa.Column(
        "gone_nodes", sa.Integer, nullable=False, comment="not in the snapshot: all that was said is error"
    ),
    sa.Column("actual", DOUBLE_PRECISION, nullable=False, comment="sum over nodes, in the run's unit"),
    sa.Column("demand", DOUBLE_PRECISION, nullable=False, comment="sum of absolute actual values"),
    sa.Column("error", DOUBLE_PRECISION, nullable=False, comment="sum of the mean less actual"),
    sa.Column(
        "absolute_error", DOUBLE_PRECISION, nullable=False, comment="of the median, or the mean without one"
    ),
    sa.Column(
        "seasonal_error", DOUBLE_PRECISION, nullable=False, comment="the seasonal naive's absolute error"
    ),
    sa.Column("within", sa.Integer, comment="nodes from p10 to p90; null where the run has not both"),
    sa.Column(
        "pinball", ARRAY(DOUBLE_PRECISION), nullable=False, comment="one for each of run.probabilities"
    ),
    sa.Column(
        "scaled_error",
        DOUBLE_PRECISION,
        comment="sum of each node's absolute error by its mean seasonal difference (MASE)",
    ),
    sa.Column("scaled_nodes", sa.Integer, comment="nodes that have such a difference"),
    comment="What came against what earlier runs said of it, summed over the nodes of a level",
)

drift_event = sa.Table(
    "drift_event",
    metadata,
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
    # A scope that has an open event raises no second, whoever asks at the same time.
    sa.Index(
        "drift_event_open_idx", "kind", "scope", unique=True, postgresql_where=sa.text("closed_month is null")
    ),
)

stage_time = sa.Table(
    "stage_time",
    metadata,
    sa.Column("at", TIMESTAMP(timezone=True), primary_key=True, comment="when the month was started"),
    sa.Column("month", sa.Date, primary_key=True),
    sa.Column("stage", sa.Text, primary_key=True),
    sa.Column("place", sa.Integer, nullable=False, comment="order of the stages"),
    sa.Column("seconds", DOUBLE_PRECISION, nullable=False),
    sa.Column("peak_memory", sa.BigInteger, nullable=False, comment="bytes, of the process so far"),
    sa.Column(
        "outcome", sa.Text, nullable=False, comment="of the month: published, repeated, refused or failed"
    ),
    sa.Column("run_id", sa.Text, comment="null where no run came of it"),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False, comment="1, 2, 3, …"),
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
    comment="Who asked to change or to take out what: each entry holds the hash of the one before",
)
