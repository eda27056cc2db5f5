"""Nodes found by a part of their name, and the nodes around a node."""

import datetime as dt
from collections.abc import Callable, Sequence

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.api.node_schemas import Children, Nodes, OneNode, Path
from app.store.nodes import levels_below
from app.store.publish import publish
from app.store.read import reading
from app.store.selection import select_from
from forecasting.forecast import Forecast
from forecasting.hierarchy import Level, level_name
from forecasting.run import ForecastRun

type MakeRun = Callable[..., ForecastRun]
type MakeForecast = Callable[[Level, Sequence[str], Sequence[Level]], Forecast]

PUBLISHED = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
NAMES = ("organization", "customer", "material", "grade")
LEVELS = (
    "total",
    "organization",
    "customer",
    "organization,grade",
    "organization,material",
    "organization,customer,material,grade",
)
LEAVES = [
    ("NORD", "K-1", "HEB 200", "S235"),
    ("NORD", "K-2", "HEB 200", "S235"),
    ("NORD", "K-2", "Übermaß/x", "S355"),
    ("SÜD", "K-1", "nord,stahl", "S355"),
]
NORD = "organization=NORD"
SUED = "organization=S~C3~9CD"
HEB = "material=HEB~20200"
LEAF = "organization=NORD,customer=K-2,material=~C3~9Cberma~C3~9F~2Fx,grade=S355"


@pytest.fixture
def grouped(engine: Engine, make_run: MakeRun, make_forecast: MakeForecast) -> ForecastRun:
    run = make_run(forecast=make_forecast(NAMES, LEVELS, LEAVES))
    publish(engine, run, PUBLISHED)
    return run


def ids(rows: list[dict[str, str]]) -> list[str]:
    return [row["node"] for row in rows]


@pytest.mark.usefixtures("grouped")
class TestSearch:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            # One level after the other, from the top down.
            ("search=k-1", ["customer=K-1", f"{NORD},customer=K-1,{HEB},grade=S235",
                            f"{SUED},customer=K-1,material=nord~2Cstahl,grade=S355"]),
            ("search=ÜBERMASS", []),
            ("search=üBERMAß", [f"{NORD},material=~C3~9Cberma~C3~9F~2Fx", LEAF]),
            ("search=maß/X", [f"{NORD},material=~C3~9Cberma~C3~9F~2Fx", LEAF]),
            ("search=nord&level=organization,material",
             [f"{NORD},{HEB}", f"{NORD},material=~C3~9Cberma~C3~9F~2Fx", f"{SUED},material=nord~2Cstahl"]),
            ("search=s355&level=organization,grade", [f"{NORD},grade=S355", f"{SUED},grade=S355"]),
            ("search=s35&customer=K-2", [LEAF]),
            ("search=s&organization=SÜD&level=organization", [SUED]),
            ("search=%25", []),
            ("search=_", []),
            ("search='", []),
            ("search=nothing", []),
            ("search=nothing&level=total", []),
        ],
    )  # fmt: skip
    def test_part_of_a_key_or_attribute(self, client: TestClient, query: str, expected: list[str]) -> None:
        answer = client.get(f"/v1/nodes?{query}").json()
        assert ids(answer["nodes"]) == expected
        assert answer["level"] == (query.partition("level=")[2] or None)
        Nodes.model_validate(answer)

    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
    def test_pages_go_on_from_level_to_level(self, client: TestClient, limit: int) -> None:
        url = f"/v1/nodes?search=n&limit={limit}"
        whole = ids(client.get("/v1/nodes?search=n").json()["nodes"])
        page = client.get(url).json()
        met = ids(page["nodes"])
        while page["next"]:
            page = client.get(f"{url}&cursor={page['next']}").json()
            assert len(page["nodes"]) == limit or not page["next"]
            met += ids(page["nodes"])
        assert met == whole
        assert len(set(met)) == len(met) == 1 + 2 + 3 + 4
        cursor = client.get(url).json()["next"]
        for other in ("search=N", "search=n&level=organization", "level=organization"):
            problem = client.get(f"/v1/nodes?{other}&cursor={cursor}").json()
            assert problem["type"] == "urn:tonnage:problem:bad-cursor"

    @pytest.mark.parametrize(
        ("query", "status", "field"),
        [
            ("search=", 422, "search"),
            ("search=%00", 422, "search"),
            (f"search={'x' * 201}", 422, "search"),
            ("search=x&search=y", 422, "search"),
            ("search=k&customer=K-9", 404, "customer"),
            ("search=k&customer=K-1&customer=K-9", 404, "customer"),
            ("search=k&level=organization&customer=K-1", 422, "customer"),
            ("search=k&plant=1", 422, "plant"),
        ],
    )
    def test_refusals(self, client: TestClient, query: str, status: int, field: str) -> None:
        answer = client.get(f"/v1/nodes?{query}")
        assert (answer.status_code, answer.json()["field"]) == (status, field)


@pytest.mark.usefixtures("grouped")
class TestAround:
    def test_one_node(self, client: TestClient) -> None:
        answer = client.get(f"/v1/nodes/{NORD},{HEB}").json()
        assert answer["node"] == {
            "node": f"{NORD},{HEB}", "level": "organization,material",
            "organization": "NORD", "customer": None, "material": "HEB 200",
        }  # fmt: skip
        assert answer["divisions"] == ["customer", "grade"]
        OneNode.model_validate(answer)
        assert client.get(f"/v1/nodes/{LEAF}").json()["divisions"] == []

    @pytest.mark.parametrize(
        ("node", "query", "expected"),
        [
            ("total", "", [NORD, SUED, "customer=K-1", "customer=K-2"]),
            ("total", "by=organization", [NORD, SUED]),
            ("total", "by=material", [f"{NORD},{HEB}", f"{NORD},material=~C3~9Cberma~C3~9F~2Fx",
                                      f"{SUED},material=nord~2Cstahl"]),
            (NORD, "", [f"{NORD},grade=S235", f"{NORD},grade=S355",
                        f"{NORD},{HEB}", f"{NORD},material=~C3~9Cberma~C3~9F~2Fx"]),
            (NORD, "by=grade", [f"{NORD},grade=S235", f"{NORD},grade=S355"]),
            (NORD, "by=customer", [f"{NORD},customer=K-1,{HEB},grade=S235",
                                   f"{NORD},customer=K-2,{HEB},grade=S235", LEAF]),
            (f"{NORD},{HEB}", "", [f"{NORD},customer=K-1,{HEB},grade=S235",
                                   f"{NORD},customer=K-2,{HEB},grade=S235"]),
            (LEAF, "", []),
        ],
    )  # fmt: skip
    def test_children(self, client: TestClient, node: str, query: str, expected: list[str]) -> None:
        answer = client.get(f"/v1/nodes/{node}/children?{query}").json()
        assert ids(answer["children"]) == expected
        assert answer["node"]["node"] == node
        Children.model_validate(answer)
        met, cursor = [], ""
        for _ in expected:
            page = client.get(f"/v1/nodes/{node}/children?{query}&limit=1{cursor}").json()
            met += ids(page["children"])
            cursor = f"&cursor={page['next']}"
        assert met == expected

    @pytest.mark.parametrize(
        ("node", "expected"),
        [
            ("total", []),
            (NORD, ["total"]),
            ("customer=K-2", ["total"]),
            (f"{NORD},grade=S355", ["total", NORD]),
            (LEAF, ["total", NORD, "customer=K-2", f"{NORD},grade=S355",
                    f"{NORD},material=~C3~9Cberma~C3~9F~2Fx"]),
        ],
    )  # fmt: skip
    def test_path(self, client: TestClient, node: str, expected: list[str]) -> None:
        answer = client.get(f"/v1/nodes/{node}/path").json()
        assert ids(answer["path"]) == [*expected, node]
        Path.model_validate(answer)

    def test_children_of_a_node_are_those_whose_path_holds_it(self, engine: Engine) -> None:
        with reading(engine) as reader:
            run = reader.current_run()
            levels = [select_from(run, level=level_name(level), where={}) for level in run.levels]
            everything = reader.walk(levels, 100).rows
            assert len(everything) == 1 + 2 + 2 + 3 + 3 + 4
            for node in everything:
                below = [each for each in everything if each != node and node in reader.path(run, each)]
                children = reader.children(run, node, 100).rows
                assert set(children) == {
                    each for each in below if each.level in levels_below(run, node.level)
                }

    @pytest.mark.parametrize("rest", ["", "/children", "/path"])
    @pytest.mark.parametrize(
        ("node", "status", "field"),
        [
            ("organization=OST", 404, "node"),
            ("customer=K-1,organization=S~C3~9CD,material=nord~2Cstahl,grade=S235", 404, "node"),
            ("material=HEB~20200", 422, "level"),
            ("plant=1", 422, "level"),
            ("NORD", 422, "node"),
            ("organization=~", 422, "node"),
            ("organization=' or '1'='1", 404, "node"),
            ("organization=%00", 422, "node"),
        ],
    )
    def test_refusals(self, client: TestClient, rest: str, node: str, status: int, field: str) -> None:
        answer = client.get(f"/v1/nodes/{node}{rest}")
        assert (answer.status_code, answer.json()["field"]) == (status, field)

    @pytest.mark.parametrize("by", ["organization", "plant", "'", "grade,customer"])
    def test_what_does_not_divide_a_node(self, client: TestClient, by: str) -> None:
        problem = client.get(f"/v1/nodes/{NORD}/children?by={by}").json()
        assert (problem["status"], problem["field"], problem["value"]) == (422, "by", by)
        assert problem["remedy"] == "divide it by customer, material, grade"

    def test_parts_in_any_order_and_plainly_encoded(self, client: TestClient) -> None:
        written = ["material=HEB%20200,organization=NORD", "organization=%4EORD,material=HEB~20200"]
        answers = [client.get(f"/v1/nodes/{node}").json()["node"]["node"] for node in written]
        assert answers == [f"{NORD},{HEB}"] * 2

    @pytest.mark.parametrize("rest", ["", "/children", "/path"])
    def test_not_modified(self, client: TestClient, rest: str) -> None:
        tag = client.get(f"/v1/nodes/{NORD}{rest}").headers["etag"]
        assert client.get(f"/v1/nodes/{NORD}{rest}", headers={"If-None-Match": tag}).status_code == 304
        assert client.get(f"/v1/nodes/{SUED}{rest}", headers={"If-None-Match": tag}).status_code == 200

    def test_nodes_of_other_runs_are_not_there(
        self, client: TestClient, engine: Engine, make_run: MakeRun, make_forecast: MakeForecast
    ) -> None:
        newer = make_run("2026-10-bbbb", forecast=make_forecast(NAMES, LEVELS, LEAVES[:2]))
        publish(engine, newer, PUBLISHED)
        assert client.get(f"/v1/nodes/{SUED}").status_code == 404
        assert client.get(f"/v1/nodes/{SUED}?run=2026-10-aaaa").status_code == 200
        assert ids(client.get("/v1/nodes/total/children?by=organization").json()["children"]) == [NORD]
        assert client.get("/v1/nodes?search=s%C3%BCd").json()["nodes"] == []
