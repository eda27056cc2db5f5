"""`tonnage forecast` from file to file at seven levels, beside AutoETS on the leaves alone or a named limit.

    python benchmarks/file_to_file.py [--leaves 10000] [--share 0.2]
    python benchmarks/file_to_file.py --share 1
    python benchmarks/file_to_file.py --leaves 100000
    python benchmarks/file_to_file.py --leaves 1000000

Ours is the whole command in a process of its own: Python's start, reading, fitting, reconciling,
quantiles, writing. Up to 10,000 leaves AutoETS runs in the same run with n_jobs=2 on 200 of the same leaves;
its time for all of them is that times leaves by sample. Both run three times in turn, and the medians count.
Beyond, AutoETS would take hours, and limits of time and memory stand in its place. Leaves have orders in
`--share` to all of their months; AutoETS takes two or three times as long where every month has one.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import polars as pl
from statsforecast import StatsForecast
from statsforecast.models import AutoETS

from forecasting.months import Month, months_from

MONTHS = 60
SAMPLE = 200
MOST_FOR_RIVAL = 10_000
# Seconds and GiB, on two cores.
LIMITS = {100_000: (240, 8), 1_000_000: (1_800, 20)}
KEYS = ["organization", "customer", "material"]
LEVELS = "total;organization;customer;material;organization,customer;organization,material;" + ",".join(KEYS)


def write_history(leaves: int, share: float, path: Path) -> pl.DataFrame:
    """Simulated demand: seasons, gamma noise, `share` to all months with orders; the first leaves' rows."""
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
    orders = random.random((count, MONTHS)) < random.uniform(share, 1, (count, 1))
    tonnes = random.lognormal(2, 1, (count, 1)) * season * random.gamma(4, 0.25, (count, MONTHS)) * orders
    named = pairs.select(
        pl.format("O{}", pl.col("customer") % 4).alias("organization"),
        pl.format("C{}", "customer").alias("customer"),
        pl.format("M{}", "material").alias("material"),
    )
    months = [str(month) for month in months_from(Month(2021, 11), MONTHS)]
    table = named[np.repeat(np.arange(count), MONTHS)].with_columns(
        pl.Series("month", months)[np.tile(np.arange(MONTHS), count)],
        pl.Series("quantity", tonnes.round(3).ravel()),
    )
    table.write_parquet(path)
    return pl.read_parquet(path, n_rows=SAMPLE * MONTHS)


def ours(history: Path, output: Path) -> float:
    command = [sys.executable, "-m", "tonnage", "forecast", str(history), "--keys", ",".join(KEYS)]
    started = time.perf_counter()
    subprocess.run([*command, "--levels", LEVELS, "--output", str(output)], check=True, capture_output=True)
    return time.perf_counter() - started


def auto_ets(sample: pl.DataFrame, leaves: int) -> float:
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
    parser.add_argument("--share", type=float, default=0.2, help="least share of months with an order")
    asked = parser.parse_args()
    leaves, share = asked.leaves, asked.share
    with tempfile.TemporaryDirectory() as folder:
        history, output = Path(folder) / "history.parquet", Path(folder) / "forecast.parquet"
        write_history(min(leaves, MOST_FOR_RIVAL), share, history)
        ours(history, output)  # compiled, as every run but the first on a machine
        sample = write_history(leaves, share, history)
        times, rival_times = [ours(history, output)], []
        if leaves <= MOST_FOR_RIVAL:
            rival_times = [auto_ets(sample, leaves)]
            for _ in range(2):
                times.append(ours(history, output))
                rival_times.append(auto_ets(sample, leaves))
        seconds = median(times)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        nodes = pl.scan_parquet(output).select(pl.len()).collect().item() // 12
    print(f"{leaves:,} leaves x {MONTHS} months, {nodes:,} nodes x 12 months, file to file")
    print(f"tonnage forecast      {seconds:9.1f} s   {peak:.2f} GiB at most")
    if rival_times:
        rival = median(rival_times)
        print(f"AutoETS on the leaves {rival:9.1f} s   {rival / seconds:.1f} times as long, from {SAMPLE}")
    if leaves in LIMITS:
        most_seconds, most_memory = LIMITS[leaves]
        used = f"{seconds / most_seconds:.2f} / {peak / most_memory:.2f} of it used"
        print(f"limit                 {most_seconds:9.1f} s   {most_memory:.2f} GiB; {used}")


if __name__ == "__main__":
    main()
