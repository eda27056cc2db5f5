"""An auditor's questions about two months of an order book: made again, walked back, and compared."""

import datetime as dt
import json
import os
import re
import shlex
import subprocess
import sys
from typing import Any

import numpy as np
import polars as pl
import pytest
import sqlalchemy as sa

from app.store.run_records import run_record
from app.store.stored_forecast import stored_forecast
from retrain.recipes import recipe_content, shipped_recipes
from retrain.run_diff import CAUSES, ROUNDING

CONFIG = """
[hierarchy]
levels = ["total", "organization", "customer", "organization,customer,material"]

[forecast]
horizon = 4
quantiles = [0.1, 0.5, 0.9]
{recipe}

[snapshots]
max_change = 0.5

[sources.erp]
url = "env:TONNAGE_DATABASE_URL"
table = "order_line"
unit = "kg"

[sources.erp.columns]
line = "position"
organization = "company"
customer = "buyer"
material = "article"
date = "requested"
quantity = "quantity"

[sources.mill]
url = "env:TONNAGE_DATABASE_URL"
table = "mill_line"
unit = "t"

[sources.mill.columns]
line = "position"
organization = "company"
customer = "buyer"
material = "article"
date = "requested"
quantity = "quantity"
"""
COLUMNS = "position text, company text, buyer text, article text, requested date, quantity numeric"


def lines(seed: int) -> pl.DataFrame:
    """Two years up to 2026-10 of three buyers in two companies; K-104 is written in two ways."""
    random = np.random.default_rng(seed)
    rows = []
    for month in range(24):
        day = dt.date(2024 + (10 + month) // 12, (10 + month) % 12 + 1, 14)
        for company in ("NORD", "WEST"):
            for buyer in ("K-104", "k-104", "K-7"):
                size = 100 + 30 * np.sin(month) + random.integers(0, 50)
                rows.append(
                    (
                        f"{seed}-{len(rows):04d}",
                        company,
                        buyer,
                        random.choice(["HEB", "COIL"]),
                        day,
                        int(size),
                    )
                )
    names = [column.split()[0] for column in COLUMNS.split(", ")]
    return pl.DataFrame(rows, schema=names, orient="row")


def retrained(user: Any, *arguments: str) -> str:
    said = user.run("retrain", *arguments)
    assert said.code == 0, said.err
    found = re.search(r"Run (\S+) published", said.out)
    assert found, said.out
    return found[1]


@pytest.fixture
def book(user: Any) -> Any:
    """An order book in two sources."""
    (user.folder / "tonnage.toml").write_text(CONFIG.format(recipe=""))
    user.load("order_line", COLUMNS, lines(1))
    user.load("mill_line", COLUMNS, lines(2))
    return user


def as_json(user: Any, *arguments: str, code: int = 0) -> dict[str, Any]:
    said = user.run(*arguments, "--json")
    assert said.code == code, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def in_a_process_of_its_own(threads: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tonnage", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NUMBA_NUM_THREADS": str(threads), "POLARS_MAX_THREADS": str(threads)},
    )


class TestReproduce:
    def test_identical_in_a_fresh_process_with_other_threads_until_a_byte_changes(self, book: Any) -> None:
        run = retrained(book, "--month", "2026-10")
        for threads in (1, 2):
            said = in_a_process_of_its_own(threads, "reproduce", run[:12])
            assert said.returncode == 0, said.stderr
            assert f"Run {run} is identical, byte for byte" in said.stdout
            assert "made by version" not in said.stdout

        (part,) = [
            path
            for path in (book.folder / "home/snapshots/parts").rglob("lines.parquet")
            if pl.read_parquet(path)["date"][0] == dt.date(2025, 3, 14)
            and pl.read_parquet(path)["quantity"].max() < 1000
        ]
        content = bytearray(part.read_bytes())
        place = content.index(b"K-7")
        content[place + 2] = ord("8")
        part.write_bytes(content)
        found = as_json(book, "reproduce", run, code=3)
        assert not found["identical"] and not found["numbers"]
        assert len(found["damage"]) == 1 and "2025-03 of source 'erp'" in found["damage"][0]
        assert part.parent.name in found["damage"][0]

    def test_a_stored_number_that_changed_is_named(self, book: Any) -> None:
        run = retrained(book, "--month", "2026-10")
        with book.engine.begin() as connection:
            connection.execute(
                sa.text(
                    "update forecast set mean = mean + 0.001 from node where node.id = node_id "
                    "and level = 'customer' and customer = 'K-7' and month = '2026-12-01'"
                )
            )
        said = book.run("reproduce", run)
        assert said.code == 3
        assert f"Run {run} is not identical" in said.out
        assert "1 of" in said.out and "most the mean of customer K-7 in 2026-12: stored" in said.out
        with book.engine.begin() as connection:
            connection.execute(sa.text("delete from forecast where month = '2026-12-01'"))
        assert "rows of the run are missing" in as_json(book, "reproduce", run, code=3)["numbers"][0]

    def test_what_was_recorded_wrongly_is_named(self, book: Any) -> None:
        """Another commit is told and does no harm; another checksum, recipe or snapshot does."""
        run = retrained(book, "--month", "2026-10")

        def after(change: str, code: int = 3) -> dict[str, Any]:
            with book.engine.begin() as connection:
                connection.execute(sa.text(f"update run set {change}"))
            return as_json(book, "reproduce", run, code=code)

        found = after("code_version = '0.1.9', code_commit = 'abc+dirty', code_lock = 'def'", code=0)
        assert found["identical"]
        assert "the run was made by version 0.1.9, this is" in found["code"][0]
        assert "the run was made by lock file def, this is" in found["code"][2]
        assert "changes to commit abc+dirty that no commit has" in found["code"][3]
        checksum = run_record(book.engine, run).checksum
        found = after("checksum = 'cafe'")
        assert found["numbers"] == [f"what is computed has checksum {checksum}, recorded is cafe"]
        found = after("""recipe = recipe || '{"members": ["theta"]}'""")
        assert len(found["numbers"]) == 2 and "stored numbers are not what is computed" in found["numbers"][1]
        found = after("snapshot = repeat('0', 64)")
        assert "no snapshot" in found["damage"][0]
        with book.engine.begin() as connection:
            connection.execute(sa.text("update run set plan = null"))
        said = book.run("reproduce", run)
        assert said.code == 2 and "before version 0.3" in said.err


class TestTrace:
    def test_a_forecast_is_walked_back_to_its_lines(self, book: Any) -> None:
        run = retrained(book, "--month", "2026-10")
        where = ("--customer", "K-104", "--month", "2026-11")
        found = as_json(book, "trace", run, *where, "--lines", "1000")
        answer = book.service().get("/v1/forecasts?level=customer&customer=K-104").json()
        (node,) = answer["forecasts"]
        assert {"month": "2026-11", "mean": found["value"], **found["quantiles"]} == node["months"][0]
        assert found["run"]["id"] == answer["run"]["id"] == run
        assert found["run"]["recipe"]["name"] == "ensemble" and found["run"]["verdict"]["because"]
        assert found["snapshot"]["id"] == answer["run"]["snapshot"]
        assert [each["name"] for each in found["snapshot"]["sources"]] == ["erp", "mill"]

        erp, mill = (lines(seed).filter(pl.col("buyer").str.to_uppercase() == "K-104") for seed in (1, 2))
        kilograms = int(erp["quantity"].sum()) + 1000 * int(mill["quantity"].sum())
        assert found["history"]["quantity"] == kilograms
        assert sum(line["quantity"] for line in found["lines"]) == kilograms
        assert {(line["source"], line["line"]) for line in found["lines"]} == {
            (name, line) for name, own in (("erp", erp), ("mill", mill)) for line in own["position"]
        }
        with book.engine.connect() as connection:
            history = connection.scalar(
                sa.text(
                    "select quantity from history join node on id = node_id "
                    "where level = 'customer' and customer = 'K-104'"
                )
            )
        by_month: dict[str, int] = {}
        for row in found["history"]["months"]:
            by_month[row["month"]] = by_month.get(row["month"], 0) + row["quantity"]
        assert [round(1000 * tonnes) for tonnes in history] == list(by_month.values())

        served = book.service().get("/v1/lineage/customer=K-104/2026-11").json()
        assert (served["value"], served["quantiles"]) == (found["value"], found["quantiles"])
        assert [round(1000 * row["quantity"]) for row in served["history"]] == list(by_month.values())
        assert [row["month"] for row in served["history"]] == list(by_month)
        assert served["snapshot"]["id"] == found["snapshot"]["id"]
        assert [each["name"] for each in served["snapshot"]["sources"]] == ["erp", "mill"]
        assert served["model"]["registered"] == {"name": "tonnage-customer", "version": "1"}
        command = shlex.split(served["lines"]["command"])[1:]
        assert as_json(book, *command, "--lines=1000") == found
        kept = book.service().get(f"/v1/snapshots/{found['snapshot']['id']}").json()["facts"]
        assert [each["kept"]["quantity"] for each in kept["sources"]] == [
            each["quantity"] for each in found["snapshot"]["sources"]
        ]
        assert book.service().get("/v1/models").json()["bundle"]["name"] == "tonnage-forecaster"
        told = book.run("trace", run, *where, "--lines", "3").out
        for expected in (
            "customer K-104 will buy", f"run {run}", "recipe ensemble", "verdict: ensemble stays", "commit",
            "source mill: postgresql", "earlier months", "2026-10:", "kg of erp", "192 shows all",
        ):  # fmt: skip
            assert expected in told, expected

    def test_a_month_of_history_has_its_own_lines(self, book: Any) -> None:
        run = retrained(book, "--month", "2026-10")
        where = ("--organization", "NORD", "--month", "2026-02", "--lines", "99")
        found = as_json(book, "trace", run, *where)
        own = [
            lines(seed).filter(pl.col("company") == "NORD", pl.col("requested") == dt.date(2026, 2, 14))
            for seed in (1, 2)
        ]
        kilograms = int(own[0]["quantity"].sum()) + 1000 * int(own[1]["quantity"].sum())
        assert (found["kind"], found["value"]) == ("history", kilograms / 1000)
        assert sum(line["quantity"] for line in found["lines"]) == kilograms
        assert {line["date"] for line in found["lines"]} == {"2026-02-14"} and len(found["lines"]) == 6
        assert found["quantiles"] == {}
        assert "organization NORD bought" in book.run("trace", run, *where).out

    def test_mistakes_are_told(self, book: Any) -> None:
        run = retrained(book, "--month", "2026-10")
        for arguments, told in (
            ((run, "--customer", "K-9", "--month", "2026-11"), "level 'customer' has no customer 'K-9'"),
            ((run, "--material", "HEB", "--month", "2026-11"), "the run has no level 'material'"),
            ((run, "--month", "2027-11"), "the run forecasts 2026-11 to 2027-02"),
            (("2031", "--month", "2026-11"), "there is no run '2031'"),
        ):
            said = book.run("trace", *arguments)
            assert said.code == 2 and told in said.err


class TestDiff:
    def test_the_same_month_after_its_history_changed(self, book: Any) -> None:
        """One late line of K-7 at WEST: changed history is the one cause, and it adds up."""
        one = retrained(book, "--month", "2026-10")
        with book.engine.begin() as connection:
            connection.execute(
                sa.text("insert into mill_line values ('L', 'WEST', 'K-7', 'HEB', '2026-08-20', 60)")
            )
        two = retrained(book, "--month", "2026-10", "--accept", "entered late")
        found = as_json(book, "runs", "diff", one, two, "--level", "customer", "--top", "99")
        assert found["months"] == ["2026-11", "2026-12", "2027-01", "2027-02"]
        moved = {cause for cause in CAUSES if any(found["total"]["causes"][cause])}
        assert moved == {"history"}
        assert found["nodes"][0]["node"] == {"customer": "K-7"}
        self.adds_up(book, one, two, found)
        served = book.service().get(f"/v1/runs/{one}/diff?to={two}&level=customer&limit=99").json()
        self.is_served(served, found)
        assert served["nodes"][0]["causes"] == found["nodes"][0]["causes"]
        told = book.run("runs", "diff", one, two).out
        assert (
            "changed history" in told and "organization,customer,material, 2026-11 to 2027-02, in t" in told
        )

    def test_the_next_month_by_another_recipe(self, book: Any) -> None:
        (book.folder / "tonnage.toml").write_text(CONFIG.format(recipe='recipe = "theta"'))
        one = retrained(book, "--month", "2026-09")
        (book.folder / "tonnage.toml").write_text(CONFIG.format(recipe='recipe = "smoothing"'))
        with book.engine.begin() as connection:
            # Without a champion the plan's own recipe is taken.
            kept = connection.scalar(sa.text("update run set recipe = null returning verdict->'winner'"))
            assert kept["recipe"] == "theta"
            connection.execute(sa.text("delete from mlflow.registered_model_aliases"))
        two = retrained(book, "--month", "2026-10")
        with book.engine.begin() as connection:
            connection.execute(
                sa.text("update run set recipe = cast(:recipe as jsonb) where id = :run"),
                {"recipe": json.dumps(recipe_content(shipped_recipes().pick("theta"))), "run": one},
            )
        found = as_json(book, "runs", "diff", one, two, "--level", "total")
        assert found["months"] == ["2026-11", "2026-12", "2027-01"]
        moved = {cause for cause in CAUSES if any(found["total"]["causes"][cause])}
        assert moved == {"actuals", "recipe"}
        self.adds_up(book, one, two, found)
        # When it was run nobody could tell what the one before was made by: it was published all the same.
        served = book.service().get(f"/v1/runs/{one}/diff?to={two}&level=total").json()
        assert f"tonnage runs diff {one} {two}" in served["why_no_causes"]
        self.is_served(served, found)
        back = as_json(book, "runs", "diff", two, one, "--level", "total")
        for cause in CAUSES:
            assert back["total"]["causes"][cause] == [-each for each in found["total"]["causes"][cause]]
        said = book.run("runs", "diff", one, two, "--level", "material")
        assert said.code == 2 and "'material' is no level of both runs" in said.err

    def test_code_of_another_day_is_what_is_left(self, book: Any) -> None:
        """A published number that the code of now does not come to."""
        run = retrained(book, "--month", "2026-10")
        with book.engine.begin() as connection:
            connection.execute(
                sa.text(
                    "create temporary table twin on commit drop as select * from run; "
                    "update twin set id = '2026-10-twin'; "
                    "insert into run overriding user value select * from twin; "
                    "insert into forecast "
                    "select '2026-10-twin', node_id, month, 2 * mean, quantiles from forecast"
                )
            )
        found = as_json(book, "runs", "diff", run, "2026-10-twin", "--level", "total")
        assert {cause for cause in CAUSES if any(found["total"]["causes"][cause])} == {"code"}
        assert found["total"]["causes"]["code"] == found["total"]["before"]

    def is_served(self, served: dict[str, Any], found: dict[str, Any]) -> None:
        """The service says what the command line says, and the same causes where it has any."""
        assert (served["months"], served["unit"]) == (found["months"], found["unit"])
        assert len(served["nodes"]) == len(found["nodes"])
        for ours, theirs in (
            (served["all"], found["total"]),
            *zip(served["nodes"], found["nodes"], strict=True),
        ):
            for name in ("before", "after", "change"):
                assert ours[name] == pytest.approx(theirs[name], abs=1e-9)
            if served["why_no_causes"] is None:
                for cause in CAUSES:
                    assert ours["causes"][cause] == pytest.approx(theirs["causes"][cause], abs=1e-9)

    def adds_up(self, book: Any, one: str, two: str, found: dict[str, Any]) -> None:
        """Causes sum up to what was published, for every node that is told and for all."""
        for each in (found["total"], *found["nodes"]):
            summed = np.sum([each["causes"][cause] for cause in CAUSES], axis=0)
            change = np.array(each["after"]) - np.array(each["before"])
            assert change == pytest.approx(np.array(each["change"]), abs=1e-9)
            assert np.abs(summed - change).max() <= ROUNDING * 10 * max(each["after"] + each["before"])
        level = found["level"]
        for run, name in ((one, "before"), (two, "after")):
            stored = stored_forecast(book.engine, run_record(book.engine, run))
            own = (stored.nodes["level"] == level).to_numpy()
            first = stored.mean.shape[1] - len(found["months"]) if name == "before" else 0
            published = stored.mean[own, first : first + len(found["months"])].sum(axis=0)
            assert found["total"][name] == pytest.approx(published.tolist(), rel=1e-12)
