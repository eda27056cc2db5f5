"""What the star of schema `mart` stands on: numbers for names, and who may read which organizations in it."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TIMESTAMP

from app.store.tables import metadata

# As keys of nodes are sorted and compared.
_NAME = sa.Text(collation="C")

mart_key = sa.Table(
    "mart_key",
    metadata,
    sa.Column("key", sa.Integer, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", _NAME, nullable=False),
    sa.Column("value", _NAME, nullable=False, comment="as in node"),
    sa.UniqueConstraint("kind", "value"),
    sa.CheckConstraint(
        sa.column("kind").in_(["organization", "customer", "material"]),
        name="mart_key_kind_check",
    ),
    comment="Integer keys for analysts: given once, with the run that first names a value, and never changed",
)

mart_level = sa.Table(
    "mart_level",
    metadata,
    sa.Column("key", sa.Integer, sa.Identity(always=True), primary_key=True),
    sa.Column("level", _NAME, nullable=False, unique=True, comment="as in node.level"),
    comment="As mart_key, for levels: so few that PostgreSQL must not take them for many",
)

# Like forecast and history: no foreign keys, for one writer.
mart_node = sa.Table(
    "mart_node",
    metadata,
    sa.Column("node_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("level_key", sa.Integer, nullable=False),
    sa.Column("organization_key", sa.Integer),
    sa.Column("customer_key", sa.Integer),
    sa.Column("material_key", sa.Integer),
    comment="The keys of what each node names, which join faster than names",
)

mart_grant = sa.Table(
    "mart_grant",
    metadata,
    sa.Column("login", sa.Text, nullable=False, comment="a role of PostgreSQL that connects, by name"),
    sa.Column("organization", _NAME, comment="null for all, sums over them included"),
    sa.Column("granted_at", TIMESTAMP(timezone=True), server_default=sa.func.now(), nullable=False),
    sa.UniqueConstraint("login", "organization", postgresql_nulls_not_distinct=True),
    comment="Whose rows a login sees in schema mart; one without a row sees nothing",
)
