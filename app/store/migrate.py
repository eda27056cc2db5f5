"""Brings the database to the schema of this version."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, func, select

from app.store.session import connected

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x746F6E_01  # any number, the same in every process that migrates


def migrate(engine: Engine) -> None:
    """Apply the migrations that are missing, in one transaction; does nothing when there are none."""
    with connected(engine) as connection:
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        config = Config(attributes={"connection": connection})
        # Alembic reads options as templates, where a lone % is special
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        command.upgrade(config, "head")


def is_current(engine: Engine) -> bool:
    """Whether the schema is that of this version."""
    with connected(engine) as connection:
        return MigrationContext.configure(connection).get_current_heads() == _heads()


@cache
def _heads() -> tuple[str, ...]:
    return tuple(ScriptDirectory(_MIGRATIONS).get_heads())
