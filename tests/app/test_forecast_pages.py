"""Several values for a filter, sorting by size, and pages that together are the whole."""

import datetime as dt
from collections.abc import Callable
from itertools import count

import numpy as np
import polars as pl
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from app.main import create_app
from app.store.publish import publish
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.run import ForecastRun

type MakeRun = Callable[..., ForecastRun]

PUBLISHED = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
LEAF = "level=organization,customer,material"
NUMBERS = count()


def means(client: TestClient, query: str) -> list[float]:
    answer = client.get(f"/v1/forecasts?{query}")
    assert answer.status_code == 200, answer.text
    return [row["months"][0]["mean"] for row in answer.json()["forecasts"]]


@pytest.mark.usefixtures("published")
class TestSeveralValues:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("level=customer&customer=K-104&customer=K-7", [110.0, 1000.0]),
            ("level=customer&customer=K-7&customer=K-104", [110.0, 1000.0]),
            ("level=customer&customer=K-7&customer=K-7", [1000.0]),
            ("level=customer&customer=K,%229%22&customer=K-7", [1.0, 1000.0]),
            (f"{LEAF}&organization=NORD&organization=S%C3%9CD&customer=K-104", [10.0, 100.0]),
            (f"{LEAF}&customer=K-104&customer=K-7&material=Blech&material==SUM(A1)", [1000.0]),
            # All exist, but not together: an answer, and it is empty.
            (f"{LEAF}&customer=K-7&material=HEB 200&material==SUM(A1)", []),
        ],
    )
    def test_any_of_them(self, client: TestClient, query: str, expected: list[float]) -> None:
        assert means(client, query) == expected
        nodes = client.get(f"/v1/nodes?{query}").json()["nodes"]
        assert len(nodes) == len(expected)
        csv = client.get(f"/v1/forecasts?{query}&format=csv").text
        assert csv.count("2026-11,t,") == len(expected)

    @pytest.mark.parametrize("path", ["/v1/forecasts", "/v1/forecasts?format=csv", "/v1/nodes"])
    def test_unknown_ones_are_named(self, client: TestClient, path: str) -> None:
        asked = {"level": "customer", "customer": ["K-104", "K-998", "K-7", "K-999"]}
        problem = client.get(path, params=asked | {"format": "csv"} if "csv" in path else asked).json()
        assert problem["status"] == 404
        assert problem["detail"] == "level 'customer' has no customer 'K-998', 'K-999'"
        assert (problem["field"], problem["value"]) == ("customer", "K-998, K-999")

    def test_empty_and_broken_ones_are_refused(self, client: TestClient) -> None:
        for value in ("", "%00"):
            problem = client.get(f"/v1/forecasts?level=customer&customer=K-7&customer={value}").json()
            assert (problem["status"], problem["field"]) == (422, "customer")


class TestSort:
    @pytest.mark.usefixtures("published")
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("level=customer&sort=-mean", [1000.0, 110.0, 1.0]),
            ("level=customer&sort=mean", [1.0, 110.0, 1000.0]),
            ("level=customer&sort=nodes", [1.0, 110.0, 1000.0]),
            ("sort=-mean", [1111.0]),
            (f"{LEAF}&sort=-mean&customer=K-104&customer=K-7", [1000.0, 100.0, 10.0]),
        ],
    )
    def test_by_size(self, client: TestClient, query: str, expected: list[float]) -> None:
        assert means(client, query) == expected
        assert client.get(f"/v1/forecasts?{query}&format=csv").text.count("2026-11,t,") == len(expected)

    @pytest.mark.usefixtures("published")
    @pytest.mark.parametrize("sort", ["total", "p50", "-nodes", ""])
    def test_other_keys_are_refused(self, client: TestClient, sort: str) -> None:
        assert client.get(f"/v1/forecasts?sort={sort}").json()["field"] == "sort"

    def test_only_the_months_asked_for_count(
        self, client: TestClient, engine: Engine, make_run: MakeRun
    ) -> None:
        hierarchy = Hierarchy.of(["customer"], [("customer",)], pl.DataFrame({"customer": ["a", "b", "c"]}))
        mean = np.array([[1.0, 9.0], [5.0, 5.0], [5.0, 4.0]])
        publish(
            engine,
            make_run(forecast=Forecast(hierarchy, Month(2026, 11), mean, (0.5,), mean[None])),
            PUBLISHED,
        )
        for window, expected in (("", "abc"), ("&to=2026-11", "bca"), ("&from=2026-12", "abc")):
            rows = client.get(f"/v1/forecasts?level=customer&sort=-mean{window}").json()["forecasts"]
            assert "".join(row["customer"] for row in rows) == expected


@pytest.mark.usefixtures("published")
class TestCursor:
    @pytest.mark.parametrize(
        "other",
        [
            "level=customer&sort=mean",
            "level=customer",
            "level=customer&sort=-mean&customer=K-7",
            "level=customer&sort=-mean&to=2026-11",
            "level=customer&sort=-mean&quantiles=0.5",
            "level=customer&sort=-mean&run=current",
            "level=customer&sort=-mean&as_of=2026-11-05",
            "level=organization&sort=-mean",
        ],
    )
    def test_is_good_for_its_question_only(self, client: TestClient, other: str) -> None:
        own = "/v1/forecasts?level=customer&sort=-mean&limit=1"
        cursor = client.get(own).json()["next"]
        assert client.get(f"{own}&cursor={cursor}").status_code == 200
        assert (
            client.get(f"/v1/forecasts?sort=-mean&limit=2&level=customer&cursor={cursor}").status_code == 200
        )
        problem = client.get(f"/v1/forecasts?{other}&limit=1&cursor={cursor}").json()
        assert problem["type"] == "urn:tonnage:problem:bad-cursor"
        assert client.get(f"/v1/nodes?level=customer&cursor={cursor}").json()["field"] == "cursor"


NAMES = st.sampled_from(["A", "B", "a,b", "Ü"])


@settings(max_examples=60)
@given(
    leaves=st.sets(st.tuples(NAMES, NAMES, NAMES), min_size=1, max_size=12),
    data=st.data(),
    sort=st.sampled_from(["nodes", "mean", "-mean"]),
    level=st.sampled_from(["organization", "organization,material", "organization,customer,material"]),
    limit=st.integers(1, 5),
    window=st.sampled_from([(0, 2), (0, 0), (1, 2)]),
)
def test_pages_are_the_whole(
    migrated: Engine,
    key_of: Callable[..., str],
    leaves: set[tuple[str, str, str]],
    data: st.DataObject,
    sort: str,
    level: str,
    limit: int,
    window: tuple[int, int],
) -> None:
    keys = ("organization", "customer", "material")
    table = pl.DataFrame(sorted(leaves), schema=dict.fromkeys(keys, pl.String), orient="row")
    levels = [("organization",), ("organization", "material"), keys]
    hierarchy = Hierarchy.of(keys, levels, table)
    # Few different numbers, so that many nodes tie; thirds, so that the order of adding them matters.
    numbers = st.sampled_from([0.0, 1 / 3, 2 / 3, 1e9 / 3])
    row = st.lists(numbers, min_size=3, max_size=3)
    mean = np.array(data.draw(st.lists(row, min_size=hierarchy.n_nodes, max_size=hierarchy.n_nodes)))
    run = f"2026-10-p{next(NUMBERS)}"
    forecast = Forecast(hierarchy, Month(2026, 11), mean, (0.5,), mean[None])
    publish(migrated, ForecastRun(run, forecast, "s", "m", "t", "b"), PUBLISHED)

    names = tuple(level.split(","))
    part = hierarchy.slices[levels.index(names)]
    rows = hierarchy.nodes[part].select(names).rows()
    some = data.draw(st.sets(st.sampled_from(sorted({row[0] for row in rows})), max_size=3))
    first, last = window
    expected = []
    for node, numbers_of in zip(rows, mean[part].tolist(), strict=True):
        asked = numbers_of[first : last + 1]
        total = 0.0
        for number in asked:
            total += number
        place = {"nodes": 0.0, "mean": total, "-mean": -total}[sort]
        if not some or node[0] in some:
            expected.append((place, [part.encode() for part in node], node, asked))
    expected.sort(key=lambda each: each[:2])

    asked = {
        "run": run, "level": level, "organization": sorted(some), "sort": sort, "limit": limit,
        "from": str(Month(2026, 11) + first), "to": str(Month(2026, 11) + last),
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {key_of(migrated)}"}
    with TestClient(create_app(migrated), headers=headers) as client:
        met, cursor = [], None
        while True:
            more = {} if cursor is None else {"cursor": cursor}
            page = client.get("/v1/forecasts", params=asked | more).json()
            assert page["run"]["id"] == run
            met += page["forecasts"]
            cursor = page["next"]
            if cursor is None:
                break
            assert len(page["forecasts"]) == limit
        whole = client.get("/v1/forecasts", params=asked | {"limit": 1000}).json()["forecasts"]
    assert met == whole
    assert [
        (tuple(row[name] for name in names), [month["mean"] for month in row["months"]]) for row in met
    ] == [(node, asked) for _, _, node, asked in expected]
