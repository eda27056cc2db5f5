"""The month runs itself: what `tonnage worker --once` ends with, and what `tonnage schedule` shows."""

import signal
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from forecasting.months import Month, months_from
from retrain.due import newest_due
from retrain.schedule import Schedule
from tonnage import clock

CONFIG = """
[hierarchy]
keys = ["customer"]

[forecast]
horizon = 3
recipe = "seasonal-naive"

[schedule]
time_zone = "Europe/Berlin"

[sources.erp]
url = "env:TONNAGE_DATABASE_URL"
table = "order_line"
unit = "t"

[sources.erp.columns]
line = "line"
organization = "organization"
customer = "customer"
material = "material"
date = "date"
quantity = "quantity"
"""


@pytest.fixture(autouse=True)
def _same_signals() -> Iterator[None]:
    """The worker listens for SIGTERM, which is this process's here."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def newest() -> Month:
    return newest_due(clock.now(), Schedule(time_zone="Europe/Berlin"))


@pytest.fixture
def planner(user: Any, newest: Month) -> Any:
    (user.folder / "tonnage.toml").write_text(CONFIG)
    rows = [(f"{month}", "NORD", "K-1", "HEB", f"{month}-10", 5) for month in months_from(newest - 30, 34)]
    names = ["line", "organization", "customer", "material", "date", "quantity"]
    columns = "line text, organization text, customer text, material text, date date, quantity numeric"
    user.load("order_line", columns, pl.DataFrame(rows, schema=names, orient="row"))
    return user


def row(planner: Any, month: Month) -> str:
    """What the schedule says of a month, in one line."""
    said = planner.run("schedule")
    assert said.code == 0, said.err
    (line,) = [line for line in said.out.splitlines() if f" {month} " in line]
    return " ".join(line.split())


def test_a_month_that_is_due_is_run_once(planner: Any, newest: Month) -> None:
    assert (said := planner.run("worker", "--once")).code == 0, said.err
    run = planner.service().get("/v1/runs/current").json()
    assert run["origin"] == str(newest)
    assert f"done │ 1 │ {run['published_at'][:4]}" in row(planner, newest)
    assert "to come" in row(planner, newest + 1)
    assert (said := planner.run("worker", "--once")).code == 0
    assert "begun" not in said.err
    assert planner.service().get("/v1/runs/current").json() == run


def test_a_refusal_ends_with_3_and_can_be_run_again(planner: Any, newest: Month) -> None:
    assert planner.run("ingest", "--month", str(newest)).code == 0
    with planner.engine.begin() as connection:
        connection.exec_driver_sql(f"update order_line set quantity = 9 where date < '{newest - 5}-01'")
    assert planner.run("worker", "--once").code == 3
    assert "refused │ 1" in row(planner, newest)
    assert planner.run("worker", "--once").code == 0  # nothing is due
    assert planner.service().get("/v1/runs/current").status_code == 404
    config = (planner.folder / "tonnage.toml").read_text()
    (planner.folder / "tonnage.toml").write_text(config + "\n[snapshots]\nmax_change = 1.0\n")
    assert "waiting" in planner.run("schedule", "--again", str(newest)).out
    assert planner.run("worker", "--once").code == 0
    assert "done │ 2" in row(planner, newest)


def test_a_failure_ends_with_1_and_is_tried_again(planner: Any, newest: Month) -> None:
    with planner.engine.begin() as connection:
        connection.exec_driver_sql("alter table order_line rename to gone")
    said = planner.run("worker", "--once")
    assert said.code == 1
    assert "attempt failed" in said.err and "order_line" in said.err
    assert "to be tried again │ 1" in row(planner, newest)


@pytest.mark.parametrize("command", [("worker", "--once"), ("worker",), ("schedule",)])
def test_a_schedule_that_makes_no_sense(planner: Any, command: tuple[str, ...]) -> None:
    (planner.folder / "tonnage.toml").write_text(CONFIG.replace("Europe/Berlin", "Berlin"))
    said = planner.run(*command)
    assert said.code == 2
    assert "schedule.time_zone = 'Berlin'" in said.err


def test_a_month_that_need_not_be_run_again(planner: Any) -> None:
    said = planner.run("schedule", "--again", "2020-01")
    assert said.code == 2
    assert "2020-01 was neither refused nor given up" in said.err
