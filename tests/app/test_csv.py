"""GET /v1/forecasts as CSV."""

import csv
import datetime as dt
import io
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.export.files import forecast_file
from app.export.form import form_of
from app.store.publish import publish
from app.store.read import reading
from app.store.selection import select_from
from forecasting.run import ForecastRun

type MakeRun = Callable[..., ForecastRun]

CSV = form_of("csv")
assert CSV is not None
HEADER = "run,origin,level,organization,customer,material,month,unit,mean,p10,p50,p97_5\n"
CUSTOMERS = (
    HEADER
    + """\
2026-10-aaaa,2026-10,customer,,"K,""9""\",,2026-11,t,1.0,0.5,1.0,2.0
2026-10-aaaa,2026-10,customer,,"K,""9""\",,2026-12,t,2.0,1.0,2.0,4.0
2026-10-aaaa,2026-10,customer,,K-104,,2026-11,t,110.0,55.0,110.0,220.0
2026-10-aaaa,2026-10,customer,,K-104,,2026-12,t,220.0,110.0,220.0,440.0
2026-10-aaaa,2026-10,customer,,K-7,,2026-11,t,1000.0,500.0,1000.0,2000.0
2026-10-aaaa,2026-10,customer,,K-7,,2026-12,t,2000.0,1000.0,2000.0,4000.0
"""
)


@pytest.mark.usefixtures("published")
class TestCsv:
    @pytest.mark.parametrize(
        "asked",
        [
            ("/v1/forecasts?level=customer&format=csv", {}),
            ("/v1/forecasts?level=customer", {"Accept": "text/csv"}),
            ("/v1/forecasts?level=customer", {"Accept": "application/json;q=0.1, text/*"}),
            ("/v1/forecasts?level=customer&format=csv", {"Accept": "application/json"}),
        ],
    )
    def test_every_byte(self, client: TestClient, asked: tuple[str, dict[str, str]]) -> None:
        answer = client.get(asked[0], headers=asked[1])
        assert answer.text == CUSTOMERS
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert "forecasts-2026-10-aaaa-customer.csv" in answer.headers["content-disposition"]

    def test_formulas_are_text_and_commas_are_quoted(self, client: TestClient) -> None:
        answer = client.get("/v1/forecasts?level=organization,customer,material&quantiles=0.5&format=csv")
        first, *_ = csv.DictReader(io.StringIO(answer.text))
        assert first["level"] == "organization,customer,material"
        assert first["customer"] == 'K,"9"'
        assert first["material"] == "'=SUM(A1)"
        assert list(first)[-2:] == ["mean", "p50"]

    def test_limit_makes_pages_and_the_link_walks_them(self, client: TestClient) -> None:
        answer = client.get("/v1/forecasts?level=customer&format=csv&limit=2")
        lines = answer.text.removeprefix(HEADER)
        while "link" in answer.headers:
            answer = client.get(answer.links["next"]["url"])
            lines += answer.text.removeprefix(HEADER)
        assert HEADER + lines == CUSTOMERS

    def test_unknown_value_is_a_problem_not_an_empty_file(self, client: TestClient) -> None:
        answer = client.get("/v1/forecasts?level=customer&customer=K-999&format=csv")
        assert answer.status_code == 404
        assert answer.json()["field"] == "customer"

    @pytest.mark.parametrize("accept", ["application/xml", "text/html;q=1", "application/json;q=0", "csv"])
    def test_format_that_is_not_spoken(self, client: TestClient, accept: str) -> None:
        answer = client.get("/v1/forecasts", headers={"Accept": accept})
        assert answer.status_code == 406
        assert answer.json()["remedy"] == (
            "accept one of: application/json, text/csv, application/vnd.apache.parquet, "
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        )

    @pytest.mark.parametrize("accept", ["*/*", "application/*", "text/csv;q=0.2, */*", ""])
    def test_json_unless_csv_is_preferred(self, client: TestClient, accept: str) -> None:
        answer = client.get("/v1/forecasts", headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/json"

    def test_publish_during_a_stream_does_not_show_in_it(self, engine: Engine, make_run: MakeRun) -> None:
        with reading(engine) as reader:
            selection = select_from(reader.current_run(), level="customer", where={})
            pieces = forecast_file(reader, selection, CSV).pieces
            text = next(pieces)
            publish(engine, make_run("2026-10-bbbb", scale=3.0), dt.datetime(2026, 11, 3, tzinfo=dt.UTC))
            assert reader.current_run().id == "2026-10-aaaa"
            assert text + b"".join(pieces) == CUSTOMERS.encode()
