"""What the audit trail and the metrics cost: a change that is noted, a read that is, one that is not.

    python benchmarks/audit_cost.py

On the embedded PostgreSQL. A change is timed as `ask` with and without its entry, in turn. Reads are timed
through the whole application without a network, by a route that does nothing, so that what is around it is as
large a part as can be: beside the same without the middleware that notes and counts. Medians of rounds.
"""

import asyncio
import datetime as dt
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Connection, Engine

from app.access.caller import Role
from app.access.key import Key, new_key
from app.access.rules import RULES, Rule
from app.api.audited import Audited
from app.api.measured import Measured
from app.edge.limits import Limits
from app.main import create_app
from app.store.api_keys import NewApiKey, add_key
from app.store.audit import Entry, read_links, record, verify
from app.store.engine import open_engine
from app.store.jobs import Job, ask
from app.store.migrate import migrate
from app.store.session import connected
from tonnage.embedded import start_embedded

AT = dt.datetime(2026, 11, 4, tzinfo=dt.UTC)
ENTRY = Entry("planner", "POST /v1/jobs", "202", "/v1/jobs", details={"kind": "retrain", "month": "2026-10"})
ROUNDS, CHANGES, READS = 7, 200, 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = start_embedded(Path(folder)).render_as_string(hide_password=False)
        engine = open_engine(url)
        migrate(engine)
        _changes(engine)
        _bulk(engine)
        _reads(engine)
        engine.dispose()


def _changes(engine: Engine) -> None:
    def witness(connection: Connection, job: Job) -> None:
        record(connection, ENTRY)

    def some(noted: bool) -> float:
        began = time.perf_counter()
        for _ in range(CHANGES):
            ask(engine, "retrain", {}, asked_by="a", asked_at=AT, witness=witness if noted else None)
        return (time.perf_counter() - began) / CHANGES * 1000

    times = [(some(False), some(True)) for _ in range(ROUNDS)]
    bare, noted = (median(column) for column in zip(*times, strict=True))
    print(f"a change, ms: {bare:.2f} without its entry, {noted:.2f} with it, ratio {noted / bare:.2f}")


def _bulk(engine: Engine) -> None:
    began = time.perf_counter()
    for _ in range(50):
        with connected(engine) as connection:
            record(connection, *[ENTRY] * 1000)
    written = time.perf_counter() - began
    began = time.perf_counter()
    with connected(engine) as connection:
        checked = verify(connection)
    read = time.perf_counter() - began
    print(f"entries a second: {50_000 / written:,.0f} written, {checked.entries / read:,.0f} verified")


def _reads(engine: Engine) -> None:
    """No two noted reads are alike, so that each is an entry."""
    key = new_key(os.urandom)
    with connected(engine) as connection:
        add_key(connection, NewApiKey(key.id, key.secret_hash, "benchmark", "viewer", None, None))
    RULES["GET /v1/live"] = Rule(Role.VIEWER)  # type: ignore[index]  # behind the gate too
    limits = Limits(rate=1e9, burst=1_000_000_000)
    whole, bare = create_app(engine, limits=limits), create_app(engine, limits=limits)
    bare.user_middleware = [each for each in bare.user_middleware if each.cls not in (Audited, Measured)]
    for app in (whole, bare):

        @app.get("/v1/live")
        async def live(customer: str = "", number: str = "") -> dict[str, str]:
            return {}

    for query, what in (("number", "not noted"), ("customer=1&number", "noted")):
        times = [
            [asyncio.run(_ask(app, key, f"{query}={n}")) for app in (bare, whole)] for n in range(ROUNDS)
        ]
        without, whole_time = (median(column) for column in zip(*times, strict=True))
        more = whole_time - without
        print(f"a read that is {what}, µs: {without:.0f} bare, {whole_time:.0f} in all, {more:.0f} more")
        whole.state.trail.settle(60)
    whole.state.trail.close()
    with connected(engine) as connection:
        entries = read_links(connection, 99_999, caller="benchmark")
    print(f"entries of reads: {len(entries):,}")


async def _ask(app: Callable[..., Awaitable[Any]], key: Key, query: str) -> float:
    began = 0.0
    own = [(b"authorization", f"Bearer {key}".encode())]
    for number in range(READS + 100):
        if number == 100:
            began = time.perf_counter()
        scope = {
            "type": "http", "method": "GET", "path": "/v1/live", "raw_path": b"/v1/live", "root_path": "",
            "query_string": f"{query}-{number}".encode(), "headers": own, "client": (f"{query}-{number}", 1),
            "server": ("x", 80), "scheme": "http", "http_version": "1.1",
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            assert message.get("status", 200) == 200

        await app(scope, receive, send)
    return (time.perf_counter() - began) / READS * 1_000_000


if __name__ == "__main__":
    main()
