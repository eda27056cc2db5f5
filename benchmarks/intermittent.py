"""Accuracy and seconds of the intermittent and global models on public sets, beside published rivals.

Run: python benchmarks/intermittent.py [--back 12] [--threads 2]

The last 12 months are the test. `--back 12` steps a year back, the window on which design and constants
were chosen; the default window was only ever looked at to report.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
import polars as pl

from forecasting.arrays import Bools, Floats
from forecasting.demand_class import DemandClass, classify
from forecasting.models.boosted import Boosted
from forecasting.models.croston import SyntetosBoylan, TeunterSyntetosBabai
from forecasting.models.intermittent import OrdersAndSizes
from forecasting.models.protocol import SeriesBatch
from forecasting.months import Month

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
LEVELS = tuple(round(step / 10, 1) for step in range(1, 10))
HORIZON = 12

# MASE, WQL, seconds: the best known rival of each set, from the data's README.
RIVALS = {
    "carparts": ("LightGBM, one model per quantile and lead", 0.7964, 0.8697, 127.0),
    "hospital": ("TimesFM 2.0", 0.7547, 0.0498, None),
    "adventureworks, products": ("", None, None, None),
    "adventureworks, leaves": ("", None, None, None),
}


@dataclass(frozen=True)
class Case:
    """Training batch, test months of shape (series, 12), and which series are scored."""

    name: str
    past: SeriesBatch
    test: Floats
    scored: Bools


def wide(table: pl.DataFrame, keys: list[str]) -> tuple[Month, Floats]:
    """Series x months from a long table, absent months as NaN; and the first month."""
    known = table.drop_nulls("y")
    summed = known.group_by([*keys, "ds"]).agg(pl.col("y").sum()).sort([*keys, "ds"])
    first, last = (Month.of(day) for day in (summed["ds"].min(), summed["ds"].max()))
    series = summed.select(pl.struct(keys).rank("dense").alias("code"))["code"].to_numpy() - 1
    months = [Month.of(day) - first for day in summed["ds"].to_list()]
    out = np.full((int(series.max()) + 1, last - first + 1), np.nan)
    out[series, months] = summed["y"].to_numpy()
    return first, out


def case(name: str, first: Month, values: Floats, back: int) -> Case:
    values = values[:, : values.shape[1] - back]
    scored = ~np.isnan(values[:, -HORIZON:]).any(axis=1)
    filled = np.nan_to_num(values)
    past = filled[:, :-HORIZON]
    return Case(
        name,
        SeriesBatch(first, past, np.zeros(len(past), dtype=np.int64)),
        filled[:, -HORIZON:],
        scored,
    )


def load(back: int) -> list[Case]:
    cases = []
    for name in ("carparts", "hospital"):
        first, values = wide(pl.read_parquet(DATA / name / "monthly.parquet"), ["unique_id"])
        cases.append(case(name, first, values, back))
    sales = pl.read_parquet(DATA / "adventureworks_reseller" / "monthly.parquet")
    for name, keys in (
        ("products", ["product_id"]),
        ("leaves", ["territory_id", "customer_id", "product_id"]),
    ):
        first, values = wide(sales, keys)
        cases.append(case(f"adventureworks, {name}", first, np.nan_to_num(values), back))
    return cases


def score(case: Case, quantiles: Floats) -> tuple[float, float, float, float]:
    """MASE of the median, WQL over the nine deciles, and the coverage of p10-p90 and below p90."""
    past, test = case.past.values[case.scored], case.test[case.scored]
    quantiles = quantiles[:, case.scored]
    scale = np.abs(past[:, 12:] - past[:, :-12]).mean(axis=1)
    usable = scale > 0
    errors = np.abs(test - quantiles[LEVELS.index(0.5)]).mean(axis=1)
    mase = float((errors[usable] / scale[usable]).mean())
    wql = 0.0
    for level, quantile in zip(LEVELS, quantiles, strict=True):
        miss = test - quantile
        wql += 2 * float(np.maximum(level * miss, (level - 1) * miss).sum())
    below = test <= quantiles[-1]
    inside = float((below & (test >= quantiles[0])).mean())
    return mase, wql / len(LEVELS) / float(np.abs(test).sum()), inside, float(below.mean())


def models(threads: int) -> dict[str, Callable[[SeriesBatch], Floats]]:
    def last_year(past: SeriesBatch) -> Floats:
        return np.repeat(past.values[None, :, -12:], len(LEVELS), axis=0)

    def nothing(past: SeriesBatch) -> Floats:
        return np.zeros((len(LEVELS), len(past.values), HORIZON))

    return {
        "seasonal naive": last_year,
        "zero everywhere": nothing,
        "SBA": lambda past: SyntetosBoylan().fit(past).quantiles(HORIZON, LEVELS),
        "TSB": lambda past: TeunterSyntetosBabai().fit(past).quantiles(HORIZON, LEVELS),
        "OrdersAndSizes": lambda past: OrdersAndSizes().fit(past).quantiles(HORIZON, LEVELS),
        "Boosted": lambda past: Boosted(threads=threads).fit(past).quantiles(HORIZON, LEVELS),
    }


def report(case: Case, threads: int) -> None:
    classes = classify(case.past.values, case.past.born)
    shares = " ".join(f"{kind.name.lower()} {(classes.codes == kind).mean():.0%}" for kind in DemandClass)
    print(f"\n{case.name}: {case.past.values.shape[0]} series x {case.past.n_months} months; {shares}")
    name, mase_rival, wql_rival, seconds_rival = RIVALS[case.name]
    print(
        f"  {'model':16s} {'MASE':>8s} {'WQL':>8s} {'p10-p90':>8s} {'<=p90':>6s} {'s':>7s}  against the rival"
    )
    if name:
        spent = f"{seconds_rival:7.1f}" if seconds_rival else "      -"
        print(f"  {'rival':16s} {mase_rival:8.4f} {wql_rival:8.4f} {'-':>8s} {'-':>6s} {spent}  {name}")
    for model, forecast in models(threads).items():
        started = time.perf_counter()
        quantiles = forecast(case.past)
        seconds = time.perf_counter() - started
        if not (np.isfinite(quantiles).all() and (np.diff(quantiles, axis=0) >= 0).all()):
            raise SystemExit(f"{model} on {case.name}: quantiles with gaps or out of order")
        mase, wql, inside, below = score(case, quantiles)
        ratio = ""
        if name:
            ratio = f"MASE x{mase / mase_rival:.3f} WQL x{wql / wql_rival:.3f}"
        if seconds_rival:
            ratio += f", {seconds_rival / max(seconds, 1e-3):.0f} times faster"
        print(f"  {model:16s} {mase:8.4f} {wql:8.4f} {inside:8.2f} {below:6.2f} {seconds:7.2f}  {ratio}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--back", type=int, default=0, help="months cut off the end")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if not DATA.exists():
        print(f"skipped: no data beside the repository ({DATA.parent.name}/{DATA.name} is absent)")
        return
    numba.set_num_threads(min(options.threads, numba.config.NUMBA_NUM_THREADS))
    cases = load(options.back)
    started = time.perf_counter()
    few = SeriesBatch(cases[0].past.first, cases[0].past.values[:400], cases[0].past.born[:400])
    for forecast in models(options.threads).values():
        forecast(few)
    print(f"compiled, or read from the cache, in {time.perf_counter() - started:.1f} s (once per machine)")
    for each in cases:
        report(each, options.threads)


if __name__ == "__main__":
    main()
