"""From lines to the panel, computed by hand."""

import sqlite3
from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.months import Month
from ingestion.errors import EmptyMonth, UnknownKey
from ingestion.master_config import parse_master
from ingestion.master_data import MasterData, gather
from ingestion.monthly import build_panel
from ingestion.order_line import LINES
from ingestion.snapshot import Snapshot
from ingestion.units import DemandUnit

KEYS = ("organization", "customer", "material")
LEVELS = ((), ("organization",), KEYS)


type Sealed = Callable[..., Snapshot]


@pytest.fixture(scope="session")
def snapshot(sealed: Sealed) -> Callable[..., Snapshot]:
    def make(
        *lines: tuple[str, str, date, int],
        demand: DemandUnit = DemandUnit.TONNE,
        master: MasterData | None = None,
    ) -> Snapshot:
        """October 2026 with lines of (customer, material, date, quantity) at NORD."""
        rows = [
            ("erp", str(number), "NORD", customer, material, day, quantity)
            for number, (customer, material, day, quantity) in enumerate(lines)
        ]
        return sealed(pl.DataFrame(rows, schema=LINES, orient="row"), demand=demand, master=master)

    return make


def master_data(segments: dict[str, str]) -> MasterData:
    """Customers and their segments."""
    described = {"url": "env:URL", "table": "t", "columns": {"customer": "c", "segment": "s"}}
    (config,) = parse_master({"master": {"customer": described}}, {"URL": "postgresql://db/erp"})
    rows = list(segments.items())
    schema = {"customer": pl.String, "segment": pl.String}
    return gather([(config, pl.DataFrame(rows, schema=schema, orient="row"))])


ORDERS = (
    ("K-2", "HEB-200", date(2026, 8, 3), 1_000),
    ("K-2", "HEB-200", date(2026, 8, 31), 2_501),
    ("K-2", "HEB-200", date(2026, 10, 1), -700),
    ("K-1", "IPE-80", date(2026, 9, 30), -250),
    ("K-1", "IPE-80", date(2026, 10, 31), 12_500),
)


def test_lines_add_up_by_leaf_and_month_in_tonnes(snapshot: Sealed) -> None:
    panel = build_panel(snapshot(*ORDERS), KEYS, LEVELS)
    assert panel.hierarchy.leaves.rows() == [("NORD", "K-1", "IPE-80"), ("NORD", "K-2", "HEB-200")]
    assert (panel.first, panel.origin) == (Month(2026, 8), Month(2026, 10))
    np.testing.assert_array_equal(panel.quantity, [[0, -0.25, 12.5], [3.501, 0, -0.7]])
    np.testing.assert_array_equal(panel.born, [1, 0])


def test_pieces_stay_pieces_and_fewer_keys_make_fewer_leaves(snapshot: Sealed) -> None:
    panel = build_panel(snapshot(*ORDERS, demand=DemandUnit.PIECE), ("organization",), ((), KEYS[:1]))
    np.testing.assert_array_equal(panel.quantity, [[3_501, -250, 11_800]])


def test_one_month_of_history_is_a_panel(snapshot: Sealed) -> None:
    panel = build_panel(snapshot(ORDERS[-1]), KEYS, LEVELS)
    assert (panel.n_months, panel.origin) == (1, Month(2026, 10))


def test_a_month_without_lines_names_the_newest_that_has(snapshot: Sealed) -> None:
    with pytest.raises(EmptyMonth, match="use --month 2026-08") as caught:
        build_panel(snapshot(*ORDERS[:2]), KEYS, LEVELS)
    assert (caught.value.month, caught.value.newest) == (Month(2026, 10), Month(2026, 8))


def test_no_lines_at_all_are_an_empty_month_too(snapshot: Sealed) -> None:
    with pytest.raises(EmptyMonth, match="no order line is left up to 2026-10") as caught:
        build_panel(snapshot(), KEYS, LEVELS)
    assert caught.value.newest is None


def test_a_key_that_lines_do_not_have_is_named(snapshot: Sealed) -> None:
    with pytest.raises(UnknownKey, match="'region' is not a key; keys are organization") as caught:
        build_panel(snapshot(*ORDERS), ("organization", "region"), LEVELS)
    assert (caught.value.key, caught.value.available) == ("region", KEYS)


def test_differently_cased_keys_are_one_leaf(snapshot: Sealed) -> None:
    lines = [(customer, "HEB-200", date(2026, 10, 1), 1_000) for customer in ("k-1", "K-1", "K-2", "k-2")]
    panel = build_panel(snapshot(*lines, master=master_data({"K-1": "A", "k-2": "B"})), KEYS, LEVELS)
    assert panel.hierarchy.leaves.rows() == [("NORD", "K-1", "HEB-200"), ("NORD", "k-2", "HEB-200")]
    np.testing.assert_array_equal(panel.quantity, [[2.0], [2.0]])
    panel = build_panel(snapshot(*lines), KEYS, LEVELS)
    assert panel.hierarchy.leaves["customer"].to_list() == ["K-1", "K-2"]


def test_attributes_are_levels_and_what_nobody_knows_is_unknown(snapshot: Sealed) -> None:
    segments = ("segment",)
    master = master_data({"k-2": "A"})
    keys, levels = (*KEYS, "segment"), ((), segments, KEYS)
    panel = build_panel(snapshot(*ORDERS, master=master), keys, levels)
    assert panel.hierarchy.leaves.rows() == [
        ("NORD", "K-1", "IPE-80", "unknown"),
        ("NORD", "k-2", "HEB-200", "A"),
    ]
    np.testing.assert_array_equal(
        panel.hierarchy.aggregate(panel.quantity)[:3],
        [[3.501, -0.25, 11.8], [3.501, 0, -0.7], [0, -0.25, 12.5]],
    )
    panel = build_panel(snapshot(*ORDERS, master=master), segments, ((), segments))
    assert panel.hierarchy.leaves.rows() == [("A",), ("unknown",)]
    np.testing.assert_array_equal(panel.quantity, [[3.501, 0, -0.7], [0, -0.25, 12.5]])


customer = st.sampled_from(["K-1", "k-1", "K-2", "K-3", "ü", "Ü"])
order = st.tuples(customer, st.sampled_from(["x", "X", "y"]), st.dates(date(2026, 6, 1), date(2026, 10, 31)))
orders = st.lists(st.tuples(order, st.integers(-5_000, 5_000)), max_size=12)
known = st.dictionaries(customer, st.sampled_from(["A", "B", "b", ""]), max_size=4)


@given(orders, known)
def test_sums_are_those_of_sql(
    snapshot: Sealed, placed: list[tuple[tuple[str, str, date], int]], known: dict[str, str]
) -> None:
    lines = [(*order, quantity) for order, quantity in placed] + [("K-9", "y", date(2026, 10, 1), 1)]
    master = master_data(known)
    taken = snapshot(*lines, master=master)
    segment = ("segment",)
    panel = build_panel(taken, (*KEYS, "segment"), ((), segment, KEYS))
    with sqlite3.connect(":memory:") as database:
        database.create_function("lower_all", 1, str.lower)
        database.execute("create table line (customer, date, quantity)")
        rows = taken.lines.select("customer", pl.col("date").cast(pl.String), "quantity").rows()
        database.executemany("insert into line values (?, ?, ?)", rows)
        database.execute("create table master (customer, segment)")
        table = master.tables["customer"].select("customer", "segment").rows()
        database.executemany("insert into master values (?, ?)", table)
        expected = database.execute(
            "select coalesce(segment, 'unknown') as s, substr(date, 1, 7) as m, sum(quantity) "
            "from line left join master on lower_all(line.customer) = lower_all(master.customer) "
            "group by s, m having sum(quantity) <> 0 order by s, m"
        ).fetchall()
    database.close()
    nodes = panel.hierarchy.nodes.filter(pl.col("level") == "segment")["segment"].to_list()
    sums = panel.hierarchy.aggregate(panel.quantity)[panel.hierarchy.slices[1]]
    found = [
        (node, str(panel.first + step), round(1000 * sums[row, step]))
        for row, node in enumerate(nodes)
        for step in range(panel.n_months)
        if round(1000 * sums[row, step])
    ]
    assert sorted(found) == sorted(expected)
