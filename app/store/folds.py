"""What recipes lost from past origins, kept so that no contest finds it out twice."""

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert

from app.store import tables
from app.store.session import connected
from forecasting.arrays import Floats
from forecasting.months import Month

type Losses = tuple[Floats, Floats, Floats]
"""Absolute errors, pinball losses and demand, each of shape (levels, horizon)."""


def read_fold(engine: Engine, key: str) -> Losses | None:
    """The fold of that key, to the last bit; None where it is not kept."""
    fold = tables.fold.c
    with connected(engine) as connection:
        row = connection.execute(
            sa.select(fold.absolute, fold.pinball, fold.demand).where(fold.key == key)
        ).one_or_none()
    if row is None:
        return None
    absolute, pinball, demand = (np.array(values, dtype=np.float64) for values in row)
    return absolute, pinball, demand


def keep_fold(engine: Engine, key: str, recipe: str, origin: Month, losses: Losses) -> None:
    """Keep a fold; what is kept already stays."""
    absolute, pinball, demand = (values.tolist() for values in losses)
    row = insert(tables.fold).values(
        key=key, recipe=recipe, origin=origin.first_day, absolute=absolute, pinball=pinball, demand=demand
    )
    with connected(engine) as connection:
        connection.execute(row.on_conflict_do_nothing())
