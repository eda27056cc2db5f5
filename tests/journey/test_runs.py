"""Contest, record, refusal and rollback at the command line."""

import datetime as dt
import json
from typing import Any

import numpy as np
import polars as pl
import pytest

CONFIG = """
[forecast]
horizon = 3
quantiles = [0.1, 0.5, 0.9]
recipe = "seasonal-naive"

[contest]
challengers = ["theta"]
origins = 14

[sources.erp]
url = "env:TONNAGE_DATABASE_URL"
table = "order_line"
unit = "t"

[sources.erp.columns]
line = "position"
organization = "company"
customer = "buyer"
material = "article"
date = "requested"
quantity = "quantity"
"""
COLUMNS = "position text, company text, buyer text, article text, requested date, quantity numeric"


@pytest.fixture
def user(user: Any) -> Any:
    """Two customers who bought about as much every month for four years."""
    random = np.random.default_rng(5)
    months = [dt.date(2022 + (10 + m) // 12, (10 + m) % 12 + 1, 14) for m in range(48)]
    rows = [
        (f"{buyer}/{day}", "NORD", buyer, "COIL", day, float(random.integers(50, 150)))
        for day in months
        for buyer in ("K-1", "K-2")
    ]
    names = [column.split()[0] for column in COLUMNS.split(", ")]
    (user.folder / "tonnage.toml").write_text(CONFIG)
    user.load("order_line", COLUMNS, pl.DataFrame(rows, schema=names, orient="row"))
    return user


def shown(user: Any) -> str:
    return str(user.service().get("/v1/runs/current").json()["id"])


def test_months_are_judged_recorded_and_rolled_back(user: Any) -> None:
    first = user.run("retrain", "--month", "2026-09")
    assert first.code == 0, first.err
    assert "Verdict: theta replaces seasonal-naive: it lost" in first.out
    assert "contest: seasonal-naive from 2025-05, 1 of 28" in first.err
    september = shown(user)
    second = user.run("retrain", "--month", "2026-10")
    assert "Verdict: theta stays: it has no challenger." in second.out
    october = shown(user)

    listed = user.run("runs", "list")
    assert listed.code == 0
    rows = json.loads(user.run("runs", "list", "--json").out)
    assert [row["id"] for row in rows] == [october, september]
    assert [row["current"] for row in rows] == [True, False]
    assert json.loads(user.run("runs", "list", "--limit", "1", "--json").out) == rows[:1]
    for row in rows:
        assert row["id"] in listed.out

    said = user.run("runs", "show", "2026-09")
    assert said.code == 0, said.err
    for part in ("# Promoted: theta", "## theta against seasonal-naive", "published 20", "It is not shown."):
        assert part in said.out
    (whole,) = [json.loads(user.run("runs", "show", september, "--json").out)]
    assert whole == rows[1]
    assert whole["recipe"]["members"] == ["theta"]
    assert whole["verdict"]["promoted"] is True

    back = user.run("rollback", "2026-09")
    assert back.code == 0, back.err
    assert f"Run {september} is shown again, in place of {october}" in back.out
    assert shown(user) == september
    assert "nothing changed" in user.run("rollback", "2026-09").out
    kept = json.loads(user.run("audit", "list", "--json").out)
    assert [each["action"] for each in kept[:3]] == [
        "tonnage rollback",
        "tonnage rollback",
        "tonnage retrain",
    ]
    assert user.run("rollback", "2026-10").code == 0
    assert shown(user) == october
    assert "rolled back 20" in user.run("runs", "show", "2026-10").out


def test_a_refused_run_is_recorded_not_served_and_then_accepted(user: Any) -> None:
    assert user.run("retrain", "--month", "2026-09").code == 0
    september = shown(user)
    with (user.folder / "tonnage.toml").open("a") as config:
        config.write("\n[guard]\nmax_jump_year = 0.001\n")
    refused = user.run("retrain", "--month", "2026-10")
    assert refused.code == 3
    assert shown(user) == september
    (row,) = [row for row in json.loads(user.run("runs", "list", "--json").out) if row["id"] != september]
    assert (row["published_at"], row["shown"]) == (None, [])
    assert row["refused"]
    said = user.run("runs", "show", row["id"])
    assert "refused: total in" in said.out
    assert "It was never shown." in said.out
    back = user.run("rollback", row["id"])
    assert back.code == 2
    assert "was never shown" in back.err

    assert user.run("retrain", "--month", "2026-10", "--accept", "a new plant").code == 0
    assert shown(user) == row["id"]
    said = user.run("runs", "show", row["id"])
    assert "accepted: a new plant" in said.out
    assert "It is shown now." in said.out
    again = user.run("retrain", "--month", "2026-10")
    assert again.code == 0, again.err
    assert "nothing changed" in again.out
    kept = json.loads(user.run("audit", "list", "--json").out)
    assert [(each["action"], each["subject"], each["details"]) for each in reversed(kept)] == [
        ("tonnage retrain", september, {}),
        ("tonnage retrain", row["id"], {"accept": "a new plant"}),
        ("tonnage retrain", row["id"], {}),
    ]


def test_runs_that_nobody_knows(user: Any) -> None:
    assert user.run("runs", "list").out.startswith("0 runs")
    assert user.run("runs", "list", "--json").out == "[]\n"
    for command in (("rollback", "2026"), ("runs", "show", "2026"), ("rollback", "")):
        said = user.run(*command)
        assert said.code == 2
        assert "there is no run" in said.err
        assert "tonnage runs list" in said.err
    assert user.run("retrain", "--month", "2026-09").code == 0
    assert user.run("retrain", "--month", "2026-10").code == 0
    said = user.run("rollback", "2026")
    assert said.code == 2
    assert "several runs begin with '2026'" in said.err


def test_a_contest_that_makes_no_sense(user: Any) -> None:
    (user.folder / "tonnage.toml").write_text(CONFIG.replace('["theta"]', '["magic"]'))
    said = user.run("retrain", "--month", "2026-10")
    assert said.code == 2
    assert "contest.challengers" in said.err
