"""A star for analysts: schema `mart`, its role, its keys and who sees which organizations in it."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

from app.errors import RolesMissing

revision = "0012"
down_revision = "0011"

_ROLE = "tonnage_mart"
_KINDS = ("level", "organization", "customer", "material")

# Roles belong to the server, not to the database: another database may have made it, or be making it.
_CREATE = """
do $$ begin
    if not exists (select from pg_roles where rolname = 'tonnage_mart') then
        create role tonnage_mart nologin;
    end if;
exception when duplicate_object or unique_violation then null;
end $$
"""


def upgrade() -> None:
    """Create the role, the tables and the views; what is published already gets its keys."""
    _make_role()
    op.add_column(
        "run",
        sa.Column(
            "number", sa.Integer, sa.Identity(always=True), nullable=False, comment="its key for analysts"
        ),
    )
    op.create_unique_constraint("run_number_key", "run", ["number"])
    name = sa.Text(collation="C")
    op.create_table(
        "mart_key",
        sa.Column("key", sa.Integer, sa.Identity(always=True), nullable=False),
        sa.Column("kind", name, nullable=False),
        sa.Column("value", name, nullable=False, comment="as in node"),
        sa.PrimaryKeyConstraint("key", name="mart_key_pkey"),
        sa.UniqueConstraint("kind", "value", name="mart_key_kind_value_key"),
        sa.CheckConstraint("kind in ('organization', 'customer', 'material')", name="mart_key_kind_check"),
        comment="Integer keys for analysts: given once, with the run that first names a value, "
        "and never changed",
    )
    op.create_table(
        "mart_level",
        sa.Column("key", sa.Integer, sa.Identity(always=True), nullable=False),
        sa.Column("level", name, nullable=False, comment="as in node.level"),
        sa.PrimaryKeyConstraint("key", name="mart_level_pkey"),
        sa.UniqueConstraint("level", name="mart_level_level_key"),
        comment="As mart_key, for levels: so few that PostgreSQL must not take them for many",
    )
    op.create_table(
        "mart_node",
        sa.Column("node_id", sa.BigInteger, nullable=False),
        *(sa.Column(f"{kind}_key", sa.Integer, nullable=kind != "level") for kind in _KINDS),
        sa.PrimaryKeyConstraint("node_id", name="mart_node_pkey"),
        comment="The keys of what each node names, which join faster than names",
    )
    op.create_table(
        "mart_grant",
        sa.Column("login", sa.Text, nullable=False, comment="a role of PostgreSQL that connects, by name"),
        sa.Column("organization", name, comment="null for all, sums over them included"),
        sa.Column("granted_at", TIMESTAMP(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.UniqueConstraint(
            "login",
            "organization",
            name="mart_grant_login_organization_key",
            postgresql_nulls_not_distinct=True,
        ),
        comment="Whose rows a login sees in schema mart; one without a row sees nothing",
    )
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def _make_role() -> None:
    connection = op.get_bind()
    user = connection.exec_driver_sql("select current_user").scalar_one()
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(_CREATE)
    except sa.exc.ProgrammingError as error:
        raise RolesMissing(user, (_ROLE,)) from error
