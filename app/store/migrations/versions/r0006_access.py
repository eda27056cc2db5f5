"""API keys; the roles that readers take; and which rows a reader of some organizations sees."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from app.errors import RolesMissing

revision = "0006"
down_revision = "0005"

_READERS = ("tonnage_reader", "tonnage_scoped")
_LATER = "tonnage_mart"  # so that whoever has to ask an administrator asks once: 0012 needs it

# Roles belong to the server, not to the database: another database may have made them, or be making them.
_CREATE = """
do $$ begin
    if not exists (select from pg_roles where rolname = '{role}') then
        create role {role} nologin;
    end if;
exception when duplicate_object or unique_violation then null;
end $$
"""

# Whoever makes a role may grant it; the right to take it is another one since PostgreSQL 16.
_MAY_TAKE = """
select pg_has_role(current_user, '{role}',
    case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end)
"""
_GRANT = """
do $$ begin
    if current_setting('server_version_num')::int >= 160000 then
        execute 'grant {role} to ' || quote_ident(current_user) || ' with inherit false, set true';
    else
        execute 'grant {role} to ' || quote_ident(current_user);
    end if;
exception when unique_violation or internal_error then null; -- granted at the same moment elsewhere
end $$
"""

# A setting that an earlier transaction had is empty, no longer null.
_THEIRS = "(select nullif(current_setting('tonnage.organizations', true), '')::text[])::text[]"


def upgrade() -> None:
    """Create the table, the roles and the policies."""
    op.create_table(
        "api_key",
        sa.Column("id", sa.Text, primary_key=True, comment="the part of the key that is no secret"),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False, comment="SHA-256 of 256 random bits"),
        sa.Column("name", sa.Text, nullable=False, comment="who holds it"),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("organizations", ARRAY(sa.Text), comment="whose nodes its holder sees; null for all"),
        sa.Column("expires_at", TIMESTAMP(timezone=True), comment="null for never"),
        sa.Column("created_at", TIMESTAMP(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("last_used_at", TIMESTAMP(timezone=True), comment="to the minute"),
        sa.Column("revoked_at", TIMESTAMP(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="api_key_pkey"),
        sa.CheckConstraint("role in ('viewer', 'planner', 'operator', 'admin')", name="api_key_role_check"),
        comment="Who may ask; no reader may read it",
    )
    op.create_index(
        "api_key_name_idx", "api_key", ["name"], unique=True, postgresql_where=sa.text("revoked_at is null")
    )
    _make_readers()
    for table in ("node", "forecast", "history"):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"create policy {table}_reader on {table} for select to tonnage_reader using (true)")
    # The organizations are read once for a query, not for each row. A node that sums over them has none.
    theirs = f"using (organization = any ({_THEIRS}))"
    op.execute(f"create policy node_scoped on node for select to tonnage_scoped {theirs}")
    for table in ("forecast", "history"):
        theirs = f"using (exists (select from node where node.id = {table}.node_id))"  # of those seen, again
        op.execute(f"create policy {table}_scoped on {table} for select to tonnage_scoped {theirs}")
    op.execute("grant select on run, current_run, node, forecast, history to tonnage_reader, tonnage_scoped")
    op.execute("grant select on shown, score, drift_event to tonnage_reader")


def _make_readers() -> None:
    connection = op.get_bind()
    user = connection.exec_driver_sql("select current_user").scalar_one()
    try:
        with connection.begin_nested():
            for role in _READERS:
                connection.exec_driver_sql(_CREATE.format(role=role))
                if not connection.exec_driver_sql(_MAY_TAKE.format(role=role)).scalar_one():
                    connection.exec_driver_sql(_GRANT.format(role=role))
    except sa.exc.ProgrammingError as error:
        raise RolesMissing(user, (*_READERS, _LATER)) from error
