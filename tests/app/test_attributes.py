"""Levels and filters on attributes from master data, over REST, as CSV and from the command line."""

import datetime as dt
from collections.abc import Callable, Sequence

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.api.node_schemas import Nodes
from app.api.schemas import Forecasts
from app.store.keys import KEYS
from app.store.node_id import NodeId
from app.store.publish import publish
from forecasting.forecast import Forecast
from forecasting.hierarchy import Level
from forecasting.run import ForecastRun

type MakeRun = Callable[..., ForecastRun]
type MakeForecast = Callable[[Level, Sequence[str], Sequence[Level]], Forecast]

PUBLISHED = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
NAMES = ("grade", "organization", "customer", "material", "material_group")
# Leaf i has mean 10^i. The odd values are those that arrays, quoting and spreadsheets stumble over.
LEAVES = [
    ("S235", "NORD", "K-1", "Blech", "Flat"),
    ("S235", "NORD", "K-2", "HEB", 'Long; "hot", {1}\\🙂'),
    ("S355", "SÜD", "K-1", "Blech", "Flat"),
    ("S355", "SÜD", "K-3", "=Rohr", "NULL"),
]
LEVELS = (
    "total",
    "customer",
    "material_group",
    "material_group,organization",
    "material_group,grade",
    "organization,customer,material",
    "material_group,organization,customer,material,grade",
)
LONG = LEAVES[1][-1]
# In serving order: keys, then attributes by name, each sorted by its bytes.
MEANS = {
    "material_group": [({}, ("Flat",), 101.0), ({}, (LONG,), 10.0), ({}, ("NULL",), 1000.0)],
    "organization,material_group": [
        ({"organization": "NORD"}, ("Flat",), 1.0),
        ({"organization": "NORD"}, (LONG,), 10.0),
        ({"organization": "SÜD"}, ("Flat",), 100.0),
        ({"organization": "SÜD"}, ("NULL",), 1000.0),
    ],
    "grade,material_group": [
        ({}, ("S235", "Flat"), 1.0),
        ({}, ("S235", LONG), 10.0),
        ({}, ("S355", "Flat"), 100.0),
        ({}, ("S355", "NULL"), 1000.0),
    ],
}


@pytest.fixture
def grouped(engine: Engine, make_run: MakeRun, make_forecast: MakeForecast) -> ForecastRun:
    """The run that is current, with two attributes."""
    run = make_run(forecast=make_forecast(NAMES, LEVELS, LEAVES))
    publish(engine, run, PUBLISHED)
    return run


def rows_of(level: str) -> list[dict[str, object]]:
    names = [name for name in level.split(",") if name not in KEYS]
    return [
        {"organization": None, "customer": None, "material": None}
        | keys
        | dict(zip(names, values, strict=True))
        for keys, values, _ in MEANS[level]
    ]


def without_names(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name not in ("node", "level")}


@pytest.mark.usefixtures("grouped")
class TestAnswer:
    @pytest.mark.parametrize("level", MEANS)
    def test_every_row_of_every_level(self, client: TestClient, level: str) -> None:
        answer = client.get("/v1/forecasts", params={"level": level}).json()
        assert answer["level"] == level
        months = [[{"month": "2026-11", "mean": mean, "p50": mean}] for *_, mean in MEANS[level]]
        assert answer["forecasts"] == [
            row | {"months": month} for row, month in zip(rows_of(level), months, strict=True)
        ]
        Forecasts.model_validate(answer)
        nodes = client.get("/v1/nodes", params={"level": level}).json()
        Nodes.model_validate(nodes)
        assert [NodeId.parse(row.pop("node")).node.attributes for row in nodes["nodes"]] == [
            values for _, values, _ in MEANS[level]
        ]
        assert [{"level": level} | row for row in rows_of(level)] == nodes["nodes"]

    def test_names_of_a_level_in_any_order(self, client: TestClient) -> None:
        answers = [
            client.get(f"/v1/nodes?level={level}").json()
            for level in ("material_group,grade", "grade, material_group")
        ]
        assert answers[0] == answers[1]
        assert answers[0]["level"] == "grade,material_group"

    def test_run_lists_its_levels(self, client: TestClient) -> None:
        assert client.get("/v1/runs/current").json()["levels"] == [
            "total",
            "customer",
            "material_group",
            "organization,material_group",
            "grade,material_group",
            "organization,customer,material",
            "organization,customer,material,grade,material_group",
        ]

    @pytest.mark.parametrize(
        ("query", "means"),
        [
            ({"level": "organization,material_group", "material_group": "Flat"}, [1.0, 100.0]),
            ({"level": "material_group", "material_group": LONG}, [10.0]),
            ({"level": "material_group", "material_group": "NULL"}, [1000.0]),
            ({"level": "grade,material_group", "material_group": "Flat"}, [1.0, 100.0]),
            ({"level": "grade,material_group", "grade": "S355"}, [100.0, 1000.0]),
            (
                {
                    "level": "organization,customer,material,grade,material_group",
                    "grade": "S235",
                    "customer": "K-1",
                    "material_group": "Flat",
                },
                [1.0],
            ),
            # Both exist, but not together: an answer, and it is empty.
            ({"level": "grade,material_group", "grade": "S235", "material_group": "NULL"}, []),
        ],
    )
    def test_filters(self, client: TestClient, query: dict[str, str], means: list[float]) -> None:
        answer = client.get("/v1/forecasts", params=query).json()
        assert [row["months"][0]["mean"] for row in answer["forecasts"]] == means
        nodes = client.get("/v1/nodes", params=query).json()["nodes"]
        assert len(nodes) == len(means)

    @pytest.mark.parametrize("level", MEANS)
    @pytest.mark.parametrize("limit", [1, 2, 3])
    def test_walk_meets_each_node_once(self, client: TestClient, level: str, limit: int) -> None:
        page = client.get("/v1/nodes", params={"level": level, "limit": limit}).json()
        met = page["nodes"]
        while page["next"]:
            asked = {"level": level, "limit": limit, "cursor": page["next"]}
            page = client.get("/v1/nodes", params=asked).json()
            met += page["nodes"]
        assert [without_names(row) for row in met] == rows_of(level)

    def test_cursor_keeps_its_run_and_its_attributes(
        self, client: TestClient, engine: Engine, make_run: MakeRun
    ) -> None:
        query = "/v1/forecasts?level=organization,material_group&material_group=Flat&limit=1"
        first = client.get(query).json()
        publish(engine, make_run("2026-10-bbbb"), PUBLISHED)
        second = client.get(f"{query}&cursor={first['next']}").json()
        assert (second["run"], second["next"]) == (first["run"], None)
        assert second["forecasts"][0]["organization"] == "SÜD"
        assert client.get(query).json()["field"] == "material_group"


@pytest.mark.usefixtures("grouped")
class TestRefusal:
    @pytest.mark.parametrize(
        ("query", "status", "field", "remedy"),
        [
            (
                "level=material_group&material_grupp=Flat",
                422,
                "material_grupp",
                "bom, grade, material_group",
            ),
            ("level=material_group&Material_group=Flat", 422, "Material_group", "this resource takes organ"),
            ("level=customer&grade=S235", 422, "grade", "level that names it (grade,material_group; "),
            ("level=grade&level=material_group", 422, "level", "give it once"),
            ("level=material_group&material_group=flat", 404, "material_group", "?level=material_group"),
            ("level=material_group&material_group=%00", 422, "material_group", ""),
            ("level=material_group&material_group=", 422, "material_group", ""),
            ("level=material_group&attributes=Flat", 422, "attributes", "this resource takes organ"),
            ("level=material_group,material_group", 422, "level", "ask for one of: "),
            ("level=material_group,colour", 422, "level", "ask for one of: "),
        ],
    )
    def test_names_field_and_remedy(
        self, client: TestClient, query: str, status: int, field: str, remedy: str
    ) -> None:
        answer = client.get(f"/v1/forecasts?{query}")
        assert (answer.status_code, answer.json()["field"]) == (status, field)
        assert answer.headers["content-type"] == "application/problem+json"
        assert remedy in answer.json()["remedy"]

    @pytest.mark.parametrize(
        "text", ["' or '1'='1", "x'; drop table node; --", "%(x)s", ":x", "{}", "]", "\\"]
    )
    def test_text_is_never_read_as_sql(self, client: TestClient, text: str) -> None:
        level = {"level": "material_group"}
        assert client.get("/v1/nodes", params=level | {text: "Flat"}).json()["field"] == text
        assert client.get("/v1/nodes", params=level | {"material_group": text}).status_code == 404
        assert client.get("/v1/nodes", params={"level": f"material_group,{text}"}).status_code == 422
        assert client.get("/v1/nodes", params=level).json()["nodes"][0]["material_group"] == "Flat"


@pytest.mark.usefixtures("grouped")
class TestCsv:
    def test_every_byte(self, client: TestClient) -> None:
        answer = client.get("/v1/forecasts?level=material_group,organization&format=csv")
        assert answer.text == (
            "run,origin,level,organization,customer,material,material_group,month,unit,mean,p50\n"
            '2026-10-aaaa,2026-10,"organization,material_group",NORD,,,Flat,2026-11,t,1.0,1.0\n'
            '2026-10-aaaa,2026-10,"organization,material_group",NORD,,,"Long; ""hot"", {1}\\🙂",'
            "2026-11,t,10.0,10.0\n"
            '2026-10-aaaa,2026-10,"organization,material_group",SÜD,,,Flat,2026-11,t,100.0,100.0\n'
            '2026-10-aaaa,2026-10,"organization,material_group",SÜD,,,NULL,2026-11,t,1000.0,1000.0\n'
        )

    @pytest.mark.parametrize("level", ["total", "customer", "organization,customer,material"])
    def test_level_without_attributes_has_the_bytes_it_always_had(
        self, client: TestClient, engine: Engine, make_run: MakeRun, make_forecast: MakeForecast, level: str
    ) -> None:
        paths = [f"/v1/{what}level={level}" for what in ("forecasts?", "forecasts?format=csv&", "nodes?")]
        answers = [client.get(path).text for path in paths]
        levels = ("total", "customer", "organization,customer,material")
        plain = make_forecast(KEYS, levels, [leaf[1:4] for leaf in LEAVES])
        publish(engine, make_run("2026-10-bbbb", forecast=plain), PUBLISHED)
        assert [client.get(path).text.replace("bbbb", "aaaa") for path in paths] == answers


def test_nothing_published_yet_has_no_attributes(client: TestClient) -> None:
    assert client.get("/v1/nodes?material_group=Flat").json()["field"] == "material_group"
    assert client.get("/v1/nodes").status_code == 404
