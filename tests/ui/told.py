"""A database in which there is something to tell: three runs, why they differ, scores, drift, jobs.

`fill` makes it. What came in the last two months is what the newest run's history says, and scores are made
by the house's own scorecard; causes are made by hand.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import polars as pl
from fastapi import FastAPI
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import Engine, update

from app.store import jobs, tables
from app.store.audit import Entry, read_links
from app.store.drift_events import DriftEvent, keep_events
from app.store.engine import open_engine
from app.store.lineage import KeptModel, Lineage
from app.store.past import as_past
from app.store.publish import publish, record
from app.store.run_changes import Moved, keep_causes
from app.store.scores import keep_scores
from app.store.session import connected
from app.store.snapshots import ChangedMonth, Lines, SnapshotFacts, SnapshotSource
from app.store.stored_forecast import node_names
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy, parse_level
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.run import ForecastRun
from retrain.scorecard import score_runs, what_came

NAMES = ("organization", "customer", "material", "material_group")
LEVELS = (
    "total",
    "organization",
    "material_group",
    "customer",
    "organization,material_group",
    "organization,customer",
    "organization,customer,material,material_group",
)
LEAVES = [
    ("NORD", "K-104", "HEB 200", "Long"),
    ("NORD", "K-104", "Coil 2.5", "Flat"),
    ("NORD", "K-205", "Coil 2.5", "Flat"),
    ("SÜD", "K-104", "HEB 200", "Long"),
    ("SÜD", "K-7", "Blech <6>", "Flat"),
]
PROBABILITIES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
_SPREAD = np.array([0.6, 0.7, 0.85, 0.98, 1.15, 1.3, 1.45])
FIRST_OF_HISTORY = Month(2023, 11)
ORIGIN = Month(2026, 10)
SHARES = {"history": 0.25, "actuals": 0.5, "plan": 0.0, "recipe": 0.25, "code": 0.0}
"""Of every change, so much is due to each cause."""

MODELS_AT = "https://mlflow.example/registry"

JOBS_BEGAN = dt.datetime(2026, 11, 3, 7, tzinfo=dt.UTC)


def demand(origin: Month) -> DemandPanel:
    """Tonnes of five leaves up to a month: a level and a season each."""
    months = origin - FIRST_OF_HISTORY + 1
    season = 1 + 0.3 * np.sin(2 * np.pi * np.arange(months) / 12)
    sizes = np.array([120.0, 45.5, 30.25, 80.0, 12.125])
    return DemandPanel(_hierarchy(), FIRST_OF_HISTORY, np.outer(sizes, season), np.zeros(5, np.int64))


def run_of(origin: Month, scale: float = 1.0) -> ForecastRun:
    """A run of twelve months from a month on: the panel's last year again, a little more."""
    panel = demand(origin)
    hierarchy = panel.hierarchy
    mean = hierarchy.aggregate(panel.quantity[:, -12:] * 1.04 * scale)
    forecast = Forecast(hierarchy, origin + 1, mean, PROBABILITIES, _SPREAD[:, None, None] * mean)
    return ForecastRun(
        id=f"{origin}-{'abcdef'[origin.month % 6] * 12}",
        forecast=forecast,
        snapshot="3f9c1a2b4d5e",
        model="smoothing/3",
        unit="t",
        because="the first run",
    )


def _hierarchy() -> Hierarchy:
    leaves = pl.DataFrame(LEAVES, schema=dict.fromkeys(NAMES, pl.String), orient="row")
    return Hierarchy.of(NAMES, [parse_level(level) for level in LEVELS], leaves)


def run_number(back: int) -> ForecastRun:
    """The run of so many months back."""
    return replace(run_of(ORIGIN - back, 1 + 0.05 * back), snapshot=snapshot_id(back))


def snapshot_id(back: int) -> str:
    return f"{back}f9c1a2b4d5e"


def published_at(origin: Month) -> dt.datetime:
    return dt.datetime(origin.year, origin.month, 5, 6, tzinfo=dt.UTC) + dt.timedelta(days=31)


def fill(engine: Engine) -> None:
    """Everything; the engine's database is migrated and empty."""
    for back in (2, 1, 0):
        run = run_number(back)
        publish(engine, run, published_at(ORIGIN - back), lineage_of(back))
        if back < 2:
            assert keep_causes(engine, moved(run_number(back + 1), run))
            _score(engine, back)
    refused = replace(run_of(ORIGIN, 3.0), id=f"{ORIGIN}-refused00000", snapshot=snapshot_id(0))
    reasons = ("the total jumps by 188 % in 2026-11",)
    record(engine, refused, published_at(ORIGIN), replace(lineage_of(0), refused=reasons))
    with connected(engine) as connection:
        keep_events(connection, events(run_number(0).id))
    _jobs(engine)


def lineage_of(back: int) -> Lineage:
    recipe = "ensemble" if back < 2 else "theta"
    return Lineage(
        recipe={"name": recipe}, plan={"horizon": 12}, code_version="0.3.0", code_commit="abc", code_lock="",
        verdict=verdict(recipe), history=demand(ORIGIN - back), snapshot=facts(back),
        models=(
            KeptModel(None, "tonnage-forecaster", "5"),
            *(KeptModel(level, f"tonnage-{level.replace(',', '-')}", "7") for level in LEVELS),
        ),
    )  # fmt: skip


def verdict(recipe: str) -> dict[str, Any]:
    losses = [0.08, 0.1, 0.12, 0.15, 0.18, 0.2, 0.31]
    winner = {
        "key": "13965797ce91", "recipe": recipe, "role": "champion", "loss": 0.2, "by_level": losses,
        "by_lead": [[loss, loss * 1.1, None] for loss in losses],
    }  # fmt: skip
    return {
        "because": f"{recipe} stays: no challenger lost enough less", "promoted": False,
        "winner": {"key": "13965797ce91", "recipe": recipe}, "policy": {"loss": "pinball"},
        "levels": list(LEVELS), "origins": ["2026-07", "2026-08"], "standings": [winner],
    }  # fmt: skip


def facts(back: int) -> SnapshotFacts:
    aside = {"cancelled": Lines(31, 90_500), "unknown unit": Lines(4, 0)}
    mill = SnapshotSource("mill", "mssql", "none", Lines(1_250, 1_400_000), 0, {"unknown unit": Lines(3, 0)})
    july = ChangedMonth("erp", "2026-07", Lines(300, 50_000), Lines(301, 50_400))
    return SnapshotFacts(
        id=snapshot_id(back), month=ORIGIN - back, taken_at=published_at(ORIGIN - back), code_version="0.3.0",
        unit="kg", parent=None if back == 2 else snapshot_id(back + 1), accepted=None,
        sources=(
            SnapshotSource("erp", "postgresql", "snapshot", Lines(9_700, 8_912_340), 12, aside),
            mill,
        ),
        changes=(july,) if back == 0 else (),
    )  # fmt: skip


def moved(before: ForecastRun, after: ForecastRun) -> Moved:
    """Every change by `SHARES`, over the months that both forecast."""
    was, now = before.forecast, after.forecast
    months = was.horizon - (now.first - was.first)
    change = now.mean[:, :months] - was.mean[:, now.first - was.first :]
    causes = np.stack([share * change for share in SHARES.values()])
    return Moved(before.id, after.id, now.first, tuple(SHARES), node_names(now.hierarchy), causes)


def events(by_run: str) -> list[DriftEvent]:
    words = "customer K-104: demand of 12 t in 2026-10 where 40 t was usual (-70 %)."
    return [
        DriftEvent("2026-10-1f3a5b7c", "data", "customer K-104", ORIGIN, by_run, 4.2, 3.0,
                   {"words": words}, "notify"),
        DriftEvent("2026-10-2f3a5b7c", "errors", "total", ORIGIN, by_run, 5.0, 3.0,
                   {"words": "total: errors of 21 % where 9 % was usual."}, "retrain"),
        DriftEvent("2026-08-3f3a5b7c", "errors", "material_group Flat", ORIGIN - 2, by_run, 5.0, 3.0, {},
                   "notify", closed=ORIGIN - 1),
    ]  # fmt: skip


def _score(engine: Engine, back: int) -> None:
    """What the run of so many months back tells of those before it: its last month lies above all said."""
    panel = demand(ORIGIN - back)
    hierarchy = panel.hierarchy
    past = [
        as_past(run_number(each).forecast, hierarchy, run_number(each).id) for each in (2, 1) if each > back
    ]
    with connected(engine) as connection:
        keep_scores(connection, run_number(back).id, score_runs(what_came(panel), past))


def _jobs(engine: Engine) -> None:
    kinds: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("retrain", {"month": "2026-10"}, {"status": "done", "progress": 1.0, "stage": "publish",
                                           "result": {"run": run_number(0).id}}),
        ("ingest", {}, {"status": "failed", "progress": 0.4, "stage": "erp",
                         "detail": "erp does not answer"}),
        ("retrain", {"month": "2026-09"}, {"status": "running", "progress": 0.45, "stage": "contest"}),
    ]  # fmt: skip
    for minutes, (kind, arguments, became) in enumerate(kinds):
        at = JOBS_BEGAN + dt.timedelta(minutes=minutes)
        job = jobs.ask(engine, kind, arguments, asked_by="planning", asked_at=at)
        done = at + dt.timedelta(seconds=40) if became["status"] in {"done", "failed"} else None
        with connected(engine) as connection:
            connection.execute(
                update(tables.job)
                .where(tables.job.c.id == job.id)
                .values(**became, started_at=at, finished_at=done)
            )


def fill_runs(engine: Engine) -> None:
    """The three runs alone, with what they were made from; the engine's database is migrated and empty."""
    for back in (2, 1, 0):
        origin = ORIGIN - back
        lineage = Lineage({"name": "smoothing"}, {}, "0.3", "", "", {}, demand(origin))
        publish(engine, run_of(origin, 1 + 0.05 * back), published_at(origin), lineage)


@contextmanager
def new_engine(url: str) -> Iterator[Engine]:
    """That of a database, until it is no longer needed."""
    engine = open_engine(url)
    yield engine
    engine.dispose()


def ask(url: str, key: str) -> httpx.Client:
    """The API, asked with a key."""
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30)


def amounts(within: Locator) -> list[float]:
    """The numbers that are shown, in full."""
    return [float(value) for value in within.locator("data.n").evaluate_all("all => all.map(e => e.value)")]


def read(page: Page, caption: str) -> list[list[Any]]:
    """The rows of a table, its foot the last: numbers and months as they are, before the browser writes them.

    A cell with several numbers is its text.
    """
    table = page.get_by_role("table", name=caption)
    expect(table).to_be_visible()
    rows: list[list[Any]] = table.evaluate(
        """table => Array.from(table.querySelectorAll("tbody tr, tfoot tr"), row =>
          Array.from(row.children, cell => {
            const told = cell.querySelectorAll("data, time");
            if (told.length !== 1) return cell.textContent;
            return told[0].matches("data") ? Number(told[0].value) : told[0].dateTime;
          }))"""
    )
    return rows


def entries(app: FastAPI) -> list[Entry]:
    """The audit trail of an application, the newest first, once all of it has been written."""
    assert app.state.trail.settle(10)
    with connected(app.state.engine) as connection:
        return [link.entry for link in read_links(connection, 1000)]
