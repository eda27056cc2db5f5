"""The present moment, by the clock that all processes on a database share."""

import datetime as dt

from sqlalchemy import Engine, func, select

from app.store.session import connected


def moment(engine: Engine) -> dt.datetime:
    """What the database's clock says; the service reads no clock of its own."""
    with connected(engine) as connection:
        now: dt.datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return now
