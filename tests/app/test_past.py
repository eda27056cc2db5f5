"""What was published comes back bit for bit, beside the nodes of another hierarchy."""

import datetime as dt
from collections.abc import Callable

import numpy as np
import polars as pl
from sqlalchemy import Engine

from app.store.past import ABSENT, as_past, find_places, last_origin_before, read_past, runs_before
from app.store.publish import publish
from app.store.scores import Score, keep_scores, read_scores
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month, months_from
from forecasting.run import ForecastRun

type MakeRun = Callable[..., ForecastRun]

PUBLISHED = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)


def test_a_run_is_read_back_as_it_was_published(engine: Engine, make_run: MakeRun) -> None:
    run: ForecastRun = make_run()
    publish(engine, make_run("2026-10-other", scale=3.0), PUBLISHED)
    publish(engine, run, PUBLISHED)
    # Today one leaf is gone and another is there: rows must follow names, not places.
    leaves = run.forecast.hierarchy.leaves
    new = pl.DataFrame([("SÜD", "K-8", "Blech")], schema=leaves.schema, orient="row")
    today = Hierarchy.of(
        run.forecast.hierarchy.keys, run.forecast.hierarchy.levels, pl.concat([leaves[1:], new])
    )
    expected = as_past(run.forecast, today, run.id)
    with engine.begin() as connection:
        earlier = runs_before(connection, Month(2026, 11), Month(2026, 10))
        (stored,) = [each for each in earlier if each.id == run.id]
        places = find_places(connection, today, today.levels)
        months = months_from(run.forecast.first, 2)
        found = read_past(connection, stored, months, places)
        second = read_past(connection, stored, months[1:], find_places(connection, today, [("customer",)]))
    assert found.months == expected.months
    assert set(found.said) == set(today.levels)
    for level, said in found.said.items():
        ours = expected.said[level]
        order, theirs = np.lexsort((ours.mean[:, 0], ours.row)), np.lexsort((said.mean[:, 0], said.row))
        assert (said.row[theirs] == ours.row[order]).all()
        assert (said.mean[theirs] == ours.mean[order]).all()
        assert (said.quantiles[:, theirs] == ours.quantiles[:, order]).all()
    assert (found.said[today.levels[-1]].row == ABSENT).sum() == 1
    assert set(second.said) == {("customer",)}
    assert (second.said["customer",].mean[:, 0] == found.said["customer",].mean[:, 1]).all()


def test_runs_without_quantiles(engine: Engine, make_run: MakeRun) -> None:
    whole: ForecastRun = make_run()
    bare = Forecast(
        whole.forecast.hierarchy, whole.forecast.first, whole.forecast.mean, (), whole.forecast.quantiles[:0]
    )
    publish(engine, make_run(forecast=bare), PUBLISHED)
    with engine.begin() as connection:
        (stored,) = runs_before(connection, Month(2026, 11), Month(2026, 10))
        places = find_places(connection, bare.hierarchy, bare.hierarchy.levels)
        past = read_past(connection, stored, [Month(2026, 11)], places)
    assert past.said[()].quantiles.shape == (0, 1, 1)
    assert past.said[()].mean[0, 0] == bare.mean[0, 0]


def test_earlier_runs_by_origin(engine: Engine, make_run: MakeRun) -> None:
    publish(engine, make_run("2026-10-b"), PUBLISHED + dt.timedelta(hours=1))
    publish(engine, make_run("2026-10-a"), PUBLISHED)
    with engine.begin() as connection:
        both = runs_before(connection, Month(2026, 11), Month(2026, 10))
        assert [run.id for run in both] == ["2026-10-a", "2026-10-b"]
        assert runs_before(connection, Month(2026, 10), Month(2020, 1)) == []
        assert runs_before(connection, Month(2027, 1), Month(2026, 11)) == []
        assert last_origin_before(connection, Month(2026, 11)) == Month(2026, 10)
        assert last_origin_before(connection, Month(2026, 10)) is None


def score(**changes: object) -> Score:
    facts: dict[str, object] = {
        "run_id": "2026-10-a", "level": ("organization", "customer"), "month": Month(2026, 11), "lead": 1,
        "nodes": 4, "new_nodes": 1, "gone_nodes": 0, "actual": 30.0, "demand": 32.0, "error": -1.5,
        "absolute_error": 6.0, "seasonal_error": 9.0, "within": 3, "probabilities": (0.1, 0.5, 0.975),
        "pinball": (1.0, 3.0, 0.25),
    }  # fmt: skip
    return Score(**(facts | changes))  # type: ignore[arg-type]  # facts are of many types


def test_scores_are_kept_once_and_the_newest_snapshot_speaks(engine: Engine, make_run: MakeRun) -> None:
    for run_id in ("2026-10-a", "2026-10-b", "2026-10-c"):
        publish(engine, make_run(run_id), PUBLISHED + dt.timedelta(hours=ord(run_id[-1])))
    total = score(level=(), within=None)
    with engine.begin() as connection:
        assert keep_scores(connection, "2026-10-b", [score(), total]) == 2
        assert keep_scores(connection, "2026-10-b", [score(actual=99.0), total]) == 0
        assert keep_scores(connection, "2026-10-b", []) == 0
        assert read_scores(connection) == [score(), total]
        # The month is told again by a later run, from another snapshot.
        assert keep_scores(connection, "2026-10-c", [score(actual=31.0)]) == 1
        assert read_scores(connection) == [score(actual=31.0), total]
        assert read_scores(connection, first=Month(2026, 12)) == []
        assert read_scores(connection, last=Month(2026, 10)) == []
