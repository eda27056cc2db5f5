"""File to file on real data: every node, coherent, non-negative, ordered."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from forecasting.hierarchy import parse_level
from retrain.recipes import default_recipe
from tonnage.file_forecast import FileForecast, forecast_file
from tonnage.history_file import HistoryColumns

TOURISM = "total;state;zone;region;purpose;state,purpose;zone,purpose;region,purpose"


def answer(history: Path, keys: tuple[str, ...], levels: str, output: Path) -> pl.DataFrame:
    columns = HistoryColumns(keys, "ds", "y")
    asked = tuple(map(parse_level, levels.split(";")))
    question = FileForecast(history, columns, asked, 12, (0.1, 0.5, 0.9), default_recipe())
    forecast_file(question, output, lambda stage: None)
    return (
        pl.read_csv(output, infer_schema_length=None) if output.suffix == ".csv" else pl.read_parquet(output)
    )


@pytest.mark.parametrize(
    ("folder", "keys", "levels", "nodes"),
    [
        ("hospital/monthly.parquet", ("unique_id",), "total;unique_id", {"total": 1, "unique_id": 767}),
        (
            "tourism_large/bottom.parquet",
            ("state", "zone", "region", "purpose"),
            TOURISM,
            dict(zip(TOURISM.split(";"), (1, 7, 27, 76, 4, 28, 108, 304), strict=True)),
        ),
    ],
)
def test_every_node_twelve_months_coherent(
    shared_data: Path, tmp_path: Path, folder: str, keys: tuple[str, ...], levels: str, nodes: dict[str, int]
) -> None:
    table = answer(shared_data / folder, keys, levels, tmp_path / "out.parquet")
    assert table.columns == ["level", *keys, "month", "mean", "p10", "p50", "p90", "fallback"]
    counts = dict(table.group_by("level").agg(pl.len()).iter_rows())
    assert counts == {level: 12 * count for level, count in nodes.items()}
    numbers = table.select("mean", "p10", "p50", "p90").to_numpy()
    assert np.isfinite(numbers).all()
    assert (numbers >= 0).all()
    assert (np.diff(numbers[:, 1:], axis=1) >= 0).all()
    total = table.filter(level="total").sort("month")["mean"].to_numpy()
    for level in nodes:
        summed = table.filter(level=level).group_by("month").agg(pl.col("mean").sum()).sort("month")
        np.testing.assert_allclose(summed["mean"].to_numpy(), total, rtol=1e-9)


def test_csv_and_parquet_hold_the_same_numbers(shared_data: Path, tmp_path: Path) -> None:
    history = shared_data / "hospital" / "monthly.parquet"
    as_csv = answer(history, ("unique_id",), "total;unique_id", tmp_path / "out.csv")
    as_parquet = answer(history, ("unique_id",), "total;unique_id", tmp_path / "out.parquet")
    assert as_csv.equals(as_parquet)


def test_a_level_that_was_not_asked_for_stays_out(shared_data: Path, tmp_path: Path) -> None:
    table = answer(shared_data / "hospital" / "monthly.parquet", ("unique_id",), "total", tmp_path / "o.csv")
    assert table["level"].unique().to_list() == ["total"]
    assert table["unique_id"].null_count() == 12
