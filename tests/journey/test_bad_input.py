"""A user's mistakes at the command line: a short error that helps, exit code 2, nothing half-written."""

import socket
from pathlib import Path
from typing import Any

import polars as pl
import pytest

SOURCE = """
[sources.erp]
url = "env:ERP_URL"
{relation}
{unit}

[sources.erp.columns]
line = "line"
organization = "organization"
customer = "customer"
material = "material"
date = "date"
quantity = "{quantity}"
"""
COLUMNS = "line text, organization text, customer text, material text, date date, quantity text, uom text"


def order_lines(months: int, quantity: str = "5") -> pl.DataFrame:
    days = [f"{2024 + m // 12}-{m % 12 + 1:02d}-10" for m in range(months)]
    rows = [(f"L{m}", "NORD", "K-1", "HEB", day, quantity, "t") for m, day in enumerate(days)]
    return pl.DataFrame(rows, schema=[column.split()[0] for column in COLUMNS.split(", ")], orient="row")


@pytest.fixture
def configure(user: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("ERP_URL", user.engine.url.render_as_string(hide_password=False))

    def write(
        relation: str = 'table = "order_line"', unit: str = 'unit = "t"', quantity: str = "quantity"
    ) -> None:
        config = SOURCE.format(relation=relation, unit=unit, quantity=quantity)
        (user.folder / "tonnage.toml").write_text(config)

    write()
    return write


def refused(user: Any, *arguments: str) -> str:
    """Run, expect exit code 2 and a short error, and that nothing was stored; the error."""
    said = user.run(*arguments)
    assert said.code == 2, said.err
    told = [line for line in said.err.splitlines() if "[info" not in line]
    assert told[0].startswith("error: "), said.err
    assert len(told) <= 6, said.err  # an error names an example for each reason
    assert "Traceback" not in said.err
    stored = [p for p in (user.folder / "home").rglob("*") if p.is_file() and not p.name.startswith(".")]
    assert [p.parent.name for p in stored] in ([], ["refused"])  # what a limit refused can be looked at
    with user.engine.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from run").scalar_one() == 0
    return "\n".join(told)


class TestSource:
    def test_no_configuration(self, user: Any) -> None:
        assert "tonnage.toml: there is no such file; name it by --config" in refused(user, "ingest")

    def test_not_toml(self, user: Any) -> None:
        (user.folder / "tonnage.toml").write_text("[sources\n")
        assert "it cannot be read as TOML" in refused(user, "ingest")

    def test_an_unknown_section(self, user: Any) -> None:
        (user.folder / "tonnage.toml").write_text("[source.erp]\n")
        assert "unknown section [source]" in refused(user, "ingest")

    def test_an_unknown_column(self, user: Any, configure: Any) -> None:
        user.load("order_line", COLUMNS, order_lines(3))
        configure(quantity="tons")
        error = refused(user, "ingest", "--month", "2024-03")
        assert "tons" in error
        assert "quantity" in error

    def test_a_missing_environment_variable(
        self, user: Any, configure: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("ERP_URL")
        assert "ERP_URL" in refused(user, "ingest", "--month", "2024-03")

    def test_an_unreachable_database(
        self, user: Any, configure: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ERP_URL", "postgresql://me:secret@127.0.0.1:1/erp")
        error = refused(user, "ingest", "--month", "2024-03")
        assert "127.0.0.1:1" in error
        assert "secret" not in error

    def test_a_query_that_fails(self, user: Any, configure: Any) -> None:
        configure(relation='query = "select nothing from nowhere"')
        assert "nowhere" in refused(user, "ingest", "--month", "2024-03")

    def test_an_empty_result(self, user: Any, configure: Any) -> None:
        user.load("order_line", COLUMNS, order_lines(3).clear())
        assert "erp" in refused(user, "ingest", "--month", "2024-03")

    def test_text_where_a_number_belongs(self, user: Any, configure: Any) -> None:
        user.load("order_line", COLUMNS, order_lines(3, quantity="five"))
        assert "'five'" in refused(user, "ingest", "--month", "2024-03")
        (kept,) = (user.folder / "home").rglob("refused/*.csv")
        assert pl.read_csv(kept)["value"].unique().to_list() == ["five"]

    def test_an_unknown_unit(self, user: Any, configure: Any) -> None:
        configure(unit='unit = "bundle"')
        user.load("order_line", COLUMNS, order_lines(3))
        assert "bundle" in refused(user, "ingest", "--month", "2024-03")

    def test_a_month_without_lines(self, user: Any, configure: Any) -> None:
        user.load("order_line", COLUMNS, order_lines(3))
        said = user.run("retrain", "--month", "2024-08")
        assert said.code == 2
        assert "2024-03" in said.err

    def test_a_month_of_history_only(self, user: Any, configure: Any) -> None:
        user.load("order_line", COLUMNS, order_lines(1))
        said = user.run("retrain", "--month", "2024-01")
        assert said.code == 2
        assert "history covers 1 month; a forecast needs at least" in said.err
        assert user.service().get("/v1/runs/current").status_code == 404


class TestDatabase:
    def test_unreachable(self, user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TONNAGE_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/tonnage")
        error = refused(user, "export")
        assert "the database does not answer" in error
        assert "secret" not in error

    def test_not_migrated(self, user: Any, new_database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TONNAGE_DATABASE_URL", new_database())
        assert "tonnage migrate" in refused(user, "export")

    def test_nothing_published(self, user: Any) -> None:
        assert "tonnage retrain" in refused(user, "export")


class TestServe:
    def test_a_port_in_use(self, user: Any) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            assert f"port {port} on 127.0.0.1 is in use" in refused(user, "serve", "--port", port)


class TestHistoryFile:
    @pytest.fixture
    def history(self, user: Any) -> Path:
        path: Path = user.folder / "history.csv"
        months = [f"{2024 + m // 12}-{m % 12 + 1:02d}" for m in range(30)]
        path.write_text("customer,month,quantity\n" + "".join(f"K,{month},5\n" for month in months))
        return path

    def forecast(self, user: Any, history: Path, *more: str, keys: str = "customer") -> str:
        error = refused(user, "forecast", str(history), "--keys", keys, "--output", "out.csv", *more)
        assert not (user.folder / "out.csv").exists()
        assert [p.name for p in user.folder.iterdir() if p.name.startswith(".out")] == []
        return error

    def test_a_good_one(self, user: Any, history: Path) -> None:
        said = user.run("forecast", str(history), "--keys", "customer", "--output", "out.csv")
        assert said.code == 0, said.err
        table = pl.read_csv(user.folder / "out.csv")
        assert table.columns == ["level", "customer", "month", "mean", "p10", "p50", "p90", "fallback"]
        assert table.height == 24
        assert table["mean"].to_list() == pytest.approx([5.0] * 24, rel=1e-6)

    def test_not_there(self, user: Any) -> None:
        assert "there is no such file" in self.forecast(user, user.folder / "none.csv")

    def test_not_csv(self, user: Any) -> None:
        path = user.folder / "history.csv"
        path.write_bytes(b"%PDF-1.7\n\xff\xfe\x00")
        assert "history.csv" in self.forecast(user, path)

    def test_no_month(self, user: Any, history: Path) -> None:
        assert "no column 'ds' (name another with --month)" in self.forecast(user, history, "--month", "ds")

    def test_duplicate_keys(self, user: Any, history: Path) -> None:
        assert "named twice" in self.forecast(user, history, keys="customer,customer")

    def test_an_unknown_key_in_a_level(self, user: Any, history: Path) -> None:
        assert "'plant', which is not a key" in self.forecast(user, history, "--levels", "total;plant")

    def test_duplicate_levels(self, user: Any, history: Path) -> None:
        assert "listed twice" in self.forecast(user, history, "--levels", "total;total;customer")

    def test_a_quantile_twice(self, user: Any, history: Path) -> None:
        assert "without repeats" in self.forecast(user, history, "--quantiles", "0.1,0.1")

    def test_quantiles_come_in_the_order_asked_for(self, user: Any, history: Path) -> None:
        asked = ("--quantiles", "0.9,0.1", "--output", "out.csv")
        assert user.run("forecast", str(history), "--keys", "customer", *asked).code == 0
        table = pl.read_csv(user.folder / "out.csv")
        assert table.columns[-4:] == ["mean", "p90", "p10", "fallback"]
        assert (table["p90"] >= table["p10"]).all()

    def test_one_month(self, user: Any) -> None:
        path = user.folder / "history.csv"
        path.write_text("customer,month,quantity\nK,2024-01,5\n")
        assert "history covers 1 month" in self.forecast(user, path)

    def test_an_output_of_unknown_kind(self, user: Any, history: Path) -> None:
        error = refused(user, "forecast", str(history), "--keys", "customer", "--output", "out.xlsx")
        assert "'.xlsx' is neither .csv nor .parquet" in error

    def test_an_output_folder_that_is_not_there(self, user: Any, history: Path) -> None:
        error = refused(user, "forecast", str(history), "--keys", "customer", "--output", "no/out.csv")
        assert "does not exist" in error


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("ingest", "--month", "November"), ("forecast",), ("serve", "--port", "0")],
)
def test_usage_errors(user: Any, arguments: tuple[str, ...]) -> None:
    assert user.run(*arguments).code == 2
