"""A month's models into MLflow on the embedded PostgreSQL, and out again through a plain MLflow client.

    python benchmarks/registry.py [--no-servers]

The month is the demo's: 1,623 nodes on seven levels, 12 months, seven quantiles, the verdict of a contest.
Timed are the first opening (MLflow makes its tables), the registration of all levels and of the bundle, the
promotion, and the same month recorded again. Then an environment is made with only what a version's
requirements name, and a program in it that knows nothing of Tonnage loads each level's champion from
`tonnage mlflow` and writes everything it says; that must be, to the last bit, what `tonnage export` writes.
Last, the month is registered with a server that keeps the files too, started as in the compose file.
"""

import argparse
import csv
import datetime as dt
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr
from service import free_port

from app.settings import Settings as ServiceSettings
from app.store.publish import publish
from forecasting.hierarchy import Level, level_name
from forecasting.run import ForecastRun
from ingestion.monthly import build_panel
from retrain.contest import contest_origins, fit_and_forecast, hold_contest
from retrain.model_record import model_name
from retrain.plan import parse_plan
from retrain.policy import Policy
from retrain.recipes import shipped_recipes
from retrain.registry import Candidate, CodeIdentity
from retrain.verdict import judge
from tonnage.demo import MONTH, prepare_demo
from tonnage.settings import Settings
from tonnage.tracking import find_tracking, open_tracking
from tonnage.wiring import House

LIMIT_SECONDS = 15.0
MOMENT = dt.datetime(2026, 11, 3, 6, tzinfo=dt.UTC)

# All that the other environment is given: names to load, and a folder for what they say.
CLIENT = """
import sys
import mlflow
import pandas
for name in sys.argv[2:]:
    model = mlflow.pyfunc.load_model(f"models:/{name}@champion")
    model.predict(pandas.DataFrame()).to_csv(f"{sys.argv[1]}/{name}.csv", index=False)
print(*sorted({each.split(".")[0] for each in sys.modules}))
"""


def demo_month(house: House) -> Candidate:
    """The demo's month, forecast and judged."""
    config = prepare_demo(house)
    snapshot = house.ingest(MONTH, house.order(config), moment=MOMENT, progress=lambda source, rows: None)
    plan = parse_plan(house.document(config))
    panel = build_panel(snapshot, plan.keys, plan.levels)
    champion, rival = shipped_recipes().pick("theta"), shipped_recipes().pick("smoothing")
    origins = contest_origins(panel, 12, 1, plan.horizon)
    contest = hold_contest([champion, rival], panel, plan.horizon, origins, plan.probabilities)
    verdict = judge(contest, champion, Policy((rival,)))
    forecast = fit_and_forecast(verdict.winner, panel, plan.horizon, plan.probabilities)
    run = ForecastRun(
        "2026-10-0123456789ab", forecast, snapshot.id, "demo-0123456789ab", "t", verdict.because
    )
    return Candidate(run, verdict.winner, panel, verdict, CodeIdentity("benchmark"))


def timed(what: str, work: Callable[[], object], limit: float | None = None) -> float:
    started = time.perf_counter()
    work()
    took = time.perf_counter() - started
    beside = "" if limit is None else f"   limit {limit:g} s, ratio {took / limit:.2f}"
    print(f"{what:60s} {took:6.2f} s{beside}")
    return took


def wait_for(url: str, running: subprocess.Popen[bytes]) -> None:
    """Until MLflow answers; on a busy machine it takes minutes to start."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while running.poll() is None:
        try:
            direct.open(f"{url}/health", timeout=5).close()
        except OSError:
            time.sleep(1)
        else:
            return
    raise SystemExit("MLflow's server ended before it answered")


def rows(path: Path, columns: list[str]) -> list[list[str | float]]:
    """A CSV file's rows, sorted; texts as they are and numbers as the doubles they stand for."""
    with path.open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    numbers = {"mean", *(name for name in columns if name.startswith("p"))}
    return sorted([[float(row[name]) if name in numbers else row[name] for name in columns] for row in table])


@contextmanager
def server(command: list[str], port: int, environment: dict[str, str], log: Path) -> Iterator[str]:
    """A running server of MLflow; its URL."""
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as said:
        running = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
    try:
        timed("MLflow's server answers", lambda: wait_for(url, running))
        yield url
    finally:
        running.terminate()
        running.wait()


def with_a_server(house: House, candidate: Candidate, home: Path) -> float:
    """The month registered over HTTP, files and all."""
    with house.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("create database mlflow")
    environment = {
        **os.environ,
        "MLFLOW_BACKEND_STORE_URI": house.engine.url.set(database="mlflow").render_as_string(
            hide_password=False
        ),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    command += ["--serve-artifacts", "--artifacts-destination", str(home / "served")]
    with server(command, port, environment, home / "http.log") as url:
        settings = Settings(home=home, mlflow_url=SecretStr(url))
        registry = open_tracking(find_tracking(settings, house.engine), house.engine)
        took = timed("all levels registered over HTTP", lambda: registry.record(candidate), LIMIT_SECONDS)
        timed("promoted over HTTP", lambda: registry.promote(candidate.run.id))
        assert registry.champion(MONTH + 1) == candidate.recipe
    return took


def plain_client(house: House, candidate: Candidate, home: Path) -> None:
    """Make the environment, load every champion in it, and compare with what is published."""
    publish(house.engine, candidate.run, MOMENT)
    levels = candidate.run.forecast.hierarchy.levels
    (requirements, *_) = sorted((home / "mlflow").glob("*/artifacts/models/*/requirements.txt"))
    print("requirements:", ", ".join(requirements.read_text().split()))
    environment = home / "client"
    python = environment / "bin" / "python"
    subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
    subprocess.run(
        ["uv", "pip", "install", "--quiet", "--python", str(python), "-r", str(requirements)], check=True
    )
    ours = {**os.environ, "TONNAGE_HOME": str(home)}
    for name in ("TONNAGE_DATABASE_URL", "TONNAGE_MLFLOW_URL"):
        ours.pop(name, None)
    tonnage = [sys.executable, "-m", "tonnage"]
    port, said = free_port(), home / "said"
    said.mkdir()
    with server([*tonnage, "mlflow", "--port", str(port)], port, ours, home / "server.log") as url:
        theirs = {"PATH": os.environ["PATH"], "MLFLOW_TRACKING_URI": url, "MLFLOW_DISABLE_TELEMETRY": "true"}
        loaded = subprocess.run(
            [str(python), "-c", CLIENT, str(said), *map(model_name, levels)],
            env=theirs,
            cwd=said,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout.split()
    assert {"tonnage", "retrain", "forecasting", "polars", "sqlalchemy"}.isdisjoint(loaded)
    compared = sum(compare(level, said, home, [*tonnage, "export"], ours) for level in levels)
    print(f"{'numbers that a plain client and the service say alike':60s} {compared:9,d}, all")


def compare(level: Level, said: Path, home: Path, export: list[str], environment: dict[str, str]) -> int:
    published = home / "published.csv"
    subprocess.run(
        [*export, "--level", level_name(level), "--output", str(published)], env=environment, check=True
    )
    answered = said / f"{model_name(level)}.csv"
    with answered.open(encoding="utf-8") as file:
        columns = next(csv.reader(file))
    ours, theirs = rows(published, columns), rows(answered, columns)
    if ours != theirs:
        raise SystemExit(f"level {level_name(level)}: the client says other numbers than are published")
    return len(ours) * (len(columns) - len(level) - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-servers", action="store_true", help="leave out what needs servers")
    servers = not parser.parse_args().no_servers
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        house = House(Settings(home=home, mlflow_url=None), ServiceSettings(database_url=None))
        candidate = demo_month(house)
        hierarchy = candidate.run.forecast.hierarchy
        print(f"{hierarchy.n_nodes:,} nodes on {len(hierarchy.levels)} levels")
        tracking = find_tracking(house.settings, house.engine)
        timed("MLflow is imported and makes its tables", lambda: open_tracking(tracking, house.engine))
        timed("opened again in the same process", lambda: open_tracking(tracking, house.engine))
        registry = open_tracking(tracking, house.engine)
        took = timed(
            "all levels and the bundle registered", lambda: registry.record(candidate), LIMIT_SECONDS
        )
        timed("promoted", lambda: registry.promote(candidate.run.id))
        timed("the same month recorded again", lambda: registry.record(candidate))
        following = replace(candidate, run=replace(candidate.run, id="2026-10-ba9876543210"))
        timed("another run registered", lambda: registry.record(following), LIMIT_SECONDS)
        files = [path for path in (home / "mlflow").rglob("*") if path.is_file()]
        print(f"{'files of a run':60s} {len(files) // 2:6d}, "
              f"{sum(path.stat().st_size for path in files) / 2e6:.1f} MB")  # fmt: skip
        if servers:
            plain_client(house, candidate, home)
            took = max(took, with_a_server(house, candidate, home))
        house.close()
    if took > LIMIT_SECONDS:
        raise SystemExit("registration takes longer than its limit")


if __name__ == "__main__":
    main()
