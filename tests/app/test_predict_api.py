"""POST /v1/predict at the service's edge: what whoever makes the forecast is asked, and what is refused."""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from app.api.predict import MOST_BYTES
from app.api.predict_schemas import PredictAsked, read_asked
from app.errors import AppError, PredictionTooLong, PredictorBusy, PredictorLost, PredictorStarting
from app.main import create_app
from app.prediction import PredictQuestion
from app.refusals import BadHistory
from app.surroundings import Surroundings

SERIES: dict[str, Any] = {"keys": {"customer": "K-104"}, "first": "2025-11", "quantities": [1, 2.5, None]}
CSV = {"content-type": "text/csv"}


@dataclass
class Ear:
    """Whoever makes forecasts, and remembers what it was asked."""

    raises: AppError | None = None
    asked: list[PredictQuestion] = field(default_factory=list)
    waiting: int = 0
    busy: int = 0

    def __call__(self, question: PredictQuestion) -> bytes:
        if self.raises is not None:
            raise self.raises
        self.asked.append(question)
        return b'{"level": "total"}'


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def client(engine: Engine, ear: Ear, key_of: Callable[..., str]) -> Iterator[TestClient]:
    headers = {"Authorization": f"Bearer {key_of(engine, 'planner')}"}
    with TestClient(create_app(engine, Surroundings(predictor=ear)), headers=headers) as client:
        yield client


def test_json_becomes_the_rows_of_a_file(client: TestClient, ear: Ear) -> None:
    other = {"keys": {"customer": 'K,"7"'}, "months": ["2025-12", "2026-01"], "quantities": [0, 1e-7]}
    body = {"series": [SERIES, other], "horizon": 3, "quantiles": [0.9, 0.1], "levels": ["total", "customer"]}
    answer = client.post("/v1/predict", json=body)
    assert (answer.status_code, answer.content) == (200, b'{"level": "total"}')
    (question,) = ear.asked
    assert list(csv.reader(StringIO(question.history.decode()))) == [
        ["customer", "month", "quantity"],
        ["K-104", "2025-11", "1.0"],
        ["K-104", "2025-12", "2.5"],
        ["K-104", "2026-01", ""],
        ['K,"7"', "2025-12", "0.0"],
        ['K,"7"', "2026-01", "1e-07"],
    ]
    assert (question.keys, question.levels, question.horizon) == (("customer",), ("total", "customer"), 3)
    assert (question.probabilities, question.csv) == ((0.9, 0.1), False)


def test_csv_is_passed_on_as_it_is(client: TestClient, ear: Ear) -> None:
    text = b"kunde,monat,menge\nK-1,2026-01,5\n"
    asked = "keys=kunde&month=monat&quantity=menge&levels=total;kunde&horizon=2&quantiles=0.5&recipe=theta"
    answer = client.post(f"/v1/predict?{asked}", content=text, headers=CSV | {"accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert ear.asked == [
        PredictQuestion(text, ("kunde",), "monat", "menge", ("total", "kunde"), 2, (0.5,), "theta", csv=True)
    ]


def with_series(**changes: Any) -> dict[str, Any]:
    return {"series": [SERIES, {**SERIES, "keys": {"customer": "K-7"}, **changes}]}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (with_series(first="2025-13"), "series 2 (K-7), first"),
        (with_series(first="2025-1"), "series 2 (K-7), first"),
        (with_series(quantities=[1, "x", 2]), "series 2 (K-7), quantities 2: Input should be a valid number"),
        (with_series(quantities=[1, 2, -3]), "series 2 (K-7), quantities 3: Input should be greater"),
        (with_series(quantities=[1e31, 2, 3]), "series 2 (K-7), quantities 1: Input should be less"),
        (with_series(quantities=[]), "series 2 (K-7), quantities"),
        (with_series(quantities=[0] * 601), "series 2 (K-7), quantities: List should have at most 600"),
        (with_series(months=["2025-11"]), "series 2 (K-7): give either"),
        (with_series(first=None), "series 2 (K-7): give either"),
        (with_series(first=None, months=["2025-11"]), "series 2 (K-7): 1 months and 3 quantities"),
        (
            with_series(first=None, months=["2025-10", "2025-11", "2026-01"]),
            "series 2 (K-7): between 2025-11 and 2026-01 months are missing",
        ),
        (
            with_series(first=None, months=["2025-12", "2025-12", "2026-01"]),
            "series 2 (K-7): 2025-12 is given twice",
        ),
        (
            with_series(first=None, months=["2025-12", "2025-11", "2026-01"]),
            "series 2 (K-7): 2025-11 follows 2025-12",
        ),
        (with_series(first=None, months=["2025-12", "x", "y"]), "series 2 (K-7), months 2"),
        (with_series(keys={"customer": " K-104 "}), "series 2 has the same keys as series 1"),
        (with_series(keys={"material": "K"}), "series 2 has the keys material, the first customer"),
        (with_series(keys={"customer": ""}), "series 2"),
        (with_series(keys={}), "series 2, keys"),
        (with_series(keys=5), "series 2, keys"),
        (with_series(first="2025-12"), "series 2 ends with 2026-02, the first with 2026-01"),
        (with_series(unit="t"), "series 2 (K-7), unit"),
        ({"series": [SERIES, 5]}, "series 2"),
        ({"series": []}, "series"),
        ({"series": [SERIES] * 1001}, "series: List should have at most 1000"),
        ({"series": [SERIES], "horizon": 0}, "horizon"),
        ({"series": [SERIES], "horizon": 61}, "horizon"),
        ({"series": [SERIES], "quantiles": [0.5, 1.0]}, "quantiles.1"),
        ({"series": [SERIES], "quantiles": [0.5, 0.5]}, "a quantile is named twice"),
        ({"series": [SERIES], "seed": 1}, "seed"),
        ([], ""),
    ],
)
def test_what_is_no_history_is_named(client: TestClient, ear: Ear, body: Any, said: str) -> None:
    answer = client.post("/v1/predict", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(said), answer.json()
    assert "nothing was stored" in answer.json()["remedy"]
    assert ear.asked == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"series": NaN}', b"[" * 100_000])
def test_what_is_no_json(client: TestClient, ear: Ear, content: bytes) -> None:
    answer = client.post("/v1/predict", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, ear.asked) == (422, [])


def test_nan_is_no_quantity(client: TestClient) -> None:
    content = b'{"series":[{"keys":{"a":"b"},"first":"2025-01","quantities":[1,NaN]}]}'
    answer = client.post("/v1/predict", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("question", "headers", "status", "field"),
    [
        ("", CSV, 422, "keys"),
        ("?keys=a&horizon=x", CSV, 422, "horizon"),
        ("?keys=a&quantiles=2", CSV, 422, "quantiles"),
        ("?keys=a&format=xml", CSV, 422, "format"),
        ("?keys=a&series=1", CSV, 422, "series"),
        ("?keys=a", {"content-type": "application/json"}, 422, "keys"),
        ("?keys=a", {"content-type": "application/xml"}, 415, "Content-Type"),
        ("?keys=a", {}, 415, "Content-Type"),
        ("?keys=a", CSV | {"accept": "image/png"}, 406, "Accept"),
    ],
)
def test_what_cannot_be_asked_like_this(
    client: TestClient, ear: Ear, question: str, headers: dict[str, str], status: int, field: str
) -> None:
    answer = client.post(f"/v1/predict{question}", content=b"a", headers=headers)
    assert (answer.status_code, answer.json()["field"], ear.asked) == (status, field, [])


def test_a_body_that_is_too_large_is_not_read_to_its_end(client: TestClient, ear: Ear) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(40):
            sent += 1
            yield b"x" * (1 << 20)

    answer = client.post("/v1/predict?keys=a", content=endless(), headers=CSV)
    assert (answer.status_code, ear.asked) == (413, [])
    assert f"{MOST_BYTES:,}" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadHistory("row 3: quantity 'x' is not a number"), 422),
        (PredictorBusy(), 503),
        (PredictorStarting(), 503),
        (PredictorLost(), 503),
        (PredictionTooLong(60), 504),
    ],
)
def test_what_went_wrong_is_a_problem(client: TestClient, ear: Ear, error: AppError, status: int) -> None:
    ear.raises = error
    answer = client.post("/v1/predict", json={"series": [SERIES]})
    assert (answer.status_code, answer.json()["detail"]) == (status, error.detail)
    assert ("retry-after" in answer.headers) == (status >= 500)


def test_a_service_without_one_says_so(engine: Engine, key_of: Callable[..., str]) -> None:
    headers = {"Authorization": f"Bearer {key_of(engine)}"}
    answer = TestClient(create_app(engine), headers=headers).post("/v1/predict", json={"series": [SERIES]})
    assert answer.status_code == 503


def test_the_example_of_the_contract_can_be_asked() -> None:
    example = PredictAsked.model_json_schema()["example"]
    assert read_asked(json.dumps(example).encode()).horizon == 3


WORDS: Callable[..., Any] = st.text(min_size=1, max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {
            "series": st.lists(
                st.fixed_dictionaries(
                    {},
                    optional={
                        "keys": VALUES | st.just({"a": "b"}),
                        "first": VALUES | st.just("2025-01"),
                        "months": VALUES,
                        "quantities": VALUES | st.just([1, 2]),
                    },
                )
                | VALUES,
                max_size=3,
            )
            | VALUES
        }
    )
    | VALUES
)
def test_whatever_is_sent_is_read_or_refused(body: Any) -> None:
    with suppress(BadHistory):
        assert read_asked(json.dumps(body).encode()).series
