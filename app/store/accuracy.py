"""How earlier published forecasts did: stored scores, added up by whatever is asked for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on

from app.store import insight_tables, tables
from app.store.keys import canonical
from forecasting.hierarchy import Level, level_name, parse_level
from forecasting.months import Month

type Grouping = Literal["level", "lead", "month", "run", "demand_class", "abc"]

GROUPINGS: tuple[Grouping, ...] = get_args(Grouping.__value__)
_WHICH = ("month", "run_id", "level")
_CLASSES = frozenset({"demand_class", "abc"})


@dataclass(frozen=True)
class Accuracy:
    """Published forecasts against what came, summed over all scores of a group; in the runs' unit.

    What a group is not parted by is None. `cells` counts nodes and months. Absolute errors are of the median.
    `compared` and `compared_demand` are the absolute error and the demand of those scores alone that have a
    `seasonal_error`; `quantile_demand` is that of those with quantiles, whose `quantile_loss` is twice the
    pinball loss, mean over quantiles. `within` of `interval_cells` lay from p10 to p90. `scaled_error` sums
    errors by each node's mean seasonal difference before the run's origin, over `scaled_cells`.
    """

    level: Level
    lead: int | None
    month: Month | None
    run: str | None
    demand_class: str | None
    abc: str | None
    months: int
    runs: int
    cells: int
    demand: float
    error: float
    absolute_error: float
    seasonal_error: float
    compared: float
    compared_demand: float
    quantile_loss: float
    quantile_demand: float
    within: int
    interval_cells: int
    scaled_error: float
    scaled_cells: int

    @property
    def wape(self) -> float | None:
        """Absolute error as a share of demand."""
        return _ratio(self.absolute_error, self.demand)

    @property
    def bias(self) -> float | None:
        """Forecast less actual as a share of demand: above zero means too much was forecast."""
        return _ratio(self.error, self.demand)

    @property
    def value_added_seasonal(self) -> float | None:
        """The seasonal naive's WAPE less ours: above zero, the forecast was worth having."""
        return _ratio(self.seasonal_error - self.compared, self.compared_demand)

    @property
    def mae_ratio_seasonal(self) -> float | None:
        """Our absolute error by the seasonal naive's."""
        return _ratio(self.compared, self.seasonal_error)

    @property
    def mase(self) -> float | None:
        """Mean absolute scaled error (Hyndman & Koehler 2006), each node by its own seasonal difference."""
        return _ratio(self.scaled_error, self.scaled_cells)

    @property
    def wql(self) -> float | None:
        """Weighted quantile loss as a share of demand."""
        return _ratio(self.quantile_loss, self.quantile_demand)

    @property
    def coverage_p10_p90(self) -> float | None:
        """Share of cells from p10 to p90; 0.8 is what they should come to."""
        return _ratio(self.within, self.interval_cells)


def read_accuracy(
    connection: Connection,
    by: Collection[Grouping],
    *,
    level: Level | None = None,
    lead: int | None = None,
    first: Month | None = None,
    last: Month | None = None,
    run: str | None = None,
    limit: int = 10_000,
) -> list[Accuracy]:
    """Scores of the months from `first` to `last`, each by the newest run that told what came.

    One row for each level and for each group in `by`, sorted in the order of `GROUPINGS`, the total first.
    Parted by a class, there are only scores of version 0.3 and later.
    """
    asked = {
        "level": None if level is None else level_name(canonical(level)),
        "lead": lead,
        "run_id": run,
    }
    scores = _newest(by, {name: value for name, value in asked.items() if value is not None}, first, last)
    groups = {
        name: scores.c["run_id" if name == "run" else name] for name in GROUPINGS if name in {"level", *by}
    }
    depth = sa.func.cardinality(sa.func.string_to_array(sa.func.nullif(scores.c.level, "total"), ","))
    order: list[Any] = []
    for name, column in groups.items():
        if name == "level":
            order.append(sa.func.coalesce(depth, 0))
        order.append(sa.collate(column, "C") if name not in {"lead", "month"} else column)
    question = (
        sa.select(*(column.label(name) for name, column in groups.items()), *_sums(scores.c))
        .group_by(*groups.values())
        .order_by(*order)
        .limit(limit)
    )
    return [_accuracy(row._asdict()) for row in connection.execute(question) if row.cells]


def _newest(
    by: Collection[Grouping], asked: Mapping[str, object], first: Month | None, last: Month | None
) -> sa.Subquery:
    """Scores, each by the newest run that told what came, with the quantiles of the run scored."""
    table = insight_tables.class_score if _CLASSES & set(by) else tables.score
    run, teller = tables.run.c, tables.run.alias("teller")
    which = [table.c[name] for name in _WHICH]
    # Who told last speaks for all classes: another may have counted a node in another class.
    newest = (
        sa.select(*which, table.c.by_run)
        .ext(distinct_on(*which))
        .join(tables.run, run.id == table.c.run_id)
        .join(teller, teller.c.id == table.c.by_run)
        .where(*(table.c[name] == value for name, value in asked.items()))
        .order_by(*which, teller.c.origin.desc(), teller.c.published_at.desc())
    )
    if first is not None:
        newest = newest.where(table.c.month >= first.first_day)
    if last is not None:
        newest = newest.where(table.c.month <= last.first_day)
    told = newest.subquery("told")
    same = (table.c[name] == told.c[name] for name in (*_WHICH, "by_run"))
    return sa.select(table).join(told, sa.and_(*same)).subquery("newest")


def _sums(score: Any) -> Sequence[sa.ColumnElement[Any]]:
    # NaN where history begins after a run: then there is no yardstick, and the comparison is of the others.
    fair = score.seasonal_error != sa.literal(float("nan"), score.seasonal_error.type)
    quantiles = sa.func.cardinality(score.pinball)
    pinball = sa.select(sa.func.sum(sa.func.unnest(score.pinball).column_valued())).scalar_subquery()
    covered = score.within.is_not(None)

    # In one order, so that the last digit stays the same whatever way the rows were found.
    order = [score[name] for name in (*_WHICH, "demand_class", "abc") if name in score]

    def total(value: Any, when: Any = None) -> Any:
        found = sa.func.sum(aggregate_order_by(value, *order))
        return sa.func.coalesce(found if when is None else found.filter(when), 0)

    return [
        sa.func.count(score.month.distinct()).label("months"),
        sa.func.count(score.run_id.distinct()).label("runs"),
        total(score.nodes).label("cells"),
        *(total(score[name]).label(name) for name in ("demand", "error", "absolute_error")),
        total(score.seasonal_error, fair).label("seasonal_error"),
        total(score.absolute_error, fair).label("compared"),
        total(score.demand, fair).label("compared_demand"),
        total(2 * pinball / sa.func.nullif(quantiles, 0)).label("quantile_loss"),
        total(score.demand, quantiles > 0).label("quantile_demand"),
        total(score.within).label("within"),
        total(score.nodes, covered).label("interval_cells"),
        total(score.scaled_error).label("scaled_error"),
        total(score.scaled_nodes).label("scaled_cells"),
    ]


def _accuracy(row: Mapping[str, Any]) -> Accuracy:
    facts: dict[str, Any] = dict.fromkeys(GROUPINGS) | dict(row)
    facts["level"] = parse_level(facts["level"])
    facts["month"] = None if facts["month"] is None else Month.of(facts["month"])
    return Accuracy(**facts)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None
