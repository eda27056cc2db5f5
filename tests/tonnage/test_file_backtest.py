"""A history file into a backtest: the table, the JSON, the page and the command."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from forecasting.backtest_report import MEASURES
from forecasting.errors import TooFewOrigins
from forecasting.forecast import Forecast
from forecasting.panel import DemandPanel
from tonnage.cli import DONE, YOUR_MISTAKE, main
from tonnage.errors import BadHistoryFile, BadOutput
from tonnage.file_backtest import FileBacktest, FinishedBacktest, backtest_file
from tonnage.history_file import HistoryColumns
from tonnage.page_parts import percent

KEYS = ("customer", "material")


def last_year(panel: DemandPanel, horizon: int, probabilities: tuple[float, ...]) -> Forecast:
    """Twelve months before, with quantiles around it."""
    mean = panel.nodes()[:, panel.n_months - 12 + np.arange(horizon) % 12]
    quantiles = 2 * np.array(probabilities)[:, None, None] * mean
    return Forecast(panel.hierarchy, panel.origin + 1, mean, probabilities, quantiles)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Forty-eight months of two customers and two materials; one pair begins late, one holds a word."""
    rng = np.random.default_rng(3)
    rows = [
        (customer, material, f"{2022 + month // 12}-{month % 12 + 1:02d}", f"{rng.gamma(4.0, 5.0):.1f}")
        for customer in ("K-1", "<b>K&2</b>")
        for material in ("COIL", "PLATE")
        for month in range(40 if (customer, material) == ("K-1", "PLATE") else 0, 48)
    ]
    rows += [("K-3", "COIL", "2023-01", "7"), ("K-3", "COIL", "2023-02", "lots")]
    path = tmp_path / "history.csv"
    pl.DataFrame(rows, schema=[*KEYS, "month", "quantity"], orient="row").write_csv(path)
    return path


@pytest.fixture
def question(history: Path) -> FileBacktest:
    levels = ((), ("customer",), KEYS)
    return FileBacktest(history, HistoryColumns(KEYS), levels, 2, 6, 12, (0.1, 0.5, 0.9), "last year")


def run(question: FileBacktest, output: Path | None) -> FinishedBacktest:
    return backtest_file(question, last_year, output, lambda stage: None)


def test_a_folder_gets_all_three_and_they_agree(question: FileBacktest, tmp_path: Path) -> None:
    answer = run(question, tmp_path / "out")
    assert [path.name for path in answer.written] == ["backtest.csv", "backtest.json", "backtest.html"]
    table = answer.report.table()
    assert pl.read_csv(answer.written[0], infer_schema_length=None).columns == table.columns
    as_csv = pl.read_csv(answer.written[0], schema_overrides=table.schema)
    assert as_csv.equals(table)
    found = json.loads(answer.written[1].read_text())
    assert pl.DataFrame(found["table"], schema=table.schema).equals(table)
    assert found["origins"] == ["2024-06", "2024-12"]
    assert found["levels"] == ["total", "customer", "customer,material"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        p.name for p in answer.written
    )


def test_a_file_gets_what_its_ending_says(question: FileBacktest, tmp_path: Path) -> None:
    for ending in ("csv", "json", "html"):
        (written,) = run(question, tmp_path / f"answer.{ending}").written
        assert written.read_bytes()
    assert run(question, None).written == ()


def test_a_broken_or_late_series_is_listed_and_the_others_are_scored(question: FileBacktest) -> None:
    left_out = run(question, None).report.left_out
    assert left_out.rows() == [
        ("K-3", "COIL", "broken: row 154 has quantity 'lots'"),
        ("K-1", "PLATE", "too short: begins in 2025-05, after the last origin"),
    ]


def test_stages_name_the_origins(question: FileBacktest) -> None:
    told: list[str] = []
    backtest_file(question, last_year, None, told.append)
    assert told == ["read", "from 2024-06", "from 2024-12", "write"]


def test_a_file_without_a_sound_series_is_refused(question: FileBacktest, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("customer,material,month,quantity\nK-1,COIL,2024-01,many\n")
    with pytest.raises(BadHistoryFile, match="row 1: quantity 'many' is not a number"):
        run(replace(question, history=path), None)


def test_an_output_that_cannot_be_is_refused_before_any_work(question: FileBacktest, tmp_path: Path) -> None:
    nowhere = replace(question, history=tmp_path / "absent.csv")
    for output in ("answer.txt", "no/such/folder", "no/such/answer.csv"):
        with pytest.raises(BadOutput):
            run(nowhere, tmp_path / output)


def test_nothing_is_written_when_history_is_too_short(question: FileBacktest, tmp_path: Path) -> None:
    with pytest.raises(TooFewOrigins, match="4 fit"):
        run(replace(question, origins=6), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def page_of(question: FileBacktest, folder: Path) -> tuple[FinishedBacktest, str]:
    answer = run(question, folder / "page.html")
    return answer, (folder / "page.html").read_text()


def test_the_page_asks_for_nothing_and_runs_nothing(question: FileBacktest, tmp_path: Path) -> None:
    _, page = page_of(question, tmp_path)
    for reference in ("http://", "https://", "<script", "<link", "<img", "src=", "url(", "@import"):
        assert reference not in page
    assert "prefers-color-scheme: dark" in page


def test_the_page_says_the_numbers_of_the_table(question: FileBacktest, tmp_path: Path) -> None:
    answer, page = page_of(question, tmp_path)
    body = page[page.index("By level") : page.index("Error by lead month")]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", body)[1:]]
    expected = answer.report.table().filter(lead="all", origin="all").to_dicts()
    assert len(rows) == len(expected) == 3
    for cells, row in zip(rows, expected, strict=True):
        shown = [re.sub(r"<[^>]+>", "", cell) for cell in cells]
        assert shown == [
            row["level"].replace(",", " × "),
            percent(row["wape"]),
            percent(row["wape"] + row["value_added_seasonal"]),
            f"{row['value_added_seasonal'] * 100:+.1f}",
            f"{row['value_added_last'] * 100:+.1f}",
            percent(row["bias"], signed=True),
            f"{row['mase']:.3f}",
            f"{row['rmsse']:.3f}",
            f"{row['wql']:.4f}",
            percent(row["coverage"]),
        ]
    titles = re.findall(r"<title>lead (\d+): ([\d.]+%)</title>", page)
    by_lead = answer.report.table().filter(pl.col("lead") != "all", origin="all", level="total")
    assert {(row["lead"], percent(row["wape"])) for row in by_lead.to_dicts()} <= set(titles)


def test_names_from_the_file_are_text_on_the_page(question: FileBacktest, tmp_path: Path) -> None:
    _, page = page_of(question, tmp_path)
    assert "<b>K&2</b>" not in page
    assert "&lt;b&gt;K&amp;2&lt;/b&gt;" in page


def test_a_page_of_measures_without_meaning_says_so(question: FileBacktest, tmp_path: Path) -> None:
    path = tmp_path / "nothing.csv"
    months = [f"{2022 + m // 12}-{m % 12 + 1:02d}" for m in range(48)]
    pl.DataFrame({"customer": "K", "material": "COIL", "month": months, "quantity": 0}).write_csv(path)
    answer, page = page_of(replace(question, history=path, probabilities=()), tmp_path)
    assert answer.report.table()[list(MEASURES)].null_count().sum_horizontal().item() == 3 * 13 * 3 * 8
    assert "nan" not in page.lower()
    assert "Coverage by level" not in page
    assert "no demand in any month that was scored" in page


def test_the_same_input_gives_the_same_bytes(question: FileBacktest, tmp_path: Path) -> None:
    answer = run(question, tmp_path / "one")
    shuffled = pl.read_csv(question.history, infer_schema=False).sample(fraction=1.0, shuffle=True, seed=1)
    sound = shuffled.filter(pl.col("customer") != "K-3")  # a broken row is told by its number
    sound.write_csv(question.history)
    again = run(question, tmp_path / "two")
    assert answer.written[0].read_bytes() == again.written[0].read_bytes()


def test_the_command_prints_a_table_and_writes(
    history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "page.html"
    options = ["--keys", "customer,material", "--origins", "2", "--step", "6"]
    assert main(["backtest", str(history), *options, "--output", str(output)]) == DONE
    said = capsys.readouterr().out
    assert "Backtest from 2 origins, 2024-06 to 2024-12, 12 months ahead" in said
    assert "customer,material" in said
    assert "K-3 COIL: broken: row 154 has quantity 'lots'" in said
    assert output.is_file()


def test_the_command_says_how_many_origins_fit(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", str(history), "--keys", "customer,material"]) == YOUR_MISTAKE
    said = capsys.readouterr().err
    assert "history covers 48 months; 5 origins need 73 and 2 fit: ask for fewer or load more history" in said
