"""Numbers of a selection as arrays, a slice of nodes at a time."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection

from app.errors import RunIncomplete
from app.store.binary_copy import forecast_arrays
from app.store.selection import Selection
from app.store.session import copy_out
from forecasting.arrays import Floats

_ROWS = (
    "select run_id, node_id, month, mean, quantiles "
    "from unnest(%(ids)s::bigint[]) with ordinality as slice (id, place) "
    "join forecast on run_id = %(run)s and node_id = slice.id and month between %(first)s and %(last)s "
    "order by slice.place, month"
)


def numbers(connection: Connection, selection: Selection, ids: Sequence[int]) -> Floats:
    """Shape (nodes, months, measures): the mean, then the quantiles asked for, to the last bit.

    Raises `RunIncomplete` where rows are missing.
    """
    run = selection.run
    values = {
        "ids": list(ids),
        "run": run.id,
        "first": selection.first.first_day,
        "last": selection.last.first_day,
    }
    stream = copy_out(connection, _ROWS, values)
    arrays = forecast_arrays(stream, run.id, len(ids), len(run.probabilities))
    if arrays is None or arrays[0].shape != (len(ids), len(selection.months)):
        raise RunIncomplete(run.id)
    mean, quantiles = arrays
    held = [quantiles[run.probabilities.index(each)] for each in selection.probabilities]
    return np.stack([mean, *held], axis=-1)
