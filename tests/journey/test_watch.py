"""Months at the command line: how they did, how long they took, what a failing one tells and leaves."""

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest
from prometheus_client.parser import text_string_to_metric_families

CONFIG = """
[hierarchy]
levels = ["total", "organization", "customer", "organization,customer,material"]

[forecast]
horizon = 3
quantiles = [0.1, 0.5, 0.9]
recipe = "seasonal-naive"

[notify]
urls = ["env:HOOKS"]

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
MONTHS = [dt.date(2023 + at // 12, at % 12 + 1, 14) for at in range(46)]


@pytest.fixture
def house(user: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two customers; every month is ten tonnes more than the same month of the last year."""
    rows = [
        (f"{buyer}{at}", "NORD", buyer, "COIL", day, 100.0 + 5 * (at % 12) + 10 * (at // 12))
        for buyer in ("K-1", "K-2")
        for at, day in enumerate(MONTHS)
    ]
    names = [column.split()[0] for column in COLUMNS.split(", ")]
    user.load("order_line", COLUMNS, pl.DataFrame(rows, schema=names, orient="row"))
    # Nobody listens there: that is logged, and stops nothing.
    monkeypatch.setenv("HOOKS", "json://me:secret@127.0.0.1:1/x")
    (user.folder / "tonnage.toml").write_text(CONFIG)
    return user


def test_how_earlier_forecasts_did(house: Any) -> None:
    assert "Nothing yet" in house.run("accuracy").out
    for month in ("2026-07", "2026-08", "2026-09"):
        said = house.run("retrain", "--month", month)
        assert said.code == 0, said.err
        assert "secret" not in said.err
        assert "not told" in said.err
    rows = json.loads(house.run("accuracy", "--json").out)
    total = {row["lead"]: row for row in rows if row["level"] == "total"}
    # August: 150 + 150 came of 140 + 140 said; September 155 + 155 of 145 + 145, at two leads.
    assert total["1"]["bias"] == pytest.approx(-40 / (2 * 165 + 2 * 170))
    assert 0 < total["1"]["wape"] < 0.1
    assert (total["1"]["months"], total["2"]["months"]) == (2, 1)
    assert total["all"]["mae_ratio_seasonal"] > 0
    served = house.service().get("/v1/accuracy?by=lead&level=total").json()["rows"]
    for row in served:
        for name in ("wape", "bias", "value_added_seasonal", "wql", "coverage_p10_p90", "cells"):
            assert row[name] == pytest.approx(total[str(row["lead"])][name]), name
    assert [row["lead"] for row in served] == [1, 2]
    classes = house.service().get("/v1/accuracy?by=abc,demand_class").json()["rows"]
    assert sum(row["cells"] for row in classes if row["level"] == "total") == total["all"]["cells"]
    written = house.run("accuracy", "--level", "material,organization,customer", "--csv").out.splitlines()
    assert written[1].startswith('"organization,customer,material",all,2,')
    assert "organization" in house.run("accuracy", "--from", "2026-09").out
    assert house.run("accuracy", "--to", "2026-07", "--json").out == "[]\n"


def test_what_a_monitoring_system_gets(house: Any) -> None:
    assert house.run("retrain", "--month", "2026-08").code == 0
    assert house.run("retrain", "--month", "2026-09").code == 0
    assert house.run("retrain", "--month", "2026-09").code == 0
    text = house.run("metrics").out
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["tonnage_months_run", "published"] == 2
    assert samples["tonnage_months_run", "repeated"] == 1
    assert 0 < samples["tonnage_wape_one_month_ahead_ratio", "total"] < 0.1
    assert samples["tonnage_drift_events_open", "errors"] == 0
    stages = {key[1] for key in samples if key[0] == "tonnage_stage_seconds"}
    assert stages == {
        "contest",
        "record",
        "snapshot",
        "panel",
        "fit",
        "forecast",
        "publish",
        "review",
        "causes",
    }


def test_a_month_that_fails_leaves_its_times(house: Any) -> None:
    said = house.run("retrain", "--month", "2027-05")
    assert said.code == 2
    assert "outcome=failed" in said.err
    assert 'tonnage_months_run{outcome="failed"} 1.0' in house.run("metrics").out


def test_no_drift_is_said(house: Any) -> None:
    assert "nothing has left its bounds" in house.run("drift", "list").out
    assert house.run("drift", "list", "--json").out == "[]\n"
    unknown = house.run("drift", "show", "2026")
    assert unknown.code == 2
    assert "there are none" in unknown.err


def test_an_address_in_the_configuration_is_refused_unseen(house: Any) -> None:
    (house.folder / "tonnage.toml").write_text(CONFIG.replace("env:HOOKS", "json://me:hidden@host"))
    said = house.run("retrain", "--month", "2026-09")
    assert said.code == 2
    assert "notify.urls" in said.err
    assert "hidden" not in said.err
