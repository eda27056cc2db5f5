"""Order lines from PostgreSQL into a snapshot, beside the bare read of the same lines through ADBC.

    python benchmarks/snapshot_speed.py [--lines 5000000] [--rounds 3]

Both read the same table of an embedded PostgreSQL, in one run, in processes of their own, in turn. The bare
read fetches every Arrow batch of the same select and drops it. Ours fingerprints, pulls, cleans, proves the
sums, and stores; then it runs again on the unchanged table. The medians count.
"""

import argparse
import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import adbc_driver_postgresql.dbapi as adbc

from forecasting.months import Month
from ingestion.blobs import open_blobs
from ingestion.job import Order, take_snapshot
from ingestion.snapshot_store import SnapshotStore
from ingestion.source_config import SourceConfig, parse_sources
from ingestion.sources.postgres_sql import select_sql
from tonnage.embedded import start_embedded

LIMIT_GIB = 1.5
COLUMNS = {
    "line": "position",
    "organization": "company",
    "customer": "customer_no",
    "material": "article",
    "date": "requested_date",
    "quantity": "quantity",
    "unit": "uom",
    "status": "state",
}
# Sixty months, 4 organizations, 5,000 customers, 800 materials, kilograms and tonnes, some lines cancelled.
SEED = """
create table order_line as select
    'P' || n as position,
    (array['NORD', 'WEST', 'OST', 'SUED'])[1 + n::int % 4] as company,
    'K-' || (100 + n * 7919 % 5000) as customer_no,
    'M-' || (n * 104729 % 800) as article,
    date '2021-11-01' + (n * 2654435761 % 1826)::int as requested_date,
    round((n * 48271 % 2147483647 % 30000)::numeric / 7, 3) as quantity,
    (array['kg', 't'])[1 + n::int % 2] as uom,
    case when n % 53 = 0 then 'cancelled' else 'confirmed' end as state
from generate_series(1::bigint, {lines}) as n
"""


def source(url: str) -> SourceConfig:
    table = {"url": "env:URL", "table": "order_line", "columns": COLUMNS}
    (config,) = parse_sources({"sources": {"erp": table}}, {"URL": url})
    return config


def bare(url: str) -> None:
    """The same select, every batch fetched and dropped."""
    with adbc.connect(url.replace("+psycopg2", "")) as connection, connection.cursor() as cursor:
        cursor.execute(select_sql(source(url)))
        for _ in cursor.fetch_record_batch():
            pass


def ingest(url: str, folder: Path) -> None:
    take_snapshot(
        Month(2026, 10),
        Order([source(url)]),
        store=SnapshotStore(open_blobs(folder)),
        taken_at=dt.datetime(2026, 11, 2, tzinfo=dt.UTC),
        code_version="benchmark",
        progress=lambda *_: None,
    )


def run_alone(what: str, url: str, folder: Path) -> dict[str, float]:
    """One step in a process of its own: its seconds without Python's start, and its peak memory."""
    command = [sys.executable, __file__, "--step", what, "--url", url, "--folder", str(folder)]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(told.stdout)


def step(what: str, url: str, folder: Path) -> None:
    started = time.perf_counter()
    if what == "bare":
        bare(url)
    else:
        ingest(url, folder)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"seconds": seconds, "gib": peak}))


def compare(lines: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        server = start_embedded(Path(home))
        url = server.render_as_string(hide_password=False)
        with adbc.connect(url.replace("+psycopg2", ""), autocommit=True) as connection:
            for statement in (SEED.format(lines=lines), "vacuum analyze order_line"):
                with connection.cursor() as cursor:
                    cursor.execute(statement)
        found: dict[str, list[dict[str, float]]] = {"bare": [], "first": [], "second": []}
        for number in range(rounds):
            folder = Path(home) / f"snapshots-{number}"
            for what, runs in found.items():
                runs.append(run_alone(what, url, folder))
        seconds = {what: median(each["seconds"] for each in runs) for what, runs in found.items()}
        peak = max(each["gib"] for each in found["first"])
    share = seconds["bare"] / seconds["first"]
    print(f"{lines:,} lines, medians of {rounds}")
    print(f"bare ADBC read     {seconds['bare']:6.2f} s")
    print(f"first snapshot     {seconds['first']:6.2f} s  {share:.2f} of the bare read's speed (goal 0.50)")
    again = seconds["second"] / seconds["first"]
    print(f"unchanged, again   {seconds['second']:6.2f} s  {again:.3f} of the first (goal 0.100)")
    print(f"peak memory        {peak:6.2f} GiB  {peak / LIMIT_GIB:.2f} of the limit of {LIMIT_GIB} GiB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        step(asked.step, asked.url, asked.folder)
    else:
        compare(asked.lines, asked.rounds)
