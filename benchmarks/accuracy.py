"""Accuracy of the default recipe on three public sets, beside the best known rivals.

    python benchmarks/accuracy.py [--back 12] [--sets hospital,carparts,tourism]

Protocols and rivals' figures are those of the data's README. `--back 12` steps a year back: design and
constants were chosen on such earlier windows. Each figure is printed with its ratio to the rival's.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from forecasting.arrays import Bools, Floats
from forecasting.forecast import Forecast
from forecasting.forecaster import fit
from forecasting.hierarchy import Hierarchy, Level, level_name
from forecasting.metrics import CRPS_GRID, coverage, grouped_crps, mase, weighted_quantile_loss
from forecasting.months import Month
from forecasting.panel import DemandPanel
from retrain.recipes import default_recipe

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
HORIZON = 12
DECILES = tuple(step / 10 for step in range(1, 10))
GEOGRAPHY = ("state", "zone", "region", "purpose")
TOURISM_LEVELS: tuple[Level, ...] = (
    (),
    ("state",),
    ("zone",),
    ("region",),
    ("purpose",),
    ("state", "purpose"),
    ("zone", "purpose"),
    ("region", "purpose"),
)


@dataclass(frozen=True)
class Measured:
    """One figure beside the rival's and the goal."""

    what: str
    ours: float
    rival: float
    who: str
    goal: float


def wide(name: str, keys: list[str]) -> tuple[pl.DataFrame, Month, Floats]:
    """Keys, first month, and series x months with NaN where there is no value."""
    table = pl.read_parquet(DATA / name).pivot("ds", index=keys, values="y", sort_columns=True)
    days = [column for column in table.columns if column not in keys]
    return table.select(keys), Month.parse(days[0][:7]), table.select(days).to_numpy().astype(float)


def panel_of(keys: pl.DataFrame, levels: tuple[Level, ...], first: Month, values: Floats) -> DemandPanel:
    """A panel over all leaves, its rows in the hierarchy's order."""
    hierarchy = Hierarchy.of(keys.columns, levels, keys)
    order = hierarchy.leaves.join(
        keys.with_row_index("row"), on=keys.columns, how="left", maintain_order="left"
    )
    rows = order["row"].to_numpy()
    return DemandPanel(
        hierarchy, first, np.ascontiguousarray(values[rows]), np.zeros(len(rows), dtype=np.int64)
    )


def flat(name: str, back: int, goals: tuple[float, float], rival: tuple[str, float, float]) -> list[Measured]:
    """MASE of the median and WQL of the leaves, with the last 12 months as the test."""
    keys, first, raw = wide(f"{name}/monthly.parquet", ["unique_id"])
    values = raw[:, : raw.shape[1] - back]
    known: Bools = ~np.isnan(values[:, -HORIZON:]).any(axis=1)
    filled = np.nan_to_num(values)
    past = panel_of(keys, ((), ("unique_id",)), first, filled[:, :-HORIZON])
    whole = panel_of(keys, ((), ("unique_id",)), first, filled)
    scored = known[keys["unique_id"].arg_sort().to_numpy()]
    leaves = past.hierarchy.slices[-1]
    quantiles = fit(default_recipe(), past, HORIZON).forecast(DECILES).quantiles[:, leaves][:, scored]
    actual, history = whole.quantity[scored, -HORIZON:], past.quantity[scored]
    who, best_mase, best_wql = rival
    return [
        Measured(
            f"{name} MASE", float(np.nanmean(mase(actual, quantiles[4], history))), best_mase, who, goals[0]
        ),
        Measured(f"{name} WQL", weighted_quantile_loss(actual, quantiles, DECILES), best_wql, who, goals[1]),
    ]


def tourism(back: int) -> tuple[list[Measured], Table]:
    """CRPS over eight levels at the last origin and over five yearly ones, and coverage by level."""
    keys, first, values = wide("tourism_large/bottom.parquet", list(GEOGRAPHY))
    panel = panel_of(keys, TOURISM_LEVELS, first, values)
    nodes, parts = panel.nodes(), panel.hierarchy.slices
    scores, inside = [], []
    for year in range(5):
        end = panel.n_months - back - HORIZON * (year + 1)
        forecast: Forecast = fit(default_recipe(), panel.until(first + (end - 1)), HORIZON).forecast(
            CRPS_GRID
        )
        actual = nodes[:, end : end + HORIZON]
        scores.append(grouped_crps(actual, forecast.quantiles, parts))
        low, high = forecast.quantiles[CRPS_GRID.index(0.1)], forecast.quantiles[CRPS_GRID.index(0.9)]
        inside.append([coverage(actual[part], low[part], high[part]) for part in parts])
    table = Table(title="Tourism-L by level, five yearly origins", title_justify="left")
    for name in ("level", "CRPS", "p10 to p90 covers, %"):
        table.add_column(name, justify="left" if name == "level" else "right")
    for level, score, share in zip(
        TOURISM_LEVELS, np.mean(scores, axis=0), np.mean(inside, axis=0), strict=True
    ):
        table.add_row(level_name(level), f"{score:.4f}", f"{100 * share:.0f}")
    return [
        Measured(
            "Tourism-L CRPS, last 12 months", float(np.mean(scores[0])), 0.1236, "best of 15 Nixtla", 0.1180
        ),
        Measured(
            "Tourism-L CRPS, mean of 5 origins", float(np.mean(scores)), 0.1300, "best of 15 Nixtla", 0.1245
        ),
    ], table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--back", type=int, default=0, help="months to step back")
    parser.add_argument("--sets", default="hospital,carparts,tourism")
    asked = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit(f"the data folder {DATA} is not there")
    console, rows, tables = Console(width=110), [], []
    for name in asked.sets.split(","):
        started = time.perf_counter()
        if name == "tourism":
            found, table = tourism(asked.back)
            tables.append(table)
        elif name == "hospital":
            found = flat(name, asked.back, (0.745, 0.0498), ("TimesFM 2.0", 0.7547, 0.0498))
        else:
            found = flat(name, asked.back, (0.80, 0.86), ("quantile LightGBM", 0.7964, 0.8697))
        rows += found
        console.print(f"{name}: {time.perf_counter() - started:.1f} s", style="dim")
    table = Table(title=f"Default recipe, {asked.back} months back", title_justify="left")
    for heading in ("measure", "ours", "rival", "ratio", "who", "goal"):
        table.add_column(heading, justify="left" if heading in ("measure", "who") else "right")
    for row in rows:
        met = "met" if row.ours <= row.goal else "missed"
        table.add_row(
            row.what,
            f"{row.ours:.4f}",
            f"{row.rival:.4f}",
            f"{row.ours / row.rival:.3f}",
            row.who,
            f"{row.goal} {met}",
        )
    console.print(table, *tables)


if __name__ == "__main__":
    main()
