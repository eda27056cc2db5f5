"""Killed at any moment: the next run ends with the same snapshot, and nothing half-written is ever read."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import polars as pl
import pytest

from ingestion.blobs import open_blobs
from ingestion.order_line import RAW_LINES
from ingestion.snapshot_store import SnapshotStore

ROOT = Path(__file__).resolve().parents[2]

KILLS = int(os.environ.get("TONNAGE_KILLS", "6"))
"""How often; for a hundred times: TONNAGE_KILLS=100 uv run pytest tests/ingestion/test_killed.py."""

ROWS = 30_000

CHILD = """
import datetime as dt, os, sys
from pathlib import Path
from forecasting.months import Month
from ingestion.blobs import open_blobs
from ingestion.job import Order, take_snapshot
from ingestion.snapshot_store import SnapshotStore
from ingestion.source_config import parse_sources
import ingestion.sources.source, polars

url, folder, fields = sys.argv[1:]
table = {"url": "env:URL", "table": "kill_me", "columns": {f: f for f in fields.split(",")}}
order = Order(parse_sources({"sources": {"erp": table}}, {"URL": url}))
print("ready", flush=True)
sys.stdin.readline()
snapshot = take_snapshot(
    Month(2026, 10), order, store=SnapshotStore(open_blobs(Path(folder))),
    taken_at=dt.datetime(2026, 11, 2, tzinfo=dt.UTC), code_version="1", progress=lambda *_: None,
)
print(snapshot.id, flush=True)
"""


class Child:
    """A program that has imported everything and waits for the word to ingest."""

    def __init__(self, url: str, folder: Path) -> None:
        arguments = [sys.executable, "-c", CHILD, url, str(folder), ",".join(RAW_LINES)]
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def finish(self) -> str:
        return self.process.communicate("go\n")[0].strip()

    def die_after(self, seconds: float) -> bool:
        """Start, and be killed unless done by then; whether it was killed."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.communicate()
        return self.process.returncode == -signal.SIGKILL


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    """A database with a table of orders over two years, all columns text."""
    url = new_database()
    months = [f"{2024 + (10 + n) // 12}-{(10 + n) % 12 + 1:02d}" for n in range(24)]
    rows = {
        "line": [str(n) for n in range(ROWS)],
        "organization": ["NORD"] * ROWS,
        "customer": [f"K-{n % 97}" for n in range(ROWS)],
        "material": [f"M-{n % 31}" for n in range(ROWS)],
        "date": [f"{months[n % 24]}-{n % 28 + 1:02d}" for n in range(ROWS)],
        "quantity": [str(n % 1000) for n in range(ROWS)],
        "unit": ["kg" if n % 400 else "crate" for n in range(ROWS)],
        "status": ["void" if n % 50 == 0 else None for n in range(ROWS)],
    }
    with adbc.connect(url.replace("+psycopg2", "")) as connection:
        with connection.cursor() as cursor:
            table = pl.DataFrame(rows, schema=RAW_LINES).to_arrow(compat_level=pl.CompatLevel.oldest())
            cursor.adbc_ingest("kill_me", table)
        connection.commit()
    return url


def test_the_next_run_ends_as_if_nothing_had_happened(url: str, tmp_path: Path) -> None:
    child = Child(url, tmp_path / "undisturbed")
    started = os.times().elapsed
    expected = child.finish()
    lasts = os.times().elapsed - started
    draw, killed = random.Random(1), 0
    for attempt in range(KILLS):
        folder = tmp_path / str(attempt)
        killed += Child(url, folder).die_after(draw.uniform(0, lasts))
        store = SnapshotStore(open_blobs(folder))
        for manifest in store.manifests():  # there is one if it was too late, and then it is whole
            assert manifest.id == expected
        assert Child(url, folder).finish() == expected
        (manifest,) = store.manifests()
        assert store.read(manifest.id).lines.height + store.read(manifest.id).rejects.height == ROWS
        assert not [*(folder / ".incoming").iterdir()]
    assert killed >= KILLS // 2
