"""All numbers of a run read back: to the last bit, whatever its nodes are called, or told not to be whole."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import Engine, text

from app.store.publish import publish
from app.store.run_records import run_record
from app.store.stored_forecast import NODE_NAMES, StoredForecast, node_names, stored_forecast
from forecasting.forecast import Forecast
from forecasting.run import ForecastRun
from tests.app.conftest import PUBLISHED

type MakeRun = Callable[..., ForecastRun]


def read(engine: Engine, run_id: str) -> StoredForecast:
    return stored_forecast(engine, run_record(engine, run_id))


def assert_holds(stored: StoredForecast, forecast: Forecast) -> None:
    names = node_names(forecast.hierarchy)
    at = stored.nodes.with_row_index("at")
    row = names.join(at, on=list(NODE_NAMES), nulls_equal=True, maintain_order="left")["at"].to_numpy()
    assert stored.whole and len(row) == stored.nodes.height == forecast.hierarchy.n_nodes
    assert stored.mean[row].tobytes() == forecast.mean.tobytes()
    assert stored.quantiles[:, row].tobytes() == forecast.quantiles.tobytes()


def noisy(forecast: Forecast) -> Forecast:
    """The same nodes with numbers that have all their digits."""
    random = np.random.default_rng(3)
    mean = random.lognormal(0, 20, forecast.mean.shape)
    return replace(forecast, mean=mean, quantiles=mean * np.array([0.1, 1 / 3, 7.7])[:, None, None])


def test_numbers_come_back_to_the_last_bit(engine: Engine, make_run: MakeRun) -> None:
    run, other = make_run(), make_run("2026-10-bbbb", scale=2.0)
    run = replace(run, forecast=noisy(run.forecast))
    publish(engine, run, PUBLISHED)
    publish(engine, other, PUBLISHED)
    assert_holds(read(engine, run.id), run.forecast)
    assert_holds(read(engine, other.id), other.forecast)


def test_attributes_are_told_apart(
    engine: Engine, make_run: MakeRun, make_forecast: Callable[..., Forecast]
) -> None:
    forecast = make_forecast(
        ("material", "grade", "form"),
        ("total", "grade", "grade,form", "material"),
        [('a,"b"', "S235", "Flat"), ("b", "S235", "Long"), ("c", "{S355}", "Flat")],
    )
    publish(engine, make_run(forecast=forecast), PUBLISHED)
    assert_holds(read(engine, "2026-10-aaaa"), forecast)


def test_a_run_without_quantiles(engine: Engine, make_run: MakeRun) -> None:
    run = make_run()
    bare = replace(run.forecast, probabilities=(), quantiles=np.empty((0, *run.forecast.mean.shape)))
    publish(engine, replace(run, forecast=bare), PUBLISHED)
    assert_holds(read(engine, run.id), bare)


def test_many_nodes_come_in_pieces(
    engine: Engine, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.stored_forecast._NODES_AT_ONCE", 3)
    run = make_run()
    publish(engine, run, PUBLISHED)
    assert_holds(read(engine, run.id), run.forecast)


@pytest.mark.parametrize(
    "harm",
    [
        "delete from forecast where month = '2026-12-01' and node_id = (select min(node_id) from forecast)",
        "delete from forecast where month = '2026-12-01'",
        "delete from forecast",
        "update forecast set quantiles = '{1}' where node_id = (select max(node_id) from forecast)",
        "update forecast set quantiles = '{1,null,3}' where node_id = (select max(node_id) from forecast)",
        "update forecast set quantiles = case when month = '2026-11-01' then '{1,2,3,4}' else '{1,2}' end "
        "::double precision[] where node_id = (select max(node_id) from forecast)",
        "update forecast set month = '2027-01-01' "
        "where month = '2026-12-01' and node_id = (select max(node_id) from forecast)",
    ],
)
def test_rows_of_another_form_are_told(engine: Engine, make_run: MakeRun, harm: str) -> None:
    publish(engine, make_run(), PUBLISHED)
    with engine.begin() as connection:
        connection.execute(text(harm))
    assert not read(engine, "2026-10-aaaa").whole
