"""What published runs were made from, so that nobody throws it away."""

import sqlalchemy as sa
from sqlalchemy import Engine

from app.store import tables
from app.store.session import connected


def snapshots_of_runs(engine: Engine) -> set[str]:
    """The ids of the snapshots that the stored runs, shown or not, were made from."""
    with connected(engine) as connection:
        return set(connection.scalars(sa.select(tables.run.c.snapshot).distinct()))
