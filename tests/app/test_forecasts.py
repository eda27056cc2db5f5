"""GET /v1/forecasts as JSON: every number, every filter, every refusal."""

import base64
import datetime as dt
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.api.schemas import Forecasts
from app.store.publish import publish
from forecasting.run import ForecastRun

type MakeRun = Callable[..., ForecastRun]

LATER = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)

RUN = {
    "id": "2026-10-aaaa",
    "origin": "2026-10",
    "published_at": "2026-11-02T06:00:00Z",
    "snapshot": "3f9c1a2b",
    "model": "smoothing/3",
}
# At each level, by hand: the nodes in order with their mean in the first month.
MEANS = {
    "total": [(None, None, None, 1111.0)],
    "organization": [("NORD", None, None, 11.0), ("SÜD", None, None, 1100.0)],
    "customer": [(None, 'K,"9"', None, 1.0), (None, "K-104", None, 110.0), (None, "K-7", None, 1000.0)],
    "organization,material": [
        ("NORD", None, "=SUM(A1)", 1.0),
        ("NORD", None, "HEB 200", 10.0),
        ("SÜD", None, "Blech", 1000.0),
        ("SÜD", None, "HEB 200", 100.0),
    ],
    "organization,customer,material": [
        ("NORD", 'K,"9"', "=SUM(A1)", 1.0),
        ("NORD", "K-104", "HEB 200", 10.0),
        ("SÜD", "K-104", "HEB 200", 100.0),
        ("SÜD", "K-7", "Blech", 1000.0),
    ],
}


def months(mean: float) -> list[dict[str, object]]:
    """Both months of a node with this mean in the first: the second is twice it."""
    return [
        {"month": "2026-11", "mean": mean, "p10": mean / 2, "p50": mean, "p97_5": mean * 2},
        {"month": "2026-12", "mean": mean * 2, "p10": mean, "p50": mean * 2, "p97_5": mean * 4},
    ]


@pytest.mark.usefixtures("published")
class TestAnswer:
    @pytest.mark.parametrize("level", MEANS)
    def test_every_number_of_every_level(self, client: TestClient, level: str) -> None:
        answer = client.get("/v1/forecasts", params={"level": level})
        assert answer.status_code == 200
        assert answer.json() == {
            "run": RUN,
            "unit": "t",
            "level": level,
            "forecasts": [
                {"organization": o, "customer": c, "material": m, "months": months(mean)}
                for o, c, m, mean in MEANS[level]
            ],
            "next": None,
        }
        Forecasts.model_validate(answer.json())

    def test_level_is_total_unless_named(self, client: TestClient) -> None:
        assert client.get("/v1/forecasts").json()["forecasts"][0]["months"] == months(1111.0)

    def test_keys_of_a_level_in_any_order(self, client: TestClient) -> None:
        answers = [
            client.get(f"/v1/forecasts?level={level}").json()
            for level in ("material,organization", "organization, material")
        ]
        assert [answer["level"] for answer in answers] == ["organization,material"] * 2
        assert answers[0] == answers[1]

    @pytest.mark.parametrize(
        ("query", "means"),
        [
            ("level=customer&customer=K-104", [110.0]),
            ("level=organization,customer,material&customer=K-104", [10.0, 100.0]),
            ("level=organization,customer,material&material=Blech", [1000.0]),
            ("level=organization,customer,material&organization=NORD&customer=K-104", [10.0]),
            ("level=organization,material&organization=S%C3%9CD", [1000.0, 100.0]),
            ("level=customer&customer=K,%229%22", [1.0]),
            # Both exist, but not together: an answer, and it is empty.
            ("level=organization,customer,material&organization=NORD&customer=K-7", []),
        ],
    )
    def test_filters(self, client: TestClient, query: str, means: list[float]) -> None:
        answer = client.get(f"/v1/forecasts?{query}").json()
        assert [row["months"][0]["mean"] for row in answer["forecasts"]] == means

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("from=2026-12", ["2026-12"]),
            ("to=2026-11", ["2026-11"]),
            ("from=2026-11&to=2027-10", ["2026-11", "2026-12"]),
            ("from=2020-01&to=2026-11", ["2026-11"]),
        ],
    )
    def test_window_is_cut_to_the_run(self, client: TestClient, query: str, expected: list[str]) -> None:
        (row,) = client.get(f"/v1/forecasts?{query}").json()["forecasts"]
        by_month = {month["month"]: month for month in months(1111.0)}
        assert row["months"] == [by_month[month] for month in expected]

    def test_quantiles_in_the_order_asked_for(self, client: TestClient) -> None:
        (row,) = client.get("/v1/forecasts?quantiles=0.975,0.10").json()["forecasts"]
        assert list(row["months"][0].items()) == [
            ("month", "2026-11"),
            ("mean", 1111.0),
            ("p97_5", 2222.0),
            ("p10", 555.5),
        ]


REFUSED = [
    ("level=plant", "level", "plant", "ask for one of: total; organization; customer; "),
    ("level=customer,customer", "level", "customer,customer", "ask for one of: "),
    ("level=", "level", "", ""),
    ("customer=K-104", "customer", "K-104", "level that names it (customer; organization,customer,material)"),
    ("level=customer&organization=NORD", "organization", "NORD", "or drop the filter"),
    ("quantiles=0.2", "quantiles", "0.2", "ask among: 0.1,0.5,0.975"),
    ("quantiles=0.5,0.5", "quantiles", "0.5,0.5", ""),
    ("quantiles=half", "quantiles", "half", ""),
    ("quantiles=nan", "quantiles", "nan", ""),
    ("quantiles=1", "quantiles", "1", ""),
    ("from=2026-13", "from", "2026-13", ""),
    ("from=November", "from", "November", ""),
    ("from=2026-12&to=2026-11", "from", "2026-12", "earlier"),
    ("from=2027-01", "from", "2027-01", "months among these"),
    ("to=2026-10", "to", "2026-10", "months among these"),
    ("limit=0", "limit", "0", ""),
    ("limit=1001", "limit", "1001", ""),
    ("limit=many", "limit", "many", ""),
    ("format=xml", "format", "xml", ""),
    ("cursor=xyz", "cursor", "xyz", "ask again without cursor"),
    (
        "plant=NORD",
        "plant",
        "NORD",
        "this resource takes organization, customer, material, run, as_of, limit",
    ),
    ("first=2026-11", "first", "2026-11", "this resource takes"),
    ("level=customer&level=material", "level", "material", "give it once"),
    ("level=customer&customer=%00", "customer", "\0", ""),
]


@pytest.mark.usefixtures("published")
class TestRefusal:
    @pytest.mark.parametrize(("query", "field", "value", "remedy"), REFUSED)
    def test_names_field_value_and_remedy(
        self, client: TestClient, query: str, field: str, value: str, remedy: str
    ) -> None:
        answer = client.get(f"/v1/forecasts?{query}")
        problem = answer.json()
        assert answer.status_code == problem["status"] == 422
        assert answer.headers["content-type"] == "application/problem+json"
        members = ["type", "title", "status", "detail", "field", "value", "remedy", "request_id"]
        assert list(problem) == members
        assert problem["request_id"] == answer.headers["x-request-id"]
        assert (problem["field"], problem["value"]) == (field, value)
        assert problem["detail"]
        assert problem["remedy"]
        assert remedy in problem["remedy"]

    def test_value_that_exists_nowhere(self, client: TestClient) -> None:
        answer = client.get("/v1/forecasts?level=customer&customer=K-999")
        assert answer.status_code == 404
        assert answer.json() == {
            "type": "urn:tonnage:problem:unknown-node",
            "title": "Not there",
            "status": 404,
            "detail": "level 'customer' has no customer 'K-999'",
            "field": "customer",
            "value": "K-999",
            "remedy": "see which there are: /v1/nodes?level=customer",
            "request_id": answer.headers["x-request-id"],
        }

    @pytest.mark.parametrize(
        "text",
        ["' or '1'='1", "K-104'; drop table forecast; --", "%(x)s", ":x", "\\", "{}", "K-104\n", "ÿ" * 2000],
    )
    @pytest.mark.parametrize("name", ["level", "organization", "customer", "material", "quantiles", "from",
                                      "to", "limit", "cursor", "format", "surprise'"])  # fmt: skip
    def test_text_is_never_read_as_sql(self, client: TestClient, name: str, text: str) -> None:
        asked = {"level": "organization,customer,material", name: text}
        answer = client.get("/v1/forecasts", params=asked)
        assert answer.status_code in (404, 422)
        assert answer.json()["field"] == name
        assert client.get("/v1/forecasts").json()["forecasts"][0]["months"] == months(1111.0)


def test_nothing_published_yet(client: TestClient) -> None:
    answer = client.get("/v1/forecasts")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "nothing published yet"
    assert answer.json()["remedy"] == "run: tonnage retrain"


@pytest.mark.usefixtures("published")
class TestPages:
    @pytest.mark.parametrize("level", MEANS)
    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 1000])
    def test_walk_meets_each_node_once(self, client: TestClient, level: str, limit: int) -> None:
        means, cursor = [], None
        while True:
            asked = {"level": level, "limit": limit} | ({"cursor": cursor} if cursor else {})
            page = client.get("/v1/forecasts", params=asked).json()
            means += [row["months"][0]["mean"] for row in page["forecasts"]]
            cursor = page["next"]
            if cursor is None:
                break
            assert len(page["forecasts"]) == limit
        assert means == [mean for *_, mean in MEANS[level]]

    def test_filter_holds_on_every_page(self, client: TestClient) -> None:
        query = "/v1/forecasts?level=organization,customer,material&customer=K-104&limit=1"
        first = client.get(query).json()
        second = client.get(f"{query}&cursor={first['next']}").json()
        assert [page["forecasts"][0]["organization"] for page in (first, second)] == ["NORD", "SÜD"]
        assert second["next"] is None

    def test_pages_stay_within_their_run(self, client: TestClient, engine: Engine, make_run: MakeRun) -> None:
        query = "/v1/forecasts?level=customer&limit=1"
        first = client.get(query).json()
        publish(engine, make_run("2026-10-bbbb", scale=3.0), LATER)
        second = client.get(f"{query}&cursor={first['next']}").json()
        assert second["run"] == first["run"] == RUN
        assert second["forecasts"][0]["months"] == months(110.0)
        anew = client.get(query).json()
        assert anew["run"]["id"] == "2026-10-bbbb"
        assert anew["forecasts"][0]["months"] == months(3.0)

    @pytest.mark.parametrize(
        "parts",
        [
            '["2026-10-gone", "customer", "K-104"]',
            '["2026-10-aaaa", "customer"]',
            '["2026-10-aaaa", "customer", "K-104", "K-7"]',
            '["2026-10-aaaa", "customer", 7]',
            '["2026-10-aaaa", "customer", null]',
            '["2026-10-aaaa", "customer", "\\u0000"]',
            '["\\u0000", "customer", "K-104"]',
            '["2026-10-aaaa", "customer", "\\ud800"]',
            '["2026-10-aaaa",  "customer", "K-104"]',
            '{"run": "2026-10-aaaa"}',
            "[" * 9_000,
            "\x00",
        ],
    )
    def test_cursor_that_was_never_given(self, client: TestClient, parts: str) -> None:
        cursor = base64.urlsafe_b64encode(parts.encode()).decode().rstrip("=")
        answer = client.get(f"/v1/forecasts?level=customer&cursor={cursor}")
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:tonnage:problem:bad-cursor"

    def test_cursor_of_another_level(self, client: TestClient) -> None:
        cursor = client.get("/v1/forecasts?level=customer&limit=1").json()["next"]
        answer = client.get(f"/v1/forecasts?level=organization&cursor={cursor}")
        assert answer.status_code == 422
        assert answer.json()["field"] == "cursor"


@pytest.mark.usefixtures("published")
class TestCache:
    def test_same_question_is_not_answered_twice(self, client: TestClient) -> None:
        tag = client.get("/v1/forecasts").headers["etag"]
        for known in (tag, f'"other", W/{tag}', "*"):
            answer = client.get("/v1/forecasts", headers={"If-None-Match": known})
            assert (answer.status_code, answer.content) == (304, b"")
            assert answer.headers["etag"] == tag

    def test_other_question_format_or_run_is_another_answer(
        self, client: TestClient, engine: Engine, make_run: MakeRun
    ) -> None:
        tag = client.get("/v1/forecasts").headers["etag"]
        known = {"If-None-Match": tag}
        assert client.get("/v1/forecasts?quantiles=0.5", headers=known).status_code == 200
        assert client.get("/v1/forecasts", headers=known | {"Accept": "text/csv"}).status_code == 200
        publish(engine, make_run("2026-10-bbbb"), LATER)
        assert client.get("/v1/forecasts", headers=known).status_code == 200
