"""The lines behind a node: exactly those that its history counts, to the kilogram."""

import datetime as dt
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from forecasting.months import Month
from ingestion.errors import UnknownKey
from ingestion.master_data import MasterData
from ingestion.monthly import build_panel
from ingestion.node_lines import node_lines
from ingestion.order_line import LINES
from ingestion.snapshot import Snapshot

KEYS = ("organization", "customer", "material", "group")
LEVELS = (
    (),
    ("organization",),
    ("customer",),
    ("group",),
    ("organization", "group"),
    ("organization", "customer", "material"),
)


@pytest.fixture
def snapshot(sealed: Callable[..., Snapshot]) -> Snapshot:
    """Six hundred lines of two sources over a year; customers and materials in several spellings."""
    random = np.random.default_rng(5)
    count = 600
    days = [dt.date(2025, 11, 1) + dt.timedelta(days=int(at)) for at in random.integers(0, 365, count - 1)]
    lines = pl.DataFrame(
        {
            "source": random.choice(["erp", "west"], count),
            "line": [f"{at:04d}" for at in range(count)],
            "organization": random.choice(["NORD", "WEST"], count),
            "customer": random.choice(["K-1", "k-1", "K-2", "K-3"], count),
            "material": random.choice(["HEB", "heb", "Coil", "Rod"], count),
            "date": [*days, dt.date(2026, 10, 31)],
            "quantity": random.integers(-500, 5000, count),
        },
        schema=LINES,
    )
    materials = pl.DataFrame({"material": ["HEB", "COIL"], "group": ["Long", "Flat"]})
    master = MasterData({"material": materials}, {"group": "material"}, {"material": 0})
    return sealed(lines, master=master)


@pytest.mark.parametrize("level", LEVELS)
def test_lines_of_every_node_add_up_to_its_history(snapshot: Snapshot, level: tuple[str, ...]) -> None:
    panel = build_panel(snapshot, KEYS, LEVELS)
    history = panel.nodes()
    part = panel.hierarchy.slices[panel.hierarchy.levels.index(level)]
    counted = 0
    for row in range(part.start, part.stop):
        names = panel.hierarchy.nodes.row(row, named=True)
        found = node_lines(snapshot, {key: names[key] for key in level}, most=10**6)
        months = found.months.group_by("month").agg(pl.col("quantity").sum())
        kilograms = dict(months.iter_rows())
        for at in range(panel.n_months):
            kilogram = kilograms.get(str(panel.first + at), 0)
            # A leaf is the nearest float; above it are sums of those.
            assert history[row, at] * 1000 == pytest.approx(kilogram, abs=1e-6)
            assert level != LEVELS[-1] or history[row, at] == kilogram / 1000
        assert found.newest.height == found.count and found.newest["quantity"].sum() == found.quantity
        counted += found.count
    assert counted == snapshot.lines.height


def test_the_lines_are_those_that_an_eye_would_pick(snapshot: Snapshot) -> None:
    found = node_lines(snapshot, {"customer": "K-1", "group": "Long"}, most=10**6)
    expected = snapshot.lines.filter(
        pl.col("customer").is_in(["K-1", "k-1"]), pl.col("material").is_in(["HEB", "heb"])
    )
    assert found.newest.sort("source", "line").equals(expected)
    assert {"k-1", "K-1"} == set(found.newest["customer"])


def test_the_newest_come_first_and_no_more_than_asked(snapshot: Snapshot) -> None:
    whole = node_lines(snapshot, {}, most=10**6)
    some = node_lines(snapshot, {}, most=7)
    assert some.newest.equals(whole.newest.head(7))
    assert some.newest["date"][0] == snapshot.lines["date"].max()
    assert some.newest["date"].is_sorted(descending=True)
    assert some.months.equals(whole.months) and some.count == 600
    assert node_lines(snapshot, {}, most=0).newest.is_empty()


def test_of_one_month_alone(snapshot: Snapshot) -> None:
    month = Month(2026, 3)
    found = node_lines(snapshot, {"organization": "NORD"}, month=month, most=10**6)
    expected = snapshot.lines.filter(
        pl.col("organization") == "NORD", pl.col("date").dt.month() == 3, pl.col("date").dt.year() == 2026
    )
    assert found.newest.sort("source", "line").equals(expected)
    assert found.months["month"].unique().to_list() == ["2026-03"]
    assert found.months["source"].to_list() == ["erp", "west"]


def test_what_nobody_bought_has_no_line(snapshot: Snapshot) -> None:
    found = node_lines(snapshot, {"customer": "K-9"}, most=5)
    assert (found.count, found.quantity, found.newest.height) == (0, 0, 0)
    with pytest.raises(UnknownKey):
        node_lines(snapshot, {"grade": "S235"}, most=5)
