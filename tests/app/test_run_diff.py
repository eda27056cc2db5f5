"""GET /v1/runs/{run}/diff, by hand: totals of every pair, causes of those that were explained."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.store.publish import publish
from app.store.run_changes import Moved, causes_of, keep_causes, shown_before
from app.store.session import still
from app.store.stored_forecast import node_names
from forecasting.months import Month
from forecasting.run import ForecastRun

type MakeRun = Callable[..., ForecastRun]

PUBLISHED = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
A, B = "2026-10-a", "2026-11-b"


@pytest.fixture
def two(engine: Engine, make_run: MakeRun) -> tuple[ForecastRun, ForecastRun]:
    """October says 10^i and twice that for leaf i; November says 3 x 10^i for December, and lacks leaf 3."""
    before, after = make_run(A), make_run(B, 3.0)
    forecast = after.forecast
    hierarchy = forecast.hierarchy.keep(np.array([True, True, True, False]))
    mean = hierarchy.aggregate(np.outer(3 * 10.0 ** np.arange(3), [1.0, 2.0]))
    after = replace(
        after,
        forecast=replace(
            forecast,
            hierarchy=hierarchy,
            first=Month(2026, 12),
            mean=mean,
            quantiles=np.stack([mean / 2, mean, mean * 2]),
        ),
    )
    publish(engine, before, PUBLISHED)
    publish(engine, after, PUBLISHED + dt.timedelta(days=30))
    return before, after


def explained(runs: tuple[ForecastRun, ForecastRun]) -> Moved:
    """By hand: leaf i moved by -10^i for new actuals and 2 x 10^i for the recipe; leaf 3 by actuals alone."""
    hierarchy = runs[0].forecast.hierarchy
    actuals = hierarchy.aggregate(np.array([[-1.0], [-10.0], [-100.0], [-2000.0]]))
    recipe = hierarchy.aggregate(np.array([[2.0], [20.0], [200.0], [0.0]]))
    return Moved(
        A, B, Month(2026, 12), ("actuals", "recipe"), node_names(hierarchy), np.stack([actuals, recipe])
    )


@pytest.mark.usefixtures("two")
def test_any_two_runs_node_by_node(client: TestClient) -> None:
    """December: leaf i was 2 x 10^i and is 3 x 10^i; leaf 3 was 2,000 and is gone."""
    answer = client.get(f"/v1/runs/{A}/diff?to={B}").json()
    assert (answer["before"]["id"], answer["after"]["id"], answer["unit"]) == (A, B, "t")
    assert (answer["level"], answer["months"]) == ("organization,customer,material", ["2026-12"])
    assert answer["changed_nodes"] == 4
    rows = [(node["material"], node["before"], node["after"], node["change"]) for node in answer["nodes"]]
    assert rows == [
        ("Blech", [2000.0], [0.0], [-2000.0]),
        ("HEB 200", [200.0], [300.0], [100.0]),
        ("HEB 200", [20.0], [30.0], [10.0]),
        ("=SUM(A1)", [2.0], [3.0], [1.0]),
    ]
    assert answer["all"] == {"before": [2222.0], "after": [333.0], "change": [-1889.0], "causes": None}
    assert f"tonnage runs diff {A} {B}" in answer["why_no_causes"]
    assert {node["causes"] for node in answer["nodes"]} == {None}
    back = client.get(f"/v1/runs/{B}/diff?to={A}&level=total").json()
    assert back["nodes"][0]["change"] == [1889.0] and back["months"] == ["2026-12"]
    assert client.get(f"/v1/runs/{A}/diff").json()["after"]["id"] == B


def test_causes_that_were_kept_add_up_and_turn_their_signs(
    client: TestClient, engine: Engine, two: tuple[ForecastRun, ForecastRun]
) -> None:
    assert keep_causes(engine, explained(two))
    assert not keep_causes(engine, explained(two))
    total = client.get(f"/v1/runs/{A}/diff?to={B}&level=total").json()
    assert total["why_no_causes"] is None
    assert total["all"]["causes"] == {"actuals": [-2111.0], "recipe": [222.0]}
    assert total["nodes"][0]["causes"] == total["all"]["causes"]
    assert sum(moved[0] for moved in total["all"]["causes"].values()) == total["all"]["change"][0]
    organizations = client.get(f"/v1/runs/{A}/diff?to={B}&level=organization").json()
    assert {node["organization"]: node["causes"] for node in organizations["nodes"]} == {
        "NORD": {"actuals": [-11.0], "recipe": [22.0]},
        "SÜD": {"actuals": [-2100.0], "recipe": [200.0]},
    }
    gone = client.get(f"/v1/runs/{A}/diff?to={B}&material=Blech").json()
    assert gone["all"]["causes"] == {"actuals": [-2000.0], "recipe": [0.0]}
    assert (gone["changed_nodes"], len(gone["nodes"])) == (1, 1)
    back = client.get(f"/v1/runs/{B}/diff?to={A}&level=total").json()
    assert back["all"]["causes"] == {"actuals": [2111.0], "recipe": [-222.0]}
    same = client.get(f"/v1/runs/{B}/diff?to={B}").json()
    assert (same["changed_nodes"], same["nodes"], same["all"]["change"]) == (0, [], [0.0, 0.0])


def test_who_was_shown_before(engine: Engine, two: tuple[ForecastRun, ForecastRun]) -> None:
    keep_causes(engine, explained(two))
    with still(engine) as connection:
        assert shown_before(connection, A) is None
        assert shown_before(connection, B) == A
        kept = causes_of(connection, B)
        assert kept is not None and (kept.before, kept.months, kept.causes) == (A, 1, ("actuals", "recipe"))
        assert causes_of(connection, A) is None


def test_what_cannot_be_compared(client: TestClient, engine: Engine, make_run: MakeRun) -> None:
    publish(engine, make_run(A), PUBLISHED)
    piece = make_run("2026-10-p", unit="piece")
    far = make_run("2027-10-f")
    far = replace(far, forecast=replace(far.forecast, first=Month(2027, 11)))
    for run in (piece, far):
        publish(engine, run, PUBLISHED + dt.timedelta(days=1))
    for question, status, told in (
        ("to=2026-10-p", 422, "one counts in t, the other in piece"),
        ("to=2027-10-f", 422, "no month is forecast by both"),
        ("to=2031", 404, "there is no run"),
        (f"to={A}&level=plant", 422, "no level 'plant'"),
        (f"to={A}&plant=1", 422, "no parameter 'plant'"),
        (f"to={A}&level=total&customer=K-104", 422, "does not name customer"),
    ):
        answer = client.get(f"/v1/runs/{A}/diff?{question}")
        assert (answer.status_code, told in answer.json()["detail"]) == (status, True), answer.json()
