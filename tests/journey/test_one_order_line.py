"""From order lines in a database to numbers in JSON that can be computed by hand."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

CONFIG = """
[forecast]
horizon = 3
quantiles = [0.1, 0.5, 0.9]

[sources.erp]
url = "env:TONNAGE_DATABASE_URL"
table = "order_line"

[sources.erp.columns]
line = "position"
organization = "company"
customer = "buyer"
material = "article"
date = "requested"
quantity = "quantity"
unit = "uom"
status = "state"
"""
COLUMNS = (
    "position text, company text, buyer text, article text, "
    "requested date, quantity numeric, uom text, state text"
)


def lines() -> pl.DataFrame:
    """Three years of 12,500 kg of HEB-200 for K-104 and 7.5 t of REBAR-12 for K-105, every month."""
    months = [dt.date(2023 + (10 + m) // 12, (10 + m) % 12 + 1, 14) for m in range(36)]
    beams = [(f"A{m}", "NORD", "K-104", "HEB-200", day, 12_500.0, "kg", "ok") for m, day in enumerate(months)]
    bars = [(f"B{m}", "NORD", "K-105", "REBAR-12", day, 7.5, "t", "ok") for m, day in enumerate(months)]
    noise = [
        ("C1", "NORD", "K-104", "HEB-200", months[-1], 99.0, "t", "cancelled"),
        ("C2", "NORD", "K-104", "HEB-200", months[-1], 99.0, "bundle", "ok"),
        ("C3", "NORD", "K-104", "HEB-200", dt.date(2026, 11, 2), 99.0, "t", "ok"),
    ]
    names = [column.split()[0] for column in COLUMNS.split(", ")]
    return pl.DataFrame([*beams, *bars, *noise], schema=names, orient="row")


@pytest.fixture
def published(user: Any) -> Any:
    (user.folder / "tonnage.toml").write_text(CONFIG)
    user.load("order_line", COLUMNS, lines())
    said = user.run("retrain", "--month", "2026-10")
    assert said.code == 0, said.err
    return user


def test_the_number_in_the_answer(published: Any) -> None:
    answer = published.service().get("/v1/forecasts?level=customer&customer=K-104&quantiles=0.5").json()
    assert (answer["unit"], answer["level"], answer["next"]) == ("t", "customer", None)
    assert answer["run"]["origin"] == "2026-10"
    (node,) = answer["forecasts"]
    assert (node["organization"], node["customer"], node["material"]) == (None, "K-104", None)
    assert [month["month"] for month in node["months"]] == ["2026-11", "2026-12", "2027-01"]
    assert [month["mean"] for month in node["months"]] == pytest.approx([12.5] * 3, rel=1e-6)
    assert [month["p50"] for month in node["months"]] == pytest.approx([12.5] * 3, rel=1e-6)


def test_the_total_is_the_sum(published: Any) -> None:
    (total,) = published.service().get("/v1/forecasts").json()["forecasts"]
    assert [month["mean"] for month in total["months"]] == pytest.approx([20.0] * 3, rel=1e-6)


def test_the_answer_names_its_snapshot(published: Any) -> None:
    run = published.service().get("/v1/runs/current").json()
    manifests = list((published.folder / "home/snapshots/taken/2026-10").iterdir())
    assert [path.name for path in manifests] == [run["snapshot"]]


def test_export_gives_the_bytes_of_the_service(published: Any) -> None:
    said = published.run("export", "--level", "customer", "--from", "2026-12", "--output", "out.csv")
    assert said.code == 0
    answer = published.service().get("/v1/forecasts?level=customer&from=2026-12&format=csv")
    assert (published.folder / "out.csv").read_bytes() == answer.content
    assert published.run("export", "--level", "customer", "--from", "2026-12").out == answer.text


def test_a_second_time_nothing_changes(published: Any) -> None:
    before = published.service().get("/v1/forecasts?level=material&format=csv").content
    current = published.service().get("/v1/runs/current").json()
    rows = _rows(published)
    for command in ("ingest", "retrain"):
        assert published.run(command, "--month", "2026-10").code == 0
    assert published.service().get("/v1/forecasts?level=material&format=csv").content == before
    assert published.service().get("/v1/runs/current").json() == current
    assert _rows(published) == rows
    assert len(list((published.folder / "home/snapshots/taken/2026-10").iterdir())) == 1


def _rows(user: Any) -> list[int]:
    with user.engine.connect() as connection:
        return [
            connection.exec_driver_sql(f"select count(*) from {table}").scalar_one()
            for table in ("run", "node", "forecast", "current_run")
        ]


def test_a_corrected_line_gives_another_snapshot_and_run(published: Any) -> None:
    before = published.service().get("/v1/runs/current").json()
    with published.engine.begin() as connection:
        connection.exec_driver_sql("update order_line set quantity = 15000 where position = 'A35'")
    assert published.run("retrain", "--month", "2026-10").code == 0
    after = published.service().get("/v1/runs/current").json()
    assert after["snapshot"] != before["snapshot"]
    assert after["id"] != before["id"]


MASTER = """
[master.material]
url = "env:TONNAGE_DATABASE_URL"
table = "article"

[master.material.columns]
material = "no"
material_group = "form"

[hierarchy]
levels = ["total", "material_group", "organization,material_group", "organization,customer,material"]
"""


def test_an_attribute_of_master_data_is_a_level_to_ask_for(user: Any) -> None:
    (user.folder / "tonnage.toml").write_text(CONFIG + MASTER)
    user.load("order_line", COLUMNS, lines())
    user.load("article", "no text, form text", pl.DataFrame({"no": ["heb-200"], "form": ["Long; beams"]}))
    assert (said := user.run("retrain", "--month", "2026-10")).code == 0, said.err
    service = user.service()
    answer = service.get("/v1/forecasts?level=material_group&material_group=Long%3B%20beams").json()
    (beams,) = answer["forecasts"]
    assert beams["material_group"] == "Long; beams"
    assert [month["mean"] for month in beams["months"]] == pytest.approx([12.5] * 3, rel=1e-6)
    answer = service.get("/v1/forecasts?level=organization,material_group&organization=NORD").json()
    assert [node["material_group"] for node in answer["forecasts"]] == ["Long; beams", "unknown"]


def test_an_attribute_that_nobody_could_ask_for_is_refused(user: Any) -> None:
    (user.folder / "tonnage.toml").write_text((CONFIG + MASTER).replace("material_group", "p50"))
    said = user.run("retrain", "--month", "2026-10")
    assert said.code == 2
    assert "hierarchy.levels" in said.err and "'p50'" in said.err


def test_a_jump_is_held_back_until_somebody_says_why(published: Any) -> None:
    first = published.service().get("/v1/runs/current").json()["id"]
    with published.engine.begin() as connection:
        connection.exec_driver_sql(
            "update order_line set quantity = 90 * quantity where requested < '2026-10-01'"
        )
    refusal = published.run("retrain", "--month", "2026-10", "--accept", " ")
    assert refusal.code == 2
    accepted = published.run("ingest", "--month", "2026-10", "--accept", "the ERP was moved")
    assert accepted.code == 0, accepted.err
    refusal = published.run("retrain", "--month", "2026-10")
    assert refusal.code == 3
    assert "in the last published run" in refusal.err and "--accept" in refusal.err
    assert published.service().get("/v1/runs/current").json()["id"] == first
    done = published.run("retrain", "--month", "2026-10", "--accept", "the ERP was moved")
    assert done.code == 0, done.err
    assert published.service().get("/v1/runs/current").json()["id"] != first
