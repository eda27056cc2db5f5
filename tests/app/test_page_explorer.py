"""What the explorer reads, notes and refuses: asked over HTTP as the browser asks, without a browser."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine

from app.access.sessions import Sessions
from app.main import create_app
from app.store.audit import read_links
from app.store.session import connected
from app.surroundings import Surroundings
from forecasting.run import ForecastRun

OWN = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
LEAVES = "organization,customer,material"

type Given = Mapping[str, Any]


@pytest.fixture
def page(engine: Engine, published: ForecastRun, key_of: Callable[..., str]) -> Iterator[TestClient]:
    """A browser of an admin who has signed in."""
    app = create_app(engine, Surroundings(sessions=Sessions(bytes(32), lambda: 0.0)))
    with TestClient(app, raise_server_exceptions=False) as client:
        client.post("/sign-in", data={"key": key_of(engine)}, headers=OWN, follow_redirects=False)
        yield client


def ask(page: TestClient, outputs: list[str], inputs: Given, state: Given | None = None) -> Response:
    """The answer to a callback; each name is a component's id and its property."""

    def named(name: str) -> dict[str, str]:
        component, _, prop = name.partition(".")
        return {"id": component, "property": prop}

    def valued(given: Given) -> list[dict[str, Any]]:
        return [named(name) | {"value": value} for name, value in given.items()]

    several = len(outputs) > 1
    question = {
        "output": f"..{'...'.join(outputs)}.." if several else outputs[0],
        "outputs": list(map(named, outputs)) if several else named(outputs[0]),
        "inputs": valued(inputs),
        "state": valued(state or {}),
        "changedPropIds": [next(iter(inputs))],
    }
    answer: Response = page.post("/_dash-update-component", json=question, headers=OWN)
    return answer


def ask_parts(page: TestClient, node: Given) -> Response:
    return ask(page, ["explorer-parts.children", "explorer-sum.data"], {"explorer-node.data": node})


def ask_count(page: TestClient, nodes: Given) -> Response:
    return ask(page, ["explorer-count.children"], {"explorer-list.data": nodes})


def ask_rows(page: TestClient, nodes: Given) -> Response:
    lines = {"startRow": 0, "endRow": 100}
    return ask(
        page,
        ["explorer-grid.getRowsResponse"],
        {"explorer-grid.getRowsRequest": lines},
        {"explorer-list.data": nodes, "explorer-places.data": {}},
    )


def ask_controls(page: TestClient, nodes: Given) -> Response:
    outputs = ["explorer-levels.children", "explorer-orders.children", "explorer-search.value",
               "explorer-filters.children"]  # fmt: skip
    return ask(page, outputs, {"explorer-arrived.data": nodes})


def read_by_the_page(page: TestClient) -> list[str | None]:
    """What the audit trail has of the page's reads, the first one first."""
    app: Any = page.app
    assert app.state.trail.settle(10)
    with connected(app.state.engine) as connection:
        entries = [link.entry for link in read_links(connection, 100)]
    return [each.subject for each in reversed(entries) if each.action == "page"]


class TestTheAuditTrail:
    @pytest.mark.parametrize(
        ("node", "by", "noted"),
        [
            ("total", "customer", "/v1/nodes/total/children?by=customer&run=2026-10-aaaa"),
            ("total", "organization", None),
            (
                "organization=NORD,material=HEB~20200",
                "customer",
                "/v1/nodes/organization=NORD,material=HEB~20200/children?by=customer&run=2026-10-aaaa",
            ),
            ("customer=K-104", "material", "/v1/nodes/customer=K-104/children?by=material&run=2026-10-aaaa"),
        ],
    )
    def test_has_the_parts_that_are_customers(
        self, page: TestClient, node: str, by: str, noted: str | None
    ) -> None:
        assert ask_parts(page, {"node": node, "by": by}).status_code == 200
        assert read_by_the_page(page) == [noted] * (noted is not None)

    def test_has_all_that_was_asked_of_the_grid(self, page: TestClient) -> None:
        nodes = {"level": LEAVES, "where": {"organization": ["NORD", "SÜD"]}, "search": "heb", "sort": "year"}
        (first, second) = ask_rows(page, nodes).json()["response"]["explorer-grid"]["getRowsResponse"][
            "rowData"
        ]
        assert (first["name"], second["name"]) == ("NORD · K-104 · HEB 200", "SÜD · K-104 · HEB 200")
        question = (
            "/v1/forecasts?level=organization%2Ccustomer%2Cmaterial&organization=NORD&organization=S%C3%9CD"
            "&search=heb&run=2026-10-aaaa"
        )
        assert read_by_the_page(page) == [question]
        found = page.get(question).json()["forecasts"]
        assert {(row["organization"], row["customer"], row["material"]) for row in found} == {
            ("NORD", "K-104", "HEB 200"), ("SÜD", "K-104", "HEB 200"),
        }  # fmt: skip

    def test_has_the_customers_that_a_filter_lists(self, page: TestClient) -> None:
        answer = ask_controls(page, {"level": LEAVES, "where": {"customer": ["K-7"]}})
        assert "K-104" in answer.text
        assert read_by_the_page(page) == ["/v1/nodes?level=customer&run=2026-10-aaaa"]
        ask_controls(page, {"level": "organization"})
        assert len(read_by_the_page(page)) == 1


class TestWhatNoTextCanBe:
    @pytest.mark.parametrize(
        ("nodes", "field"),
        [
            ({"search": "\0"}, "search"),
            ({"search": "x" * 201}, "search"),
            ({"level": "\0"}, "level"),
            ({"run": "\0"}, "run"),
            ({"level": "customer", "where": {"customer": ["K-104", "\0"]}}, "where"),
            ({"level": "customer", "where": {"\0": ["K-104"]}}, "where"),
        ],
    )
    def test_is_told_beside_the_grid(self, page: TestClient, nodes: Given, field: str) -> None:
        told = ask_count(page, nodes)
        assert told.status_code == 200
        assert "change the address" in told.text.lower()
        assert field in told.text.lower()
        rows = ask_rows(page, nodes)
        assert rows.json()["response"]["explorer-grid"]["getRowsResponse"] == {"rowData": [], "rowCount": 0}
        assert ask_controls(page, nodes).status_code == 204

    @pytest.mark.parametrize("node", [{"by": "\0"}, {"node": "\0"}, {"run": "\0"}, {"history": "-1"}])
    def test_is_told_of_a_node(self, page: TestClient, node: Given) -> None:
        told = ask(page, ["explorer-head.children", "explorer-series.data"], {"explorer-node.data": node})
        assert told.status_code == 200
        assert told.json()["response"]["explorer-series"]["data"] is None
        assert "change the address" in told.text.lower()
        assert ask_parts(page, node).json()["response"]["explorer-parts"]["children"] == []

    def test_may_be_searched_for_up_to_200_characters(self, page: TestClient) -> None:
        assert "0" in ask_count(page, {"search": "x" * 200}).text
        assert "refused" not in ask_count(page, {"search": "x" * 200}).text
