"""`tonnage forecast` from file to file at seven levels, beside AutoETS on the leaves alone, in the same run.

    python benchmarks/file_to_file.py [--leaves 10000]

Ours is the whole command in a process of its own: reading, fitting, reconciling, quantiles, writing. AutoETS
runs with n_jobs=2 on a sample of the same leaves; its time for all of them is that times leaves by sample.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from statsforecast import StatsForecast
from statsforecast.models import AutoETS

from forecasting.months import Month, months_from

MONTHS = 60
SAMPLE = 200
KEYS = ["organization", "customer", "material"]
LEVELS = "total;organization;customer;material;organization,customer;organization,material;" + ",".join(KEYS)


def write_history(leaves: int, path: Path) -> pl.DataFrame:
    """Simulated demand: seasons, gamma noise, a fifth to all months with orders."""
    random = np.random.default_rng(1)
    customers, materials = max(50, leaves // 20), max(50, leaves // 50)
    pairs = pl.DataFrame(
        {
            "customer": random.integers(0, customers, 2 * leaves),
            "material": random.integers(0, materials, 2 * leaves),
        }
    )
    pairs = pairs.unique(maintain_order=True).head(leaves)
    count = pairs.height
    shift = random.integers(0, 12, (count, 1))
    season = 1 + 0.3 * np.sin(2 * np.pi * (np.arange(MONTHS) + shift) / 12)
    orders = random.random((count, MONTHS)) < random.uniform(0.2, 1, (count, 1))
    tonnes = random.lognormal(2, 1, (count, 1)) * season * random.gamma(4, 0.25, (count, MONTHS)) * orders
    named = pairs.select(
        pl.format("O{}", pl.col("customer") % 4).alias("organization"),
        pl.format("C{}", "customer").alias("customer"),
        pl.format("M{}", "material").alias("material"),
    )
    months = [str(month) for month in months_from(Month(2021, 11), MONTHS)]
    table = named[np.repeat(np.arange(count), MONTHS)].with_columns(
        pl.Series("month", np.tile(np.array(months), count)),
        pl.Series("quantity", tonnes.round(3).ravel()),
    )
    table.write_parquet(path)
    return table


def ours(history: Path, output: Path) -> float:
    command = [sys.executable, "-m", "tonnage", "forecast", str(history), "--keys", ",".join(KEYS)]
    started = time.perf_counter()
    subprocess.run([*command, "--levels", LEVELS, "--output", str(output)], check=True, capture_output=True)
    return time.perf_counter() - started


def auto_ets(table: pl.DataFrame, leaves: int) -> float:
    sample = table.head(SAMPLE * MONTHS)
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(SAMPLE), MONTHS),
            "ds": pd.to_datetime(sample["month"].to_list()),
            "y": sample["quantity"].to_numpy(),
        }
    )
    forecaster = StatsForecast(models=[AutoETS(season_length=12)], freq="MS", n_jobs=2)
    started = time.perf_counter()
    forecaster.forecast(df=frame, h=12)
    return (time.perf_counter() - started) * leaves / SAMPLE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leaves", type=int, default=10_000)
    leaves = parser.parse_args().leaves
    with tempfile.TemporaryDirectory() as folder:
        history, output = Path(folder) / "history.parquet", Path(folder) / "forecast.parquet"
        table = write_history(leaves, history)
        ours(history, output)  # compiled, as every run but the first on a machine
        seconds = ours(history, output)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        nodes = pl.scan_parquet(output).select(pl.len()).collect().item() // 12
    rival = auto_ets(table, leaves)
    print(f"{leaves:,} leaves x {MONTHS} months, {nodes:,} nodes x 12 months, file to file")
    print(f"tonnage forecast      {seconds:9.1f} s   {peak:.2f} GiB at most")
    print(f"AutoETS on the leaves {rival:9.1f} s   {rival / seconds:.1f} times as long, from {SAMPLE} leaves")


if __name__ == "__main__":
    main()
