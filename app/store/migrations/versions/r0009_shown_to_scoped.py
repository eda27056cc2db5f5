"""Readers of some organizations may ask which run was shown when; why it was is not for them."""

from alembic import op

revision = "0009"
down_revision = "0007"

# The role comes with the migration that makes readers.
_GRANT = """
do $$ begin
    if exists (select from pg_roles where rolname = 'tonnage_scoped') then
        grant select (id, run_id, at) on shown to tonnage_scoped;
    end if;
end $$
"""


def upgrade() -> None:
    """Grant it where there is such a role."""
    op.execute(_GRANT)
