"""Workers as programs on one database: many of them, killed at any moment, frozen and woken again.

All of it: TONNAGE_KILLS=200 TONNAGE_WORKERS=5 TONNAGE_PERIODS=20 uv run pytest tests/journey/test_workers.py
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from app.store.engine import open_engine
from app.store.migrate import migrate
from app.store.periods import note_due, periods
from app.store.session import copy_in
from forecasting.months import Month, months_from
from ingestion.blobs import open_blobs
from ingestion.snapshot_store import SnapshotStore
from retrain.due import newest_due
from retrain.schedule import Schedule
from tonnage import clock

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("TONNAGE_KILLS", "3"))
WORKERS = int(os.environ.get("TONNAGE_WORKERS", "3"))
PERIODS = int(os.environ.get("TONNAGE_PERIODS", "4"))

# A program that has imported everything and waits for the word, so that kills hit the month and not imports.
CHILD = """
import sys
import apscheduler.schedulers.background, holidays, ingestion.sources.postgres, tonnage.wiring, tonnage.worker
from tonnage.cli import main
print("ready", flush=True)
sys.stdin.readline()
sys.exit(main(sys.argv[1:]))
"""

CONFIG = """
[hierarchy]
keys = ["organization", "customer"]

[forecast]
horizon = 3
quantiles = [0.1, 0.5, 0.9]
recipe = "seasonal-naive"

[schedule]
time_zone = "Europe/Berlin"
holidays = "DE-NW"
catch_up = 30
attempts = 20
lease = {lease}

[sources.erp]
url = "env:TONNAGE_DATABASE_URL"
table = "order_line"
unit = "kg"

[sources.erp.columns]
line = "line"
organization = "organization"
customer = "customer"
material = "material"
date = "date"
quantity = "quantity"
"""


@dataclass(frozen=True)
class Site:
    """A database with order lines, and a folder with the configuration and snapshots."""

    url: str
    folder: Path

    def child(self, *arguments: str, log: int = subprocess.DEVNULL) -> "Child":
        return Child(self, arguments, log)

    @contextmanager
    def engine(self) -> Iterator[sa.Engine]:
        engine = open_engine(self.url)
        yield engine
        engine.dispose()

    def ask(self, question: str) -> list[tuple[object, ...]]:
        with self.engine() as engine, engine.begin() as connection:
            return [tuple(row) for row in connection.execute(sa.text(question))]

    def tell(self, statement: str) -> None:
        with self.engine() as engine, engine.begin() as connection:
            connection.execute(sa.text(statement))


class Child:
    """A `tonnage` that is being started, and then waits for the word."""

    def __init__(self, site: Site, arguments: Sequence[str], log: int) -> None:
        where = {
            "TONNAGE_DATABASE_URL": site.url,
            "TONNAGE_HOME": str(site.folder),
            "TONNAGE_CONFIG": str(site.folder / "tonnage.toml"),
            "PYTHONPATH": str(ROOT),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=site.folder,
            env=os.environ | where,
        )

    def go(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def finish(self) -> None:
        """Do all of it, and well."""
        self.go()
        self.process.communicate(timeout=300)
        assert self.process.returncode == 0

    def die_after(self, seconds: float) -> bool:
        """Start, and be killed unless done by then; whether it was killed."""
        self.go()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.communicate()
        return self.process.returncode == -signal.SIGKILL

    def until(self, told: str) -> None:
        """Read the log up to the line that tells of this."""
        assert self.process.stderr is not None
        lines = []
        for line in self.process.stderr:
            lines.append(line)
            if told in line:
                return
        raise AssertionError("".join(lines))

    def stop(self) -> str:
        """Ask it to end, and see it end well; the rest of its log."""
        self.process.send_signal(signal.SIGTERM)
        rest = self.process.communicate(timeout=120)[1]
        assert self.process.returncode == 0
        return rest


def newest() -> Month:
    return newest_due(clock.now(), Schedule(time_zone="Europe/Berlin", holidays="DE-NW"))


@pytest.fixture(scope="module")
def books(new_database: Callable[[], str]) -> str:
    """A migrated database with order lines of years, which every site is a copy of."""
    url = new_database()
    months = months_from(newest() - (PERIODS + 27), PERIODS + 29)
    rows = [
        (f"{month}-{customer}", place, f"K-{customer}", "HEB", f"{month}-11", 1_000 * customer + 10 * at)
        for at, month in enumerate(months)
        for customer, place in enumerate(["NORD", "NORD", "WEST", "WEST", "WEST"], start=1)
    ]
    names = ["line", "organization", "customer", "material", "date", "quantity"]
    engine = open_engine(url)
    migrate(engine)
    with engine.begin() as connection:
        columns = ", ".join(f"{name} text" for name in names)
        connection.exec_driver_sql(f"create table order_line ({columns})".replace("date text", "date date"))
        table = pl.DataFrame(rows, schema=names, orient="row").with_columns(
            pl.col("quantity").cast(pl.String)
        )
        copy_in(connection, "copy order_line from stdin (format csv, header)", table.write_csv().encode())
    engine.dispose()
    return url


type Copy = Callable[..., Site]


@pytest.fixture(scope="module")
def copy_of(postgres: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Makes a site of its own from a database that nobody is connected to, and the snapshots beside it."""
    server = sa.create_engine(postgres, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)

    def make(books: str, snapshots: Path | None = None, lease: int = 60) -> Site:
        name, template = f"site_{uuid.uuid4().hex}", sa.make_url(books).database
        with server.connect() as connection:
            connection.exec_driver_sql(f"create database {name} template {template} strategy file_copy")
        folder = tmp_path_factory.mktemp("site")
        if snapshots is not None:
            shutil.copytree(snapshots / "snapshots", folder / "snapshots")
        (folder / "tonnage.toml").write_text(CONFIG.format(lease=lease))
        return Site(postgres.set(database=name).render_as_string(hide_password=False), folder)

    return make


@dataclass(frozen=True)
class Undisturbed:
    """A site that has run the month before the newest, the runs of both months, and how long one takes."""

    before: Site
    runs: dict[str, str]
    lasts: float


@pytest.fixture(scope="module")
def undisturbed(books: str, copy_of: Copy) -> Undisturbed:
    before = copy_of(books)
    with before.engine() as engine:
        note_due(engine, [newest() - 1])
    before.child("retrain", "--month", str(newest() - 1)).finish()
    before.tell("update period set status = 'done', run_id = (select run_id from current_run)")
    site = copy_of(before.url, before.folder)
    child = site.child("worker", "--once")
    child.go()
    started = os.times().elapsed
    child.process.communicate(timeout=300)
    lasts = os.times().elapsed - started
    with site.engine() as engine:
        runs = {str(each.month): str(each.run) for each in periods(engine, 9)}
    assert list(runs) == [str(newest()), str(newest() - 1)]
    whole(site, runs)
    return Undisturbed(before, runs, lasts)


def whole(site: Site, expected: dict[str, str]) -> None:
    """Nothing is half there: runs, rows, pointer, periods and snapshots fit each other."""
    rows = dict(site.ask("select run_id, count(*) from forecast group by run_id"))
    runs = [run for (run,) in site.ask("select id from run order by origin")]
    assert set(runs) == set(rows)
    assert set(runs) <= set(expected.values())
    assert len(set(rows.values())) <= 1
    assert [run for (run,) in site.ask("select run_id from current_run")] == runs[-1:]
    with site.engine() as engine:
        found = {str(each.month): each for each in periods(engine, 99)}
    assert set(found) <= set(expected)
    assert {each.status for each in found.values()} <= {"done", "running", "waiting"}
    done = {month: each.run for month, each in found.items() if each.status == "done"}
    assert sorted(done.values()) == sorted(runs)
    assert done == {month: expected[month] for month in done}
    store = SnapshotStore(open_blobs(site.folder / "snapshots"))
    for manifest in store.manifests():
        assert store.read(manifest.id).lines.height > 0


def test_each_period_is_run_once_however_many_workers_there_are(books: str, copy_of: Copy) -> None:
    site = copy_of(books)
    months = months_from(newest() - (PERIODS - 1), PERIODS)
    with site.engine() as engine:
        note_due(engine, months[:1])
    workers = [site.child("worker", "--every", "0.1", log=subprocess.PIPE) for _ in range(WORKERS)]
    for worker in workers:
        worker.go()
    # The database waits a little before each answer.
    while site.ask("select count(*), pg_sleep(0.2) from period where status = 'done'")[0][0] < PERIODS:
        assert not site.ask("select detail from period where failures > 0")
        assert all(worker.process.poll() is None for worker in workers)
    begun = re.findall(r"begun .*work='?month (\d{4}-\d{2})", "".join(worker.stop() for worker in workers))
    assert sorted(begun) == [str(month) for month in months]
    with site.engine() as engine:
        found = list(reversed(periods(engine, 99)))
    assert [each.month for each in found] == months
    assert {each.attempt for each in found} == {1}
    assert len(site.ask("select id from run")) == PERIODS
    whole(site, {str(each.month): str(each.run) for each in found})


def test_killed_at_any_moment_the_next_one_ends_with_the_same_run(
    undisturbed: Undisturbed, copy_of: Copy
) -> None:
    draw, killed, left = random.Random(1), 0, Counter[str]()
    for _ in range(KILLS):
        site = copy_of(undisturbed.before.url, undisturbed.before.folder)
        child, following = site.child("worker", "--once"), site.child("worker", "--once")
        killed += child.die_after(draw.uniform(0, undisturbed.lasts))
        whole(site, undisturbed.runs)
        with site.engine() as engine:
            status = {each.month: each.status for each in periods(engine, 9)}
        left[status.get(newest(), "not yet noted")] += 1
        site.tell("update period set lease_until = clock_timestamp()")
        following.finish()
        whole(site, undisturbed.runs)
        with site.engine() as engine:
            assert {str(each.month): each.run for each in periods(engine, 9)} == undisturbed.runs
        shutil.rmtree(site.folder)
    print(f"{KILLS} times within {undisturbed.lasts:.2f} s: {killed} killed; the month was then {dict(left)}")  # noqa: T201
    assert killed >= KILLS // 2


@pytest.mark.parametrize("stage", ["snapshot", "fit"])
def test_a_frozen_worker_is_replaced_and_does_no_harm_when_it_wakes(
    undisturbed: Undisturbed, copy_of: Copy, stage: str
) -> None:
    site = copy_of(undisturbed.before.url, undisturbed.before.folder, lease=2)
    frozen, other = (site.child("worker", "--every", "0.2", log=subprocess.PIPE) for _ in range(2))
    try:
        frozen.go()
        frozen.until(f"stage={stage}")
        frozen.process.send_signal(signal.SIGSTOP)
        other.go()
        other.until(" done ")
        whole(site, undisturbed.runs)
        frozen.process.send_signal(signal.SIGCONT)
        frozen.until("lost")
        whole(site, undisturbed.runs)
        with site.engine() as engine:
            done = periods(engine, 1)[0]
        assert (done.run, done.attempt) == (undisturbed.runs[str(newest())], 2)
        frozen.stop()
        other.stop()
    finally:
        for worker in (frozen, other):
            worker.process.kill()
            worker.process.communicate()
