"""PostgreSQL for real: the SQL as golden files, exact reads, and what each failure is told."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from forecasting.months import Month
from ingestion.errors import (
    BadSourceConfig,
    IngestionError,
    QueryFailed,
    SourceRefused,
    SourceUnreachable,
    UnknownColumn,
)
from ingestion.fingerprint import is_later
from ingestion.order_line import RAW_LINES, SLICED_LINES
from ingestion.source_config import SourceConfig, Table
from ingestion.sources.patience import Patience
from ingestion.sources.postgres import PostgresSource
from ingestion.sources.postgres_sql import (
    fingerprint_sql,
    probe_sql,
    pull_sql,
    select_sql,
    sums_sql,
    table_sql,
)

OCTOBER = Month(2026, 10)
GOLDEN = Path(__file__).parent / "golden"
RENAMED = {
    "line": "id",
    "organization": 'the "plant"',
    "customer": "Customer No",
    "material": "item;--",
    "date": "wanted",
    "quantity": "qty",
}

type Source = Callable[..., SourceConfig]
type Load = Callable[[str, pl.DataFrame], None]
type Raw = Callable[..., pl.DataFrame]
type RunSql = Callable[..., None]


AT_ONCE = Patience(pauses=())


def pulled(config: SourceConfig, month: Month = OCTOBER) -> pl.DataFrame:
    """The raw lines up to a month, after checking that the source's own count of each slice is right."""
    with PostgresSource(config, patience=AT_ONCE).view() as view:
        counts = view.fingerprints()
        wanted = [name for name in sorted(counts) if not is_later(name, month, exact=view.exact_slices)]
        lines = pl.concat([SLICED_LINES.to_frame(), *(each.table for each in view.lines(wanted))])
    assert dict(lines.group_by("slice").len().iter_rows()) == {name: counts[name].lines for name in wanted}
    return lines.sort("line").drop("slice")


class TestSql:
    def check(self, name: str, sql: str) -> None:
        assert sql + "\n" == (GOLDEN / f"{name}.sql").read_text()

    def test_all_of_a_table(self, source: Source) -> None:
        self.check("postgres_table", select_sql(source(table='sales.order "lines"')))

    def test_query_with_odd_names_and_a_constant_unit(self, source: Source) -> None:
        config = source(query="select * -- all of it\nfrom t -- the end;", columns=RENAMED, unit="kg")
        slices = ["2026-10", "2026-12", "2026-11", "", "2026-01", "0044-03"]
        self.check("postgres_query", pull_sql(config, slices, dated=True))

    def test_dates_kept_as_text(self, source: Source) -> None:
        self.check("postgres_text_dates", pull_sql(source(), ["2026-10", "2026103", ""], dated=False))

    def test_fingerprint(self, source: Source) -> None:
        kinds = dict.fromkeys(RAW_LINES, "text") | {"quantity": "numeric", "line": "int8", "unit": "json"}
        self.check("postgres_fingerprint", fingerprint_sql(source(), kinds, dated=True))

    def test_fingerprint_of_text_dates(self, source: Source) -> None:
        sql = fingerprint_sql(source(), dict.fromkeys(RAW_LINES, "text"), dated=False)
        self.check("postgres_fingerprint_text", sql)

    def test_sums(self, source: Source) -> None:
        factors = {"kg": Decimal(1), "short 'ton'": Decimal("907.18474")}
        sql = sums_sql(source(), {"quantity": "numeric"}, ["2026-10"], factors, dated=True)
        self.check("postgres_sums", sql)

    def test_sums_of_text_in_one_unit(self, source: Source) -> None:
        columns = {field: field for field in RAW_LINES if field != "unit"}
        config = source(columns=columns, unit="lb")
        sql = sums_sql(config, {"quantity": "text"}, [""], {None: Decimal("0.45359237")}, dated=True)
        self.check("postgres_sums_text", sql)

    def test_probe(self, source: Source) -> None:
        self.check("postgres_probe", probe_sql(source(query="select 1 as a;").relation))

    def test_master_data(self) -> None:
        sql = table_sql(Table(("erp", "customers")), {"customer": "no", "segment": "seg;--"})
        self.check("postgres_master", sql)


class TestReading:
    def test_every_type_arrives_as_it_is_written(self, source: Source, postgres_url: str) -> None:
        query = """
            select 17::int8 as line, 'NORD'::char(6) as organization, 'K-104'::varchar(9) as customer,
                'HEB 200 "S355"; 鋼' as material, timestamp '2026-10-31 23:59:59' as date,
                12345678901234.000000001::numeric as quantity, 'kg' as unit, true as status
            union all
            select 18, null, '', 'x', null, 'NaN', null, null
        """
        result = pulled(source(postgres_url, query=query))
        assert dict(result.schema) == dict(RAW_LINES)
        assert result.rows() == [
            ("17", "NORD", "K-104", 'HEB 200 "S355"; 鋼', "2026-10-31 23:59:59",
             "12345678901234.000000001", "kg", "true"),
            ("18", None, "", "x", None, "NaN", None, None),
        ]  # fmt: skip

    def test_the_month_cuts_off_and_a_missing_date_comes_along(
        self, source: Source, postgres_url: str
    ) -> None:
        days = ["2026-09-30", "2026-10-31", "2026-11-01", "infinity", "-infinity"]
        values = ", ".join(f"('{day}', '{day}'::date)" for day in days)
        rows = f"(values {values}, ('none', null)) as t (line, date)"
        query = f"select 'N' as organization, 'K' as customer, 'M' as material, 1 as quantity, * from {rows}"
        columns = {field: field for field in RAW_LINES if field not in {"unit", "status"}}
        result = pulled(source(postgres_url, query=query, columns=columns, unit="kg"))
        assert result["line"].to_list() == ["-infinity", "2026-09-30", "2026-10-31", "none"]
        assert result["date"].to_list() == ["-infinity", "2026-09-30", "2026-10-31", None]
        assert result["unit"].to_list() == ["kg"] * 4
        assert result["status"].to_list() == [None] * 4

    @pytest.mark.parametrize(("extra", "unit"), [("", "kg"), (", 't' as kg", "t")])
    def test_a_unit_mapped_to_no_column_is_that_of_all_lines(
        self, source: Source, postgres_url: str, extra: str, unit: str
    ) -> None:
        query = (
            "select '1' as line, 'N' as organization, 'K' as customer, 'M' as material, 1 as quantity, "
            f"date '2026-10-01' as date{extra}"
        )
        columns = {field: field for field in RAW_LINES if field not in {"unit", "status"}} | {"unit": "kg"}
        assert pulled(source(postgres_url, query=query, columns=columns))["unit"].to_list() == [unit]

    @pytest.mark.parametrize(
        ("zone", "written", "slices"),
        [
            ("UTC", "2026-10-31 22:30:00+00", ["2026-10"]),
            ("Europe/Berlin", "2026-10-31 23:30:00+01", ["2026-10"]),
            ("Asia/Tokyo", "2026-11-01 07:30:00+09", ["2026-11"]),
        ],
    )
    def test_times_with_a_zone_are_dated_in_that_of_the_source(
        self, source: Source, postgres_url: str, zone: str, written: str, slices: list[str]
    ) -> None:
        query = (
            "select '1' as line, 'N' as organization, 'K' as customer, 'M' as material, 1 as quantity, "
            "'kg' as unit, '' as status, timestamptz '2026-11-01 00:30+02' as date"
        )
        config = replace(source(postgres_url, query=query), time_zone=zone)
        with PostgresSource(config).view() as view:
            assert list(view.fingerprints()) == slices
            (batch,) = view.lines(slices)
            assert batch.table["date"].to_list() == [written]

    def test_dates_kept_as_text_all_come(
        self, source: Source, postgres_url: str, load: Load, raw: Raw
    ) -> None:
        lines = raw({"date": "20261001"}, {"date": "31.12.2026"}, {"date": None}, {"date": " 2026-10-01"})
        load("text dates", lines)
        assert pulled(source(postgres_url, table="text dates")).equals(lines)

    def test_many_rows_come_in_batches(self, source: Source, postgres_url: str) -> None:
        query = (
            "select n as line, 'N' as organization, repeat('K', 200) as customer, 'M' as material, "
            "date '2026-10-01' as date, n as quantity, 'kg' as unit, '' as status "
            "from generate_series(1, 400000) as n"
        )
        with PostgresSource(source(postgres_url, query=query)).view() as view:
            batches = [each.table for each in view.lines(["2026-10"])]
        assert len(batches) > 1
        assert pl.concat(batches)["quantity"].cast(pl.Int64).sum() == 400_000 * 400_001 // 2

    def test_what_ends_a_field_may_be_in_a_field(
        self, source: Source, postgres_url: str, load: Load, raw: Raw
    ) -> None:
        """Lines arrive with several fields in one text, and are told apart all the same."""
        odd = ["\x1f", "\x1e", "A\x1fB", "\x1e\x1f", "", None, "A"]
        rows = [
            {"organization": odd[first], "customer": odd[second], "status": odd[(first + second) % 7]}
            for first in range(7)
            for second in range(7)
        ]
        lines = raw(*rows, {"unit": None, "status": "\x1f"}).sort("line")
        load("odd fields", lines)
        assert pulled(source(postgres_url, table="odd fields")).equals(lines)

    def test_days_far_away_arrive_as_they_are_written(self, source: Source, postgres_url: str) -> None:
        days = ["0001-01-01", "0044-03-15 BC", "9999-12-31", "10000-01-01", "infinity", "-infinity", None]
        told = ", ".join(f"('{n}', {f"'{day}'" if day else 'null'}::date)" for n, day in enumerate(days))
        query = (
            "select line, 'N' as organization, 'K' as customer, 'M' as material, date, 1 as quantity, "
            f"'kg' as unit, '' as status from (values {told}) as t (line, date)"
        )
        with PostgresSource(source(postgres_url, query=query)).view() as view:
            everything = pl.concat(each.table for each in view.lines(None)).sort("line")
            counted = {name: each.lines for name, each in view.fingerprints().items()}
        assert everything["date"].to_list() == days
        assert dict(everything.group_by("slice").len().iter_rows()) == counted

    def test_the_account_is_the_fingerprints_and_the_sums(
        self, source: Source, postgres_url: str, load: Load, raw: Raw
    ) -> None:
        lines = raw({}, {"unit": "t", "quantity": "1.5"}, {"quantity": "no"}, {"unit": "pcs"}, {"date": None})
        load("account", lines)
        factors = {"kg": Decimal(1), "t": Decimal(1000)}
        with PostgresSource(source(postgres_url, table="account")).view() as view:
            seen = view.fingerprints()
            assert view.account(factors) == (seen, view.sums(list(seen), factors))
            assert view.account(factors)[1] == {"2026-10": 14_000, "": 12_500}
            assert view.account({}) == (seen, {"2026-10": 0, "": 0})

    def test_the_source_cannot_be_written(self, source: Source, postgres_url: str, run_sql: RunSql) -> None:
        run_sql("drop sequence if exists counter", "create sequence counter")
        query = (
            "select nextval('counter') as line, 'N' as organization, 'K' as customer, 'M' as material, "
            "date '2026-10-01' as date, 1 as quantity, 'kg' as unit, '' as status"
        )
        with pytest.raises(QueryFailed) as caught:
            pulled(source(postgres_url, query=query))
        assert caught.value.detail == "cannot execute nextval() in a read-only transaction"


class TestFailures:
    def failure(self, config: SourceConfig, kind: type[IngestionError]) -> IngestionError:
        with pytest.raises(kind) as caught:
            pulled(config)
        assert type(caught.value) is kind
        assert len(str(caught.value).splitlines()) <= 2
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        return caught.value

    @pytest.mark.parametrize(
        ("url", "detail"),
        [
            ("postgresql://reader:secret@127.0.0.1:1/erp", "Connection refused"),
            ("postgresql+psycopg2://reader:secret@/erp?host=/nowhere/at/all", "No such file or directory"),
        ],
    )
    def test_nothing_answers(self, source: Source, url: str, detail: str) -> None:
        error = self.failure(source(url), SourceUnreachable)
        assert isinstance(error, SourceUnreachable)
        assert detail in error.detail
        assert (error.source, error.variable) == ("erp", "ERP_URL")
        assert error.address in {"127.0.0.1:1/erp", "/nowhere/at/all/erp"}
        assert "secret" not in str(error)

    def test_a_wrong_password(self, source: Source, guarded_url: Callable[[str], str]) -> None:
        error = self.failure(source(guarded_url("wr%40ng-secret")), SourceRefused)
        assert isinstance(error, SourceRefused)
        assert error.detail == 'password authentication failed for user "guarded"'
        assert "ng-secret" not in str(error) and "check user, password and database in ERP_URL" in str(error)

    def test_no_password(self, source: Source, guarded_url: Callable[[str], str]) -> None:
        error = self.failure(source(guarded_url("")), SourceRefused)
        assert "no password supplied" in str(error)

    def test_the_right_password(self, source: Source, guarded_url: Callable[[str], str]) -> None:
        query = "select " + ", ".join(f"'' as {field}" for field in RAW_LINES)
        assert pulled(source(guarded_url("right%40secret"), query=query)).height == 1

    def test_another_database(self, source: Source, postgres_url: str) -> None:
        error = self.failure(source(re.sub(r"/test_\w+", "/missing", postgres_url)), SourceRefused)
        assert isinstance(error, SourceRefused)
        assert error.detail == 'database "missing" does not exist'

    def test_a_password_is_never_repeated(self, source: Source) -> None:
        # The host holds the password, so the driver's own message does too.
        error = self.failure(source("postgresql://u:hunter@hunter.invalid/d"), SourceUnreachable)
        assert isinstance(error, SourceUnreachable)
        assert "hunter" not in error.detail

    @pytest.mark.parametrize(
        ("query", "detail"),
        [
            ("select * from nowhere", 'relation "nowhere" does not exist'),
            ("select * form lines", 'syntax error at or near "form"'),
            ("select 1; drop table x", 'syntax error at or near ";"'),
        ],
    )
    def test_a_query_that_fails(self, source: Source, postgres_url: str, query: str, detail: str) -> None:
        error = self.failure(source(postgres_url, query=query), QueryFailed)
        assert isinstance(error, QueryFailed)
        assert (error.source, error.detail) == ("erp", detail)

    def test_a_query_that_fails_half_way(self, source: Source, postgres_url: str) -> None:
        query = (
            "select n as line, 'N' as organization, 'K' as customer, 'M' as material, 'kg' as unit, "
            "date '2026-10-01' as date, 1 / (150000 - n) as quantity, '' as status "
            "from generate_series(1, 400000) as n"
        )
        error = self.failure(source(postgres_url, query=query), QueryFailed)
        assert isinstance(error, QueryFailed)
        assert error.detail == "division by zero"

    def test_a_query_that_takes_too_long(self, source: Source, postgres_url: str) -> None:
        fields = ", ".join(f"'' as {field}" for field in RAW_LINES)
        config = source(postgres_url, query=f"select {fields} from pg_sleep(20)")
        reader = PostgresSource(config, statement_timeout=timedelta(milliseconds=100))
        with pytest.raises(QueryFailed, match="statement timeout"), reader.view() as view:
            view.fingerprints()

    def test_a_column_that_is_not_there(
        self, source: Source, postgres_url: str, load: Load, raw: Raw
    ) -> None:
        load("order_lines", raw({}))
        columns = dict(zip(RAW_LINES, RAW_LINES, strict=True)) | {"quantity": "qty"}
        error = self.failure(source(postgres_url, columns=columns), UnknownColumn)
        assert isinstance(error, UnknownColumn) and isinstance(error, BadSourceConfig)
        assert (error.field, error.column, error.available) == ("quantity", "qty", tuple(RAW_LINES))
        assert str(error) == (
            "[sources.erp.columns] quantity: the source has no column 'qty'; it has "
            "line, organization, customer, material, date, quantity, unit, status"
        )
