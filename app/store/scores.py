"""What earlier runs were worth, month by month: written once for each run that told what came."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert

from app.store import insight_tables, tables
from app.store.keys import canonical
from forecasting.hierarchy import Level, level_name, parse_level
from forecasting.months import Month

_ROWS_AT_ONCE = 1_000  # a statement takes 65,535 values


@dataclass(frozen=True)
class ClassScore:
    """The part of a score that nodes of one demand class and one ABC class have in it; fields as there."""

    demand_class: str
    abc: str
    nodes: int
    demand: float
    error: float
    absolute_error: float
    seasonal_error: float
    within: int | None
    pinball: tuple[float, ...]
    scaled_error: float
    scaled_nodes: int


@dataclass(frozen=True)
class Score:
    """A run against what came in one month, summed over the nodes of a level, in the run's unit.

    `nodes` are all that were scored, `new_nodes` those that the run did not have, so that all that came is
    error, `gone_nodes` those that the snapshot does not have, so that all that was said is. Absolute errors
    are of the median (of the mean where the run has none), `error` is the mean less what came. `within`
    counts nodes from p10 to p90, None where the run has not both; `pinball` has one loss for each of
    `probabilities`. `scaled_error` sums absolute errors by each node's own mean seasonal difference, over
    the `scaled_nodes` that have one; both are None in scores of before version 0.3. `classes` are its parts,
    and are written but not read back with it.
    """

    run_id: str
    level: Level
    month: Month
    lead: int
    nodes: int
    new_nodes: int
    gone_nodes: int
    actual: float
    demand: float
    error: float
    absolute_error: float
    seasonal_error: float
    within: int | None
    probabilities: tuple[float, ...]
    pinball: tuple[float, ...]
    scaled_error: float | None = None
    scaled_nodes: int | None = None
    classes: tuple[ClassScore, ...] = ()


def keep_scores(connection: Connection, by_run: str, scores: Sequence[Score]) -> int:
    """Store what a run's snapshot told of earlier runs; how many of the scores were new."""
    if not scores:
        return 0
    rows = [
        {
            "by_run": by_run,
            "run_id": each.run_id,
            "level": level_name(canonical(each.level)),
            "month": each.month.first_day,
            "lead": each.lead,
            "nodes": each.nodes,
            "new_nodes": each.new_nodes,
            "gone_nodes": each.gone_nodes,
            "actual": each.actual,
            "demand": each.demand,
            "error": each.error,
            "absolute_error": each.absolute_error,
            "seasonal_error": each.seasonal_error,
            "within": each.within,
            "pinball": list(each.pinball),
            "scaled_error": each.scaled_error,
            "scaled_nodes": each.scaled_nodes,
        }
        for each in scores
    ]
    _keep_classes(connection, by_run, scores)
    stored = connection.execute(
        upsert(tables.score).values(rows).on_conflict_do_nothing().returning(tables.score.c.run_id)
    )
    return len(stored.all())


def _keep_classes(connection: Connection, by_run: str, scores: Sequence[Score]) -> None:
    rows = [
        {
            "by_run": by_run,
            "run_id": each.run_id,
            "level": level_name(canonical(each.level)),
            "month": each.month.first_day,
            "lead": each.lead,
            **vars(part),
            "pinball": list(part.pinball),
        }
        for each in scores
        for part in each.classes
    ]
    for some in batched(rows, _ROWS_AT_ONCE):
        connection.execute(upsert(insight_tables.class_score).values(list(some)).on_conflict_do_nothing())


def read_scores(
    connection: Connection, *, first: Month | None = None, last: Month | None = None
) -> list[Score]:
    """Every score of the months from `first` to `last`, each by the newest run that told what came.

    Sorted by month, scored run and level.
    """
    score, run, teller = tables.score.c, tables.run.c, tables.run.alias("teller")
    question = (
        sa.select(tables.score, run.probabilities)
        .ext(distinct_on(score.month, score.run_id, score.level))
        .join(tables.run, run.id == score.run_id)
        .join(teller, teller.c.id == score.by_run)
        .order_by(
            score.month, score.run_id, score.level, teller.c.origin.desc(), teller.c.published_at.desc()
        )
    )
    if first is not None:
        question = question.where(score.month >= first.first_day)
    if last is not None:
        question = question.where(score.month <= last.first_day)
    return [_score(row) for row in connection.execute(question)]


def _score(row: sa.Row[tuple[object, ...]]) -> Score:
    facts = row._asdict()
    del facts["by_run"]
    facts["level"] = parse_level(facts["level"])
    facts["month"] = Month.of(facts["month"])
    facts["probabilities"], facts["pinball"] = tuple(facts["probabilities"]), tuple(facts["pinball"])
    return Score(**facts)
