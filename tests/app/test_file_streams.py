"""Files larger than any buffer: they break off where something breaks, and leave nothing behind."""

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import polars as pl
import pytest
import uvicorn
from sqlalchemy import Engine

from app.main import create_app
from app.store.engine import Patience, open_engine
from app.store.migrate import migrate
from tests.app.conftest import KeyOf, bearer

NODES = 40_000
MONTHS = 12
FACTS = f"""
insert into run (id, origin, published_at, snapshot, model, unit, because, horizon, levels, probabilities)
values
('2026-10-large', '2026-10-01', '2026-11-02', '3f9c', 'm', 't', 'b', {MONTHS}, '{{customer}}', '{{0.5}}');
insert into current_run (run_id) values ('2026-10-large');
insert into node (level, customer) select 'customer', 'K-' || n from generate_series(1, {NODES}) as n;
insert into forecast
select '2026-10-large', id, (date '2026-10-01' + month * interval '1 month')::date,
       id + month / 10.0, array[id]
from node, generate_series(1, {MONTHS}) as month order by id, month;
analyze;
"""
LOST = """
select pg_terminate_backend(pid) from pg_stat_activity
where application_name = 'tonnage victim' and xact_start is not null
"""


@dataclass(frozen=True)
class Service:
    url: str
    headers: dict[str, str]
    other: Engine


@pytest.fixture(scope="module")
def service(new_database: Callable[[], str], key_of: KeyOf) -> Iterator[Service]:
    """A service with a run of half a million rows, and little patience for statements."""
    url = new_database()
    other = open_engine(url)
    migrate(other)
    with other.begin() as connection:
        connection.exec_driver_sql(FACTS)
    engine = open_engine(url, "victim", Patience(connections=2, statement=5.0))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(engine), log_level="critical"))
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    serving.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    yield Service(address, bearer(key_of(other, "viewer")), other)
    server.should_exit = True
    serving.join()
    engine.dispose()
    other.dispose()


def question(kind: str) -> str:
    return f"/v1/forecasts?level=customer&format={kind}"


def test_whole_in_every_kind(service: Service) -> None:
    with httpx.Client(base_url=service.url, headers=service.headers, timeout=60) as client:
        by_csv = pl.read_csv(client.get(question("csv")).content, try_parse_dates=False)
        by_parquet = pl.read_parquet(client.get(question("parquet")).content)
        wide = pl.read_parquet(client.get(question("parquet") + "&shape=wide").content)
    assert by_csv.height == by_parquet.height == NODES * MONTHS
    assert by_csv["mean"].equals(by_parquet["mean"])
    assert by_csv["customer"].equals(by_parquet["customer"])
    means = wide.filter(pl.col("measure") == "mean").select("^2.*$").to_numpy()
    assert means.sum() == pytest.approx(by_csv["mean"].sum())


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_error_in_the_middle_breaks_the_answer_off(service: Service, kind: str) -> None:
    with (
        httpx.Client(base_url=service.url, headers=service.headers, timeout=60) as client,
        client.stream("GET", question(kind)) as answer,
    ):
        pieces = answer.iter_raw(1000)
        next(pieces)
        with service.other.begin() as connection:
            assert connection.exec_driver_sql(LOST).rowcount
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
            for _ in pieces:
                pass
    with httpx.Client(base_url=service.url, headers=service.headers, timeout=60) as client:
        assert client.get(f"{question('csv')}&limit=1").status_code == 200


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_clients_that_go_away_leave_their_connection_to_others(service: Service, kind: str) -> None:
    for _ in range(4):  # twice as many as there are connections
        with (
            httpx.Client(base_url=service.url, headers=service.headers, timeout=60) as client,
            client.stream("GET", f"{question(kind)}&to=2026-11") as answer,
        ):
            assert answer.status_code == 200
            next(answer.iter_raw(1000))
    with httpx.Client(base_url=service.url, headers=service.headers, timeout=60) as client:
        for _ in range(4):
            assert client.get(f"{question('csv')}&limit=1").status_code == 200
