"""Nodes in a line each, by hand: what is forecast for a year, what was bought a year before, their place."""

import csv
import datetime as dt

import numpy as np
import polars as pl
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.denials import ForeignLevel
from app.store.lineage import Lineage
from app.store.publish import publish
from app.store.read import Reader, reading
from app.store.selection import Selection, select_from
from app.store.summaries import Ranking, Stretch
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.run import ForecastRun

KEYS = ("organization", "customer")
LEAVES = [("NORD", "K-1"), ("NORD", "K-2"), ("SÜD", "K-1"), ("SÜD", "k-30")]
LEVELS = [(), ("organization",), KEYS]
ORIGIN = Month(2026, 10)
PUBLISHED = dt.datetime(2026, 11, 5, 6, tzinfo=dt.UTC)
ALL = Stretch(0, 100)


def store(engine: Engine, *, history: int, horizon: int = 14) -> None:
    """A run whose leaf i says 10^i each month, and bought 1 · 10^i, 2 · 10^i, … in so many months."""
    table = pl.DataFrame(LEAVES, schema=dict.fromkeys(KEYS, pl.String), orient="row")
    hierarchy = Hierarchy.of(KEYS, LEVELS, table)
    leaf = 10.0 ** np.arange(4)
    mean = hierarchy.aggregate(np.outer(leaf, np.ones(horizon)))
    forecast = Forecast(hierarchy, ORIGIN + 1, mean, (0.5,), mean[None])
    bought = np.outer(leaf, np.arange(1.0, history + 1))
    panel = DemandPanel(hierarchy, ORIGIN - (history - 1), bought, np.zeros(4, np.int64))
    lineage = Lineage({}, {}, "0.3", "", "", {}, panel)
    publish(engine, ForecastRun("2026-10-bbbb", forecast, "s", "m", "t", "b"), PUBLISHED, lineage)


def lines(
    engine: Engine, level: str, ranking: Ranking = "nodes", stretch: Stretch = ALL
) -> list[tuple[str, float]]:
    with reading(engine) as reader:
        found = reader.summaries(selected(reader, level), ranking, stretch)
    return [(each.node.values[-1] if each.node.values else "", each.year) for each in found]


def selected(reader: Reader, level: str, search: str | None = None) -> Selection:
    return select_from(reader.current_run(), level=level, where={}, search=search)


def test_a_year_and_the_year_before_by_hand(engine: Engine) -> None:
    store(engine, history=15)
    with reading(engine) as reader:
        (nord, sued) = reader.summaries(selected(reader, "organization"), "nodes", ALL)
    # Twelve of fourteen months; a year before are the fourth to the fifteenth of history: 4 + … + 15 = 114.
    assert (str(nord.node), nord.first, nord.year, nord.before) == (
        "organization=NORD",
        11.0,
        132.0,
        114 * 11.0,
    )
    assert (sued.first, sued.year, sued.before) == (1100.0, 13_200.0, 114 * 1100.0)


@pytest.mark.parametrize("history", [11, 12])
def test_a_year_before_is_known_from_twelve_months_of_history_on(engine: Engine, history: int) -> None:
    store(engine, history=history)
    with reading(engine) as reader:
        (total,) = reader.summaries(selected(reader, "total"), "nodes", ALL)
    assert total.before == (None if history < 12 else 78 * 1111.0)


def test_a_run_of_fewer_months_has_them_all(engine: Engine) -> None:
    store(engine, history=12, horizon=2)
    with reading(engine) as reader:
        (total,) = reader.summaries(selected(reader, "total"), "nodes", ALL)
    assert (total.year, total.before) == (2222.0, 3 * 1111.0)


def test_a_run_without_history_knows_no_year_before(engine: Engine, published: ForecastRun) -> None:
    with reading(engine) as reader:
        assert [each.before for each in reader.summaries(selected(reader, "customer"), "-year", ALL)] == [
            None
        ] * 3


def test_lines_are_found_by_their_place_in_any_order(engine: Engine) -> None:
    store(engine, history=12)
    level = "organization,customer"
    everything = lines(engine, level)
    assert [name for name, _ in everything] == ["K-1", "K-2", "K-1", "k-30"]
    assert [year for _, year in lines(engine, level, "-year")] == [12_000.0, 1200.0, 120.0, 12.0]
    assert [year for _, year in lines(engine, level, "year")] == [12.0, 120.0, 1200.0, 12_000.0]
    for ranking in ("nodes", "year", "-year"):
        whole = lines(engine, level, ranking)
        assert [line for at in range(5) for line in lines(engine, level, ranking, Stretch(at, 1))] == whole
    # After the node that is known to stand before it, a line is found without counting.
    assert lines(engine, level, stretch=Stretch(2, 9, ("NORD", "K-2"))) == everything[2:]


def test_counts_and_sums_are_those_of_the_selection(engine: Engine) -> None:
    store(engine, history=12)
    with reading(engine) as reader:
        leaves, k1 = (
            selected(reader, "organization,customer"),
            selected(reader, "organization,customer", "k-1"),
        )
        assert (reader.count(leaves), reader.count(k1)) == (4, 2)
        assert reader.added_up([leaves, k1]) == [[1111.0] * 14, [101.0] * 14]


def test_nodes_that_only_other_runs_have_are_not_counted(engine: Engine, published: ForecastRun) -> None:
    store(engine, history=12)
    with reading(engine) as reader:
        assert reader.count(selected(reader, "organization")) == 2
        assert len(reader.summaries(selected(reader, "organization,customer"), "nodes", ALL)) == 4
        assert len(reader.summaries(selected(reader, "organization,customer"), "-year", ALL)) == 4


def test_callers_of_some_organizations_are_told_of_theirs(engine: Engine) -> None:
    store(engine, history=12)
    with reading(engine, frozenset({"SÜD"})) as reader:
        leaves = selected(reader, "organization,customer")
        assert reader.count(leaves) == 2
        assert [each.node.values[0] for each in reader.summaries(leaves, "-year", ALL)] == ["SÜD", "SÜD"]
        assert reader.added_up([leaves]) == [[1100.0] * 14]
        for question in (reader.count, lambda each: reader.summaries(each, "nodes", ALL)):
            with pytest.raises(ForeignLevel):
                question(selected(reader, "total"))


class TestSearch:
    """`/v1/forecasts?search=`: as with nodes, whatever the case."""

    def test_finds_a_part_of_a_name(self, client: TestClient, published: ForecastRun) -> None:
        answer = client.get("/v1/forecasts", params={"level": "customer", "search": "k-10"}).json()
        assert [row["customer"] for row in answer["forecasts"]] == ["K-104"]
        everything = client.get("/v1/forecasts", params={"level": "customer"}).json()
        assert answer["forecasts"][0] in everything["forecasts"]

    def test_counts_for_files_sorting_and_pages(self, client: TestClient, published: ForecastRun) -> None:
        asked = {"level": "organization,customer,material", "search": "HEB", "sort": "-mean"}
        text = client.get("/v1/forecasts", params=asked | {"format": "csv"}).text
        rows = csv.DictReader(text.splitlines())
        assert [row["organization"] for row in rows] == ["SÜD", "SÜD", "NORD", "NORD"]
        first = client.get("/v1/forecasts", params=asked | {"limit": "1"}).json()
        second = client.get("/v1/forecasts", params=asked | {"limit": "1", "cursor": first["next"]}).json()
        assert [row["forecasts"][0]["organization"] for row in (first, second)] == ["SÜD", "NORD"]
        assert second["next"] is None

    def test_that_finds_nothing_is_an_empty_page(self, client: TestClient, published: ForecastRun) -> None:
        answer = client.get("/v1/forecasts", params={"level": "customer", "search": "nobody"})
        assert (answer.status_code, answer.json()["forecasts"]) == (200, [])

    @pytest.mark.parametrize("search", ["", "\0", "x" * 201])
    def test_that_is_no_text_is_refused(
        self, client: TestClient, published: ForecastRun, search: str
    ) -> None:
        answer = client.get("/v1/forecasts", params={"search": search})
        assert (answer.status_code, answer.json()["field"]) == (422, "search")
