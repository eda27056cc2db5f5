"""`--paths` at the command line: what it writes, and what is refused before any work."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tonnage.cli import DONE, YOUR_MISTAKE, main

ASKED = [
    "forecast",
    "history.csv",
    "--keys",
    "customer,material",
    "--horizon",
    "4",
    "--quantiles",
    "0.1,0.5,0.9",
]


@pytest.fixture(autouse=True)
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder with four years of two customers who buy two materials."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(1)
    pl.concat(
        pl.DataFrame(
            {
                "customer": customer,
                "material": material,
                "month": [f"{2022 + month // 12}-{month % 12 + 1:02d}" for month in range(48)],
                "quantity": random.gamma(4.0, 5.0, 48).round(1),
            }
        )
        for customer in ("K1", "K2")
        for material in ("HEB", "IPE")
    ).write_csv("history.csv")


@pytest.mark.parametrize("name", ["paths.parquet", "paths.csv"])
def test_paths_of_all_leaves_add_up_to_the_totals_own_quantiles(name: str) -> None:
    assert main([*ASKED, "--output", "out.csv", "--paths", name, "--path-count", "300"]) == DONE
    paths = pl.read_parquet(name) if name.endswith("parquet") else pl.read_csv(name)
    assert paths.columns == ["path", "customer", "material", "month", "quantity"]
    assert paths.height == 300 * 4 * 4
    assert paths["path"].unique().sort().to_list() == list(range(1, 301))
    assert paths["quantity"].min() >= 0  # type: ignore[operator]  # polars types min() as any scalar
    totals = paths.group_by("path", "month").agg(pl.col("quantity").sum())
    found = totals.group_by("month").agg(pl.col("quantity").quantile(0.9).alias("p90")).sort("month")
    published = pl.read_csv("out.csv").filter(level="total").sort("month")
    assert found["month"].to_list() == published["month"].to_list()
    assert found["p90"].to_list() == pytest.approx(published["p90"].to_list(), rel=0.01)


def test_without_paths_the_forecast_is_the_same() -> None:
    assert main([*ASKED, "--output", "with.csv", "--paths", "paths.csv"]) == DONE
    assert main([*ASKED, "--output", "without.csv"]) == DONE
    assert Path("with.csv").read_bytes() == Path("without.csv").read_bytes()


def test_a_place_that_cannot_be_written_is_refused_before_any_work(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*ASKED, "--output", "out.csv", "--paths", "paths.xlsx"]) == YOUR_MISTAKE
    assert "its ending '.xlsx' is neither .csv nor .parquet" in capsys.readouterr().err
    assert not Path("out.csv").exists()


def test_one_file_cannot_hold_both(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED, "--output", "out.csv", "--paths", "./out.csv"]) == YOUR_MISTAKE
    assert "name two files" in capsys.readouterr().err
    assert not Path("out.csv").exists()


def test_a_key_that_the_answer_needs_for_itself_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    pl.read_csv("history.csv").rename({"customer": "path"}).write_csv("history.csv")
    asked = ["forecast", "history.csv", "--keys", "path,material", "--output", "out.csv"]
    assert main(asked) == YOUR_MISTAKE
    assert "key 'path' is what a column of the answer is called" in capsys.readouterr().err
