"""GET /v1/forecasts as Parquet, Excel and every kind of CSV, read back by those who read such files."""

import csv
import datetime as dt
import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import polars as pl
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it ships no types
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.export.excel import MOST_ROWS
from app.export.files import forecast_file
from app.export.form import Kind, form_of
from app.main import create_app
from app.store.audit import read_links
from app.store.read import reading
from app.store.selection import select_from
from tests.app.conftest import KeyOf, bearer

LEVEL = "organization,customer,material"
URL = f"/v1/forecasts?level={LEVEL}"
NAMES = ["organization", "customer", "material"]
# Leaf by leaf and month by month: names as they are stored, the month, the mean and the quantiles.
ROWS = [
    (*leaf, dt.date(2026, month, 1), mean, mean / 2, mean, mean * 2)
    for leaf, first in {
        ("NORD", 'K,"9"', "=SUM(A1)"): 1.0,
        ("NORD", "K-104", "HEB 200"): 10.0,
        ("SÜD", "K-104", "HEB 200"): 100.0,
        ("SÜD", "K-7", "Blech"): 1000.0,
    }.items()
    for month, mean in ((11, first), (12, 2 * first))
]
TOTAL = 3 * 1111.0
soffice = pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed here")


# Comma, quote, UTF-8.
UTF8 = "csv:Text - txt - csv (StarCalc):44,34,76"


def table_of(kind: str, file: bytes) -> pl.DataFrame:
    if kind == "csv":
        return pl.read_csv(file)
    if kind == "parquet":
        return pl.read_parquet(file)
    header, *rows = openpyxl.load_workbook(io.BytesIO(file))["Forecasts"].iter_rows(values_only=True)
    return pl.DataFrame(rows, schema=[str(name) for name in header], orient="row")


def converted(file: Path, *options: str) -> list[list[str]]:
    """What LibreOffice makes of a file: the rows of its first sheet."""
    profile = f"-env:UserInstallation={(file.parent / 'profile').as_uri()}"
    target = file.parent / "converted"
    command = ["soffice", profile, "--headless", *options, "--convert-to", UTF8, "--outdir", str(target)]
    subprocess.run([*command, str(file)], check=True, capture_output=True, timeout=120)
    text = (target / f"{file.stem}.csv").read_text(encoding="utf-8")
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.usefixtures("published")
class TestCsv:
    def test_german(self, client: TestClient) -> None:
        answer = client.get(
            f"{URL}&quantiles=0.1&organization=NORD&to=2026-11&format=csv&sep=;&decimal=,&bom=true"
        )
        assert (
            answer.content
            == (
                "\ufeffrun;origin;level;organization;customer;material;month;unit;mean;p10\n"
                '2026-10-aaaa;2026-10;organization,customer,material;NORD;"K,""9""";\'=SUM(A1);2026-11;t;1,0;0,5\n'
                "2026-10-aaaa;2026-10;organization,customer,material;NORD;K-104;HEB 200;2026-11;t;10,0;5,0\n"
            ).encode()
        )

    def test_wide(self, client: TestClient) -> None:
        answer = client.get(
            "/v1/forecasts?level=customer&customer=K-7&quantiles=0.5,0.1&format=csv&shape=wide"
        )
        assert answer.text == (
            "run,origin,level,organization,customer,material,unit,measure,2026-11,2026-12\n"
            "2026-10-aaaa,2026-10,customer,,K-7,,t,mean,1000.0,2000.0\n"
            "2026-10-aaaa,2026-10,customer,,K-7,,t,p50,1000.0,2000.0\n"
            "2026-10-aaaa,2026-10,customer,,K-7,,t,p10,500.0,1000.0\n"
        )

    def test_sorted_by_size(self, client: TestClient) -> None:
        for shape, rows in (("long", 2), ("wide", 4)):
            answer = client.get(f"{URL}&format=csv&sort=-mean&shape={shape}")
            means = [row["material"] for row in csv.DictReader(io.StringIO(answer.text))][::rows]
            assert means == ["Blech", "HEB 200", "HEB 200", "'=SUM(A1)"]

    @pytest.mark.parametrize("options", ["", "&sep=;", "&sep=;&decimal=,&bom=true"])
    def test_read_by_others(self, client: TestClient, tmp_path: Path, options: str) -> None:
        file = tmp_path / "forecasts.csv"
        file.write_bytes(client.get(f"{URL}&format=csv{options}").content)
        sep, decimal = (";" if "sep" in options else ","), ("," if "decimal" in options else ".")
        by_pandas = pd.read_csv(file, sep=sep, decimal=decimal, encoding="utf-8-sig")
        by_polars = pl.read_csv(file, separator=sep, decimal_comma=decimal == ",")
        by_duckdb = duckdb.sql(f"from read_csv('{file}', delim='{sep}', decimal_separator='{decimal}')").pl()
        for mean in (by_pandas["mean"].tolist(), by_polars["mean"].to_list(), by_duckdb["mean"].to_list()):
            assert mean == [row[4] for row in ROWS]
        for p10 in (by_pandas["p10"].tolist(), by_polars["p10"].to_list(), by_duckdb["p10"].to_list()):
            assert p10 == [row[5] for row in ROWS]
        assert by_pandas["run"].tolist() == by_polars["run"].to_list() == by_duckdb["run"].to_list()

    @soffice
    def test_read_by_libreoffice(self, client: TestClient, tmp_path: Path) -> None:
        file = tmp_path / "forecasts.csv"
        file.write_bytes(client.get(f"{URL}&format=csv").content)
        # Separator, quote and UTF-8, with formulas run: https://wiki.documentfoundation.org/Documentation
        rows = converted(file, "--infilter=CSV:44,34,76,1,,0,false,true,false,false,false,0,true")
        assert [float(row[8]) for row in rows[1:]] == [row[4] for row in ROWS]
        assert rows[1][5] == "'=SUM(A1)"


@pytest.mark.usefixtures("published")
class TestParquet:
    def test_columns_are_typed_and_names_are_as_stored(self, client: TestClient, tmp_path: Path) -> None:
        answer = client.get(f"{URL}&format=parquet")
        assert answer.headers["content-type"] == "application/vnd.apache.parquet"
        assert "forecasts-2026-10-aaaa-organization-customer-material.parquet" in str(answer.headers)
        file = tmp_path / "forecasts.parquet"
        file.write_bytes(answer.content)
        table = pl.read_parquet(file)
        assert table.schema == {
            **dict.fromkeys(("run",), pl.String), "origin": pl.Date, "level": pl.String,
            **dict.fromkeys(NAMES, pl.String), "month": pl.Date, "unit": pl.String,
            **dict.fromkeys(("mean", "p10", "p50", "p97_5"), pl.Float64),
        }  # fmt: skip
        assert table.select(*NAMES, "month", "mean", "p10", "p50", "p97_5").rows() == ROWS
        assert table.select("run", "origin", "level", "unit").unique().rows() == [
            ("2026-10-aaaa", dt.date(2026, 10, 1), LEVEL, "t")
        ]
        assert duckdb.sql(f"from '{file}'").pl().equals(table)
        assert pd.read_parquet(file)["mean"].tolist() == [row[4] for row in ROWS]

    def test_metadata_names_run_and_unit(self, client: TestClient) -> None:
        answer = client.get("/v1/forecasts?level=customer&format=parquet")
        metadata = pq.ParquetFile(io.BytesIO(answer.content)).metadata.metadata
        assert (metadata[b"run"], metadata[b"unit"], metadata[b"level"]) == (
            b"2026-10-aaaa",
            b"t",
            b"customer",
        )
        assert pl.read_parquet(answer.content)["material"].to_list() == [None] * 6

    def test_wide(self, client: TestClient) -> None:
        table = pl.read_parquet(client.get(f"{URL}&quantiles=0.975&format=parquet&shape=wide").content)
        assert table.filter(pl.col("measure") == "p97_5")["2026-12"].to_list() == [4.0, 40.0, 400.0, 4000.0]
        assert table["measure"].to_list() == ["mean", "p97_5"] * 4


@pytest.mark.usefixtures("published")
class TestExcel:
    def book(self, client: TestClient, question: str = URL) -> Any:
        answer = client.get(f"{question}&format=xlsx")
        assert answer.headers["content-disposition"].endswith('.xlsx"')
        return openpyxl.load_workbook(io.BytesIO(answer.content))

    def test_dates_numbers_and_text(self, client: TestClient) -> None:
        sheet = self.book(client)["Forecasts"]
        header, *rows = sheet.iter_rows()
        assert [cell.value for cell in header][3:] == [*NAMES, "month", "unit", "mean", "p10", "p50", "p97_5"]
        assert [(*(cell.value for cell in row[3:6]), row[6].value.date(), *(cell.value for cell in row[8:]))
                for row in rows] == ROWS  # fmt: skip
        assert {cell.data_type for row in rows for cell in row[8:]} == {"n"}
        assert {row[6].data_type for row in rows} == {row[1].data_type for row in rows} == {"d"}

    def test_formulas_are_text_also_when_edited(self, client: TestClient) -> None:
        cell = self.book(client)["Forecasts"]["F2"]
        assert (cell.value, cell.data_type, cell.quotePrefix) == ("=SUM(A1)", "s", True)

    def test_header_is_frozen_and_columns_are_wide_enough(self, client: TestClient) -> None:
        sheet = self.book(client)["Forecasts"]
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref == "A1:L9"
        assert sheet.column_dimensions["A"].width >= len("2026-10-aaaa")

    def test_notes(self, client: TestClient) -> None:
        question = "/v1/forecasts?level=customer&customer=K-7&customer=K-104&quantiles=0.1"
        notes = {row[0].value: row[1].value for row in self.book(client, question)["Notes"].iter_rows()}
        assert notes["run"] == "2026-10-aaaa"
        assert (notes["unit"], notes["level"]) == ("t", "customer")
        assert notes["filters"] == "customer is K-104 or K-7"
        assert notes["origin"].startswith("2026-10")
        assert notes["quantile"].startswith("p10: ")

    def test_wide_has_a_date_for_each_month(self, client: TestClient) -> None:
        sheet = self.book(client, f"{URL}&quantiles=0.5&shape=wide")["Forecasts"]
        header, *rows = sheet.iter_rows(values_only=True)
        assert header[7] == "measure"
        assert [month.date() for month in header[8:]] == [dt.date(2026, 11, 1), dt.date(2026, 12, 1)]
        assert [row[7:] for row in rows][-2:] == [("mean", 1000, 2000), ("p50", 1000, 2000)]

    @soffice
    def test_read_by_libreoffice(self, client: TestClient, tmp_path: Path) -> None:
        file = tmp_path / "forecasts.xlsx"
        file.write_bytes(client.get(f"{URL}&format=xlsx").content)
        _, *rows = converted(file)
        assert sum(float(row[8].replace(",", "")) for row in rows) == TOTAL
        assert rows[0][5:8] == ["=SUM(A1)", "2026-11", "t"]

    def test_more_rows_than_a_sheet_holds(self, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("app.export.excel.MOST_ROWS", 7)
        answer = client.get(f"{URL}&format=xlsx")
        assert (answer.status_code, answer.json()["field"]) == (422, "format")
        assert "csv or parquet" in answer.json()["remedy"]
        assert client.get(f"{URL}&organization=NORD&format=xlsx").status_code == 200
        assert MOST_ROWS == 2**20 - 1


@pytest.mark.usefixtures("published")
class TestAllKinds:
    @pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
    def test_same_bytes_twice_a_tag_and_a_note_in_the_trail(
        self, client: TestClient, engine: Engine, kind: Kind
    ) -> None:
        question = f"/v1/forecasts?level=organization&format={kind}"
        one, two = client.get(question), client.get(question)
        assert one.content == two.content
        again = client.get(question, headers={"If-None-Match": one.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        by_header = client.get(
            "/v1/forecasts?level=organization", headers={"Accept": one.headers["content-type"]}
        )
        assert by_header.content == one.content
        assert client.app.state.trail.settle(30)  # type: ignore[attr-defined]  # it is our application
        with engine.connect() as connection:
            subjects = [link.entry.subject for link in read_links(connection, 100)]
        assert question in subjects

    @pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
    def test_pages(self, client: TestClient, kind: str) -> None:
        for sort in ("nodes", "-mean"):
            answer = client.get(f"{URL}&format={kind}&limit=3&sort={sort}")
            numbers, pages = table_of(kind, answer.content)["mean"].to_list(), 1
            while "link" in answer.headers:
                answer = client.get(answer.links["next"]["url"])
                numbers += table_of(kind, answer.content)["mean"].to_list()
                pages += 1
            means = [row[4] for row in ROWS]
            order = [6, 7, 4, 5, 2, 3, 0, 1] if sort == "-mean" else range(8)
            assert (numbers, pages) == ([means[at] for at in order], 2)

    @pytest.mark.parametrize("shape", ["long", "wide"])
    @pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
    def test_a_page_of_no_node_is_the_names_of_its_columns(
        self, client: TestClient, kind: str, shape: str
    ) -> None:
        question = f"format={kind}&shape={shape}"
        empty = client.get(f"{URL}&search=zzz&limit=3&{question}")
        assert (empty.status_code, "link" in empty.headers) == (200, False)
        table = table_of(kind, empty.content)
        full = table_of(kind, client.get(f"{URL}&limit=3&{question}").content)
        assert (table.height, table.columns) == (0, full.columns)

    @pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
    def test_scoped_callers_get_their_own(self, engine: Engine, key_of: KeyOf, kind: str) -> None:
        with TestClient(create_app(engine), headers=bearer(key_of(engine, "viewer", ["NORD"]))) as client:
            assert client.get(f"/v1/forecasts?level=customer&format={kind}").status_code == 403
            answer = client.get(f"{URL}&format={kind}")
            table = table_of(kind, answer.content)
        assert table["organization"].unique().to_list() == ["NORD"]
        assert table["mean"].sum() == 33

    @pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
    def test_slices_make_one_file(self, engine: Engine, monkeypatch: pytest.MonkeyPatch, kind: Kind) -> None:
        with reading(engine) as reader:
            selection = select_from(reader.current_run(), level=LEVEL, where={})
            form = form_of(kind)
            assert form is not None
            whole = b"".join(forecast_file(reader, selection, form).pieces)
            monkeypatch.setattr("app.export.files._NUMBERS_AT_ONCE", {kind: 1})
            parts = b"".join(forecast_file(reader, selection, form).pieces)
        if kind == "parquet":
            assert pl.read_parquet(parts).equals(pl.read_parquet(whole))
        else:
            assert parts == whole

    @pytest.mark.parametrize(
        ("query", "field", "said"),
        [
            ("shape=wide", "shape", "leave shape out"),
            ("sep=;", "sep", "ask for csv"),
            ("format=json&decimal=,", "decimal", "ask for csv"),
            ("format=parquet&bom=false", "bom", "ask for csv"),
            ("format=xlsx&sep=,", "sep", "ask for csv"),
            ("format=csv&decimal=,", "decimal", "ask for sep=; too"),
            ("format=csv&sep=|", "sep", ""),
            ("format=csv&shape=square", "shape", ""),
            ("format=xls", "format", ""),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, client: TestClient, query: str, field: str, said: str
    ) -> None:
        answer = client.get(f"/v1/forecasts?{query}")
        assert (answer.status_code, answer.json()["field"]) == (422, field)
        assert said in answer.json()["remedy"]
