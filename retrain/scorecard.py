"""Earlier published runs against what was then bought."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from app.store.past import ABSENT, PastRun
from app.store.scores import Score
from forecasting.abc_class import AbcClass
from forecasting.arrays import Bools, Floats, Ints
from forecasting.demand_class import DemandClass
from forecasting.hierarchy import Level
from forecasting.metrics import inside, pinball, ratio
from forecasting.models.naive import SEASON, Naive
from forecasting.models.protocol import SeriesBatch
from forecasting.months import Month
from forecasting.panel import DemandPanel
from retrain.score_cells import Cells, by_class, kinds_of

LOW, HIGH = 0.1, 0.9


@dataclass(frozen=True, eq=False)
class Came:
    """The history of all nodes, shape (nodes, months), and the position of each node's first month."""

    panel: DemandPanel
    nodes: Floats
    born: Ints


def what_came(panel: DemandPanel) -> Came:
    """The newest history, added up once for all runs that are scored with it."""
    return Came(panel, panel.nodes(), panel.node_born)


def score_runs(came: Came, runs: Iterable[PastRun]) -> list[Score]:
    """Every run at every level in every month that it said something of and that came.

    A node is scored where the run has it or it was born by then. One that the run does not have counts as
    forecast at zero, so that all it bought is error at its level; one that the newest history does not have
    counts as having bought nothing. Above both, levels see only sums. Classes are those of the history before
    the run's origin, so that no month that came has a say in the class that it is counted in.
    """
    return [
        _score(came, past, level, place)
        for past in runs
        for level in past.said
        for place, month in enumerate(past.months)
        if came.panel.first <= month <= came.panel.origin
    ]


def _score(came: Came, past: PastRun, level: Level, place: int) -> Score:
    """One run, level and month; all arrays have the nodes of the run first, then those that it lacks."""
    said, month = past.said[level], past.months[place]
    part = came.panel.hierarchy.slices[came.panel.hierarchy.levels.index(level)]
    at = month - came.panel.first
    missing = _missing(said.row, came.born[part] <= at)

    def beside(values: Floats | Ints, gone: float = 0.0) -> Floats:
        """Values of the level's nodes in the order of the run's, then of those that it lacks."""
        return np.concatenate([_scattered(values, said.row, gone), values[missing]])

    lacking = np.zeros(len(missing))
    actual = beside(came.nodes[part, at])
    mean = np.concatenate([said.mean[:, place], lacking])
    by = {
        probability: np.concatenate([each[:, place], lacking])
        for probability, each in zip(past.probabilities, said.quantiles, strict=True)
    }
    absolute = np.abs(by.get(0.5, mean) - actual)
    kinds = kinds_of(came.nodes[part], came.born[part], past.origin - came.panel.first + 1)
    cells = Cells(
        actual=actual,
        error=mean - actual,
        absolute_error=absolute,
        seasonal_error=np.abs(beside(_seasonal(came, part, past.origin, month)) - actual),
        within=inside(actual, by[LOW], by[HIGH]) if LOW in by and HIGH in by else None,
        pinball=[pinball(actual, quantile, probability) for probability, quantile in by.items()],
        # NaN where a node has no scale: such a node is not scaled.
        scaled_error=ratio(absolute, np.nan_to_num(beside(kinds.scale, np.nan))),
    )
    return Score(
        run_id=past.id,
        level=level,
        month=month,
        lead=month - past.origin,
        nodes=len(actual),
        new_nodes=len(missing),
        gone_nodes=int((said.row == ABSENT).sum()),
        actual=float(actual.sum()),
        probabilities=past.probabilities,
        **cells.sums(),
        classes=by_class(cells, beside(kinds.demand, DemandClass.SILENT), beside(kinds.abc, AbcClass.C)),
    )


def _scattered(values: Floats | Ints, row: Ints, gone: float) -> Floats:
    """The value of each of the run's nodes, `gone` where there is no such node any more."""
    found: Floats = np.where(row == ABSENT, gone, values[row])
    return found


def _missing(row: Ints, born: Bools) -> Ints:
    """Nodes of the level that had been born and that the run does not have."""
    lacking = born.copy()
    lacking[row[row != ABSENT]] = False
    return np.flatnonzero(lacking)


def _seasonal(came: Came, part: slice, origin: Month, month: Month) -> Floats:
    """What the seasonal naive would have said at the run's origin, shape (nodes of the level,).

    NaN where history, as it is now, begins after the run's origin.
    """
    known = origin - came.panel.first + 1
    if known < 1:
        return np.full(part.stop - part.start, np.nan)
    history = SeriesBatch(came.panel.first, came.nodes[part, :known], came.born[part])
    ahead: Floats = Naive(SEASON).hindcast(history, 0, month - origin)[:, 0, -1]
    return ahead
