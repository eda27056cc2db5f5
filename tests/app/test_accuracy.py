"""GET /v1/accuracy and /v1/accuracy/nodes, by hand and as the command line counts them."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.store.lineage import Lineage
from app.store.past import as_past
from app.store.publish import publish
from app.store.scores import ClassScore, Score, keep_scores, read_scores
from app.store.session import connected
from forecasting.hierarchy import parse_level
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.run import ForecastRun
from retrain.scorecard import score_runs, what_came
from tonnage.accuracy import MEASURES, accuracy_table

type MakeRun = Callable[..., ForecastRun]

PUBLISHED = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
NAN = float("nan")
PART = ClassScore("lumpy", "A", 1, 60.0, -4.0, 6.0, 9.0, 1, (1.0, 2.0, 3.0), 0.5, 1)
REST = ClassScore("smooth", "C", 3, 40.0, -6.0, 4.0, 11.0, 1, (1.0, 3.0, 0.5), 3.5, 2)
ONE = Score(
    run_id="2026-10-a", level=(), month=Month(2026, 11), lead=1, nodes=4, new_nodes=0, gone_nodes=0,
    actual=100.0, demand=100.0, error=-10.0, absolute_error=10.0, seasonal_error=20.0, within=2,
    probabilities=(0.1, 0.5, 0.975), pinball=(2.0, 5.0, 3.5), scaled_error=4.0, scaled_nodes=3,
    classes=(PART, REST),
)  # fmt: skip
TWO = replace(
    ONE, month=Month(2026, 12), lead=2, demand=50.0, error=5.0, absolute_error=15.0, seasonal_error=NAN,
    within=None, scaled_error=None, scaled_nodes=None, classes=(),
)  # fmt: skip
SOME = replace(ONE, level=("organization", "customer"), demand=120.0, absolute_error=60.0, classes=(PART,))


@pytest.fixture
def scored(engine: Engine, make_run: MakeRun) -> Engine:
    """One run that two later ones tell of: the second tells the first month again, in other classes."""
    for day, run_id in enumerate(("2026-10-a", "2026-11-b", "2026-12-c")):
        run = make_run(run_id)
        forecast = replace(run.forecast, first=Month(2026, 11) + day)
        publish(engine, replace(run, forecast=forecast), PUBLISHED + dt.timedelta(days=day))
    with connected(engine) as connection:
        keep_scores(
            connection, "2026-11-b", [replace(ONE, demand=99.0, classes=(replace(PART, abc="B"), REST))]
        )
        keep_scores(connection, "2026-12-c", [ONE, TWO, SOME])
    return engine


@pytest.mark.usefixtures("scored")
def test_by_level_by_hand(client: TestClient) -> None:
    total, some = client.get("/v1/accuracy").json()["rows"]
    assert (total["level"], some["level"]) == ("total", "organization,customer")
    assert (total["months"], total["runs"], total["cells"], total["demand"], total["lost"]) == (
        2, 1, 8, 150.0, 25.0,
    )  # fmt: skip
    assert total["wape"] == pytest.approx(25 / 150)
    assert total["bias"] == pytest.approx(-5 / 150)
    # Only the first month has a yardstick, an interval and a scale.
    assert total["value_added_seasonal"] == pytest.approx((20 - 10) / 100)
    assert total["mae_ratio_seasonal"] == pytest.approx(10 / 20)
    assert total["coverage_p10_p90"] == 2 / 4
    assert total["mase"] == pytest.approx(4 / 3)
    # Twice 10.5, mean of three quantiles, in both months.
    assert total["wql"] == pytest.approx(2 * 7.0 / 150)
    assert (total["lead"], total["month"], total["run"], total["abc"]) == (None, None, None, None)
    assert some["wape"] == 0.5


@pytest.mark.usefixtures("scored")
def test_parted_and_filtered(client: TestClient) -> None:
    def rows(question: str) -> list[dict[str, object]]:
        answer = client.get(f"/v1/accuracy?{question}")
        assert answer.status_code == 200, answer.json()
        found: list[dict[str, object]] = answer.json()["rows"]
        return found

    assert [(row["level"], row["lead"], row["month"]) for row in rows("by=month,lead")] == [
        ("total", 1, "2026-11"), ("total", 2, "2026-12"), ("organization,customer", 1, "2026-11"),
    ]  # fmt: skip
    assert [row["run"] for row in rows("by=run&level=total")] == ["2026-10-a"]
    assert [row["level"] for row in rows("level=customer,organization")] == ["organization,customer"]
    assert [row["lost"] for row in rows("lead=2")] == [15.0]
    assert [row["lost"] for row in rows("from=2026-12")] == [15.0]
    assert [row["lost"] for row in rows("to=2026-11&level=total")] == [10.0]
    assert rows("run=2026-09-z") == [] and rows("to=2020-01") == []
    answer = client.get("/v1/accuracy?by=lead&limit=1").json()
    assert (len(answer["rows"]), answer["more"]) == (1, True)
    for question, field in (("by=plant", "by"), ("level=,", "level"), ("from=2026-12&to=2026-11", "from")):
        refused = client.get(f"/v1/accuracy?{question}")
        assert (refused.status_code, refused.json()["field"]) == (422, field)


@pytest.mark.usefixtures("scored")
def test_classes_are_those_of_whoever_told_last(client: TestClient) -> None:
    rows = client.get("/v1/accuracy?by=demand_class,abc&level=total").json()["rows"]
    assert [(row["demand_class"], row["abc"], row["cells"], row["demand"]) for row in rows] == [
        ("lumpy", "A", 1, 60.0), ("smooth", "C", 3, 40.0),
    ]  # fmt: skip
    assert rows[1]["wape"] == 0.1 and rows[1]["mase"] == 1.75
    assert [row["abc"] for row in client.get("/v1/accuracy?by=abc&level=total").json()["rows"]] == ["A", "C"]


def test_what_has_no_meaning_is_null(client: TestClient, engine: Engine, make_run: MakeRun) -> None:
    publish(engine, make_run("2026-10-a"), PUBLISHED)
    assert client.get("/v1/accuracy").json() == {"rows": [], "more": False}
    with connected(engine) as connection:
        keep_scores(connection, "2026-10-a", [replace(TWO, demand=0.0, absolute_error=0.0, pinball=())])
    (row,) = client.get("/v1/accuracy").json()["rows"]
    undefined = (*MEASURES, "mase")
    assert {row[name] for name in undefined} == {None}


@pytest.mark.usefixtures("scored")
def test_the_command_line_counts_the_same(client: TestClient, engine: Engine) -> None:
    with connected(engine) as connection:
        table = accuracy_table(read_scores(connection))
    for told in (
        client.get("/v1/accuracy").json()["rows"],
        client.get("/v1/accuracy?by=lead").json()["rows"],
    ):
        for row in told:
            lead = "all" if row["lead"] is None else str(row["lead"])
            (same,) = table.filter(level=row["level"], lead=lead).to_dicts()
            for name in ("months", "runs", "cells", *MEASURES):
                assert row[name] == (None if same[name] is None else pytest.approx(same[name])), name


@pytest.fixture
def came(engine: Engine, make_run: MakeRun) -> list[Score]:
    """Two runs, and a third whose history tells what came: leaf i bought 7 and 9 times 10^i; all scores."""
    runs = []
    for at, run_id in enumerate(("2026-10-a", "2026-11-b", "2026-12-c")):
        run = make_run(run_id, 4.0 + at)
        runs.append(replace(run, forecast=replace(run.forecast, first=Month(2026, 11) + at)))
    hierarchy = runs[0].forecast.hierarchy
    quantity = np.outer(10.0 ** np.arange(4), [1.0, 1.0, 7.0, 9.0])
    panel = DemandPanel(hierarchy, Month(2026, 9), quantity, np.zeros(4, dtype=np.int64))
    lineage = Lineage({"name": "theta"}, {}, "0.3", "", "", {}, panel)
    for day, run in enumerate(runs):
        moment = PUBLISHED + dt.timedelta(days=day)
        publish(engine, run, moment, lineage if run is runs[-1] else None)
    return score_runs(what_came(panel), [as_past(run.forecast, hierarchy, run.id) for run in runs[:2]])


def test_where_most_was_lost(client: TestClient, came: list[Score]) -> None:
    """A month ahead: 4 said and 7 came, 5 said and 9 came; two ahead: 8 said and 9 came."""
    answer = client.get("/v1/accuracy/nodes?limit=2").json()
    assert (answer["run"]["id"], answer["unit"], answer["lead"]) == ("2026-12-c", "t", 1)
    assert (answer["months"], answer["runs"]) == (["2026-11", "2026-12"], ["2026-10-a", "2026-11-b"])
    assert [(node["material"], node["lost"], node["error"], node["demand"]) for node in answer["nodes"]] == [
        ("Blech", 7000.0, -7000.0, 16000.0), ("HEB 200", 700.0, -700.0, 1600.0),
    ]  # fmt: skip
    assert answer["nodes"][0]["wape"] == 7 / 16 and answer["nodes"][0]["said"] == 9000.0
    ahead = client.get("/v1/accuracy/nodes?lead=2&level=total").json()
    assert (ahead["months"], ahead["nodes"][0]["lost"]) == (["2026-12"], 1111.0)
    one = client.get("/v1/accuracy/nodes?organization=NORD&to=2026-11").json()
    assert [node["lost"] for node in one["nodes"]] == [30.0, 3.0]
    assert client.get("/v1/accuracy/nodes?from=2026-12").json()["months"] == ["2026-12"]
    assert client.get("/v1/accuracy/nodes?lead=9").json()["nodes"] == []
    for question in ("to=0001-01", "from=9999-12", "from=0001-01&to=0001-02&lead=60", "to=2026-08"):
        nothing = client.get(f"/v1/accuracy/nodes?{question}")
        assert (nothing.status_code, nothing.json()["nodes"]) == (200, [])
    early = client.get("/v1/accuracy/nodes?from=0001-01&level=total&to=9999-12").json()
    assert early["months"] == ["2026-11", "2026-12"]
    for lead in (1, 2):
        for level in ("total", "organization", "organization,customer,material"):
            found = client.get(f"/v1/accuracy/nodes?lead={lead}&level={level}").json()["nodes"]
            lost = sum(
                each.absolute_error for each in came if each.lead == lead and each.level == parse_level(level)
            )
            assert sum(node["lost"] for node in found) == pytest.approx(lost) and lost > 0


def test_a_run_of_before_history_was_kept(client: TestClient, engine: Engine, make_run: MakeRun) -> None:
    assert client.get("/v1/accuracy/nodes").status_code == 404
    publish(engine, make_run(), PUBLISHED)
    assert client.get("/v1/accuracy/nodes").json()["nodes"] == []
