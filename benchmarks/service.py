"""One node × 12 months over HTTP, beside a ready-made body of the same size from the same server's memory.

    python benchmarks/service.py [--seconds 4] [--rounds 3] [--leaves 40000]

One server process, one load generator (`load.py`, 50 connections) and one embedded PostgreSQL share the
machine's cores. The ready-made body goes through all that the server does with every request (limits,
headers, request id, access line) and is given at the very place where the short way would ask the database.
In each round the four are asked in turn; the medians of the rounds' ratios count. Cold asks for another node
each time, none of which was asked for before; warm asks for 500 nodes again; 304 asks for them by their tags.
"""

import argparse
import datetime as dt
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import numpy as np
import polars as pl
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access.caller import Role
from app.access.key import new_key
from app.access.rules import RULES, Rule
from app.main import create_app
from app.settings import Settings
from app.store.api_keys import NewApiKey, add_key
from app.store.engine import open_engine
from app.store.migrate import migrate
from app.store.publish import publish
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.run import ForecastRun
from tonnage.embedded import start_embedded
from tonnage.progress import log_to
from tonnage.server import limits_of, patience_of, server_for

CONNECTIONS = 50
HERE = Path(__file__).parent
KEYS = ("organization", "customer", "material")
READY_MADE = "/ready-made"
GOALS = {"cold": 1 / 3, "warm": 3 / 4, "304": 3 / 4}


class ReadyMade:
    """Gives a body from memory."""

    def __init__(self, app: ASGIApp, body: bytes) -> None:
        self.app = app
        self.body = body
        self.headers = [(b"content-length", str(len(body)).encode()), (b"content-type", b"application/json")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != READY_MADE:
            await self.app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def serve(url: str, port: int, size: int) -> None:
    """The server: what `tonnage serve` runs, with the ready-made body as one more answer."""
    log_to(sys.stderr)
    settings = Settings(rate=1e9, burst=1_000_000_000, notice_seconds=0)
    app = create_app(open_engine(url, patience=patience_of(settings)), limits=limits_of(settings))
    RULES[f"GET {READY_MADE}"] = Rule(Role.VIEWER)  # type: ignore[index]  # behind the gate too
    app.add_api_route(READY_MADE, lambda: None)
    app.user_middleware.append(Middleware(ReadyMade, b"x" * size))
    listener = socket.create_server(("127.0.0.1", port))
    server_for(app, settings).run(sockets=[listener])


def run_of(leaves: int) -> ForecastRun:
    """A run of so many leaves, 12 months and three quantiles."""
    table = pl.DataFrame(
        {
            "organization": [("NORD", "WEST", "OST", "SUED")[n % 4] for n in range(leaves)],
            "customer": [f"K-{n % 5000:04}" for n in range(leaves)],
            "material": [f"M-{n // 20:05}" for n in range(leaves)],
        }
    )
    levels = [(), ("organization",), ("customer",), KEYS]
    hierarchy = Hierarchy.of(KEYS, levels, table)
    mean = hierarchy.aggregate(np.random.default_rng(1).gamma(0.7, 30.0, (leaves, 12)))
    quantiles = np.stack([mean / 3, mean * 0.9, mean * 2.2])
    forecast = Forecast(hierarchy, Month(2026, 11), mean, (0.1, 0.5, 0.9), quantiles)
    return ForecastRun("2026-10-benchmark", forecast, "3f9c1a2b", "smoothing/3", "t", "a benchmark")


def questions(run: ForecastRun) -> Iterator[str]:
    """Every leaf, in an order that jumps about."""
    leaves = run.forecast.hierarchy.leaves.select(KEYS).rows()
    for place in np.random.default_rng(2).permutation(len(leaves)):
        where = dict(zip(KEYS, leaves[place], strict=True))
        yield "/v1/forecasts?" + urlencode({"level": ",".join(KEYS), **where})


def load(port: int, asked: list[str], seconds: float) -> dict[str, float]:
    command = [sys.executable, str(HERE / "load.py"), str(port), str(CONNECTIONS), str(seconds)]
    done = subprocess.run(command, input="\n".join(asked), capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    wrong = set(said["statuses"]) - {"200", "304"}
    assert not wrong, said["statuses"]
    return {**said, "rate": said["answers"] / said["seconds"]}


def fetch(port: int, path: str) -> tuple[bytes, str]:
    own = {"Authorization": f"Bearer {os.environ['TONNAGE_KEY']}"}
    with urllib.request.urlopen(
        urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=own)
    ) as answer:
        return answer.read(), answer.headers["ETag"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[float]:
    """A process that serves; the seconds until it was ready."""
    began = time.perf_counter()
    log = Path(tempfile.gettempdir()) / f"service-{port}.log"
    with log.open("w") as stream:
        process = subprocess.Popen(command, stderr=stream, env={**os.environ, **environment})
        try:
            while process.poll() is None:
                with suppress(OSError):
                    fetch(port, "/health/ready")
                    break
                time.sleep(0.01)
            yield time.perf_counter() - began
        finally:
            process.terminate()
            process.wait()
    log.unlink()


def started(url: str) -> float:
    """Seconds from starting `tonnage serve` until it is ready."""
    port = free_port()
    command = [sys.executable, "-m", "tonnage", "serve", "--port", str(port)]
    with running(command, port, TONNAGE_DATABASE_URL=url, TONNAGE_NOTICE_SECONDS="0") as seconds:
        return seconds


def measure(url: str, run: ForecastRun, seconds: float, rounds: int) -> None:
    port = free_port()
    fresh = questions(run)
    some = list(islice(fresh, 500))
    engine = open_engine(url)
    with running([sys.executable, __file__, "--serve", url, str(port), "0"], port):
        size = round(median(len(fetch(port, path)[0]) for path in some[:50]))
    with running([sys.executable, __file__, "--serve", url, str(port), str(size)], port):
        tags = [f"{path}\t{fetch(port, path)[1]}" for path in some]
        load(port, [READY_MADE], 1.0)
        load(port, some, 1.0)
        found: dict[str, list[dict[str, float]]] = {}
        for _ in range(rounds):
            share = list(islice(fresh, (len(run.forecast.hierarchy.leaves) - 500) // rounds))
            for name, asked in {"ready-made": [READY_MADE], "cold": share, "warm": some, "304": tags}.items():
                said = load(port, asked, seconds)
                if name == "cold":
                    assert said["answers"] <= len(share), "more leaves are needed: --leaves"
                found.setdefault(name, []).append(said)
    engine.dispose()
    print(f"{'':10} {'1/s':>8} {'ratio':>6} {'goal':>6} {'p50 ms':>7} {'p99 ms':>7} {'ratio':>6}  goal < 5")
    for name, each in found.items():
        rates = [one["rate"] / other["rate"] for one, other in zip(each, found["ready-made"], strict=True)]
        slow = [one["p99"] / other["p99"] for one, other in zip(each, found["ready-made"], strict=True)]
        middle = {key: median(one[key] for one in each) for key in ("rate", "p50", "p99")}
        print(
            f"{name:10} {middle['rate']:8,.0f} {median(rates):6.2f} {GOALS.get(name, 1):6.2f} "
            f"{middle['p50']:7.2f} {middle['p99']:7.2f} {median(slow):6.2f}  ({each[-1]['bytes']} bytes)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--leaves", type=int, default=40_000)
    parser.add_argument("--serve", nargs=3)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve[0], int(given.serve[1]), int(given.serve[2]))
        return
    with tempfile.TemporaryDirectory() as folder:
        url = start_embedded(Path(folder)).render_as_string(hide_password=False)
        engine = open_engine(url)
        migrate(engine)
        run = run_of(given.leaves)
        publish(engine, run, dt.datetime(2026, 11, 2, tzinfo=dt.UTC))
        key = new_key(os.urandom)
        with engine.begin() as connection:
            add_key(connection, NewApiKey(key.id, key.secret_hash, "benchmark", "viewer", None, None))
        os.environ["TONNAGE_KEY"] = str(key)
        engine.dispose()
        measure(url, run, given.seconds, given.rounds)
        starts = sorted(started(url) for _ in range(3))
        print(f"start to ready, s: {', '.join(f'{each:.2f}' for each in starts)} (goal: at most 3)")


if __name__ == "__main__":
    main()
