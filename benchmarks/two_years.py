"""Two years of the demo, played month by month without a hand, then every run reproduced in a fresh process.

    uv run benchmarks/two_years.py [--months 24] [--folder FOLDER]

The order book's largest customer leaves and a price shock comes (`tonnage/eventful_book.py`). What counts: a
run for every month, drift within two months of both, none before the first, and that each run is reproduced
to the byte by one thread after it was made by two. The shock is felt from the rise on, and in the two months
before, when orders are pulled forward. A folder is kept, and a play in it goes on where it was.
"""

import argparse
import json
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from forecasting.months import Month
from tonnage.eventful_book import LEAVES, SHOCK

WITHIN = 2


def tonnage(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["tonnage", *arguments]
    told = {**os.environ, "TONNAGE_HOME": str(home), "COLUMNS": "200", **environment}
    return subprocess.run(command, env=told, capture_output=True, text=True, check=False)


def play(home: Path, months: int) -> None:
    started = time.perf_counter()
    done = tonnage(home, "demo", "--months", str(months), "--no-serve")
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    seconds = time.perf_counter() - started
    (published,) = re.findall(r"(\d+) of \d+ months published", done.stdout)
    each = f"{seconds / months:.1f} s a month"
    print(f"published          {published:>4} of {months} months in {seconds:,.0f} s, {each}")


def watch(home: Path) -> None:
    """When drift was raised, beside what happened."""
    events = json.loads(tonnage(home, "drift", "list", "--json").stdout)
    raised = sorted((Month.parse(each["opened"]), each["kind"], each["scope"]) for each in events)
    for month, kind, scope in raised:
        print(f"  drift {month}  {kind:6}  {scope}")
    early = [each for each in raised if each[0] < LEAVES]
    print(f"before {LEAVES}     {len(early):4} events (limit 0)")
    for what, first, moved in (("customer leaves", LEAVES, LEAVES), ("price shock", SHOCK - 2, SHOCK)):
        after = [month for month, *_ in raised if first <= month < moved + 12]
        told = str(after[0]) if after else "never"
        met = bool(after) and after[0] < moved + WITHIN
        print(f"{what:18} {moved}, raised {told} (limit {moved + WITHIN - 1}, {'met' if met else 'missed'})")


def reproduce(home: Path) -> None:
    """Each run once more, in a process of its own with one thread."""
    runs = [
        each["id"] for each in json.loads(tonnage(home, "runs", "list", "--limit", "100", "--json").stdout)
    ]
    started = time.perf_counter()
    differing = []
    for run in runs:
        again = tonnage(home, "reproduce", run, NUMBA_NUM_THREADS="1", POLARS_MAX_THREADS="1")
        if again.returncode or "identical" not in again.stdout:
            differing.append((run, again.stdout + again.stderr))
    seconds = time.perf_counter() - started
    print(
        f"reproduced         {len(runs) - len(differing):>4} of {len(runs)} runs identical, {seconds:,.0f} s"
    )
    for run, told in differing:
        print(run, told[-500:], sep="\n")


def main(months: int, folder: Path) -> None:
    play(folder, months)
    watch(folder)
    reproduce(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.folder is not None:
        main(asked.months, asked.folder)
    else:
        with tempfile.TemporaryDirectory() as home:
            main(asked.months, Path(home))
