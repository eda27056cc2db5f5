"""The profile's tables: by hand on few lines, and against plain Python on many."""

import datetime as dt
import statistics
from collections import defaultdict
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.demand_class import DemandClass, classify
from forecasting.months import Month
from ingestion.order_line import KEYS, LINES, REJECTS
from ingestion.outliers import modified_z
from ingestion.profile import NEW_MONTHS, Profile, profile
from ingestion.units import DemandUnit

type Line = tuple[str, str, str, str, str, dt.date, int]

OCTOBER = Month(2026, 10)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def of(lines: list[Line], rejects: list[tuple[object, ...]] | None = None, month: Month = OCTOBER) -> Profile:
    return profile(
        pl.DataFrame(lines, schema=LINES, orient="row"),
        pl.DataFrame(rejects or [], schema=REJECTS, orient="row"),
        month,
        DemandUnit.TONNE,
    )


LINES_BY_HAND: list[Line] = [
    ("erp", "1", "NORD", "K-1", "COIL", day("2025-01-31"), 7_000),
    ("erp", "2", "NORD", "K-1", "COIL", day("2025-02-28"), 1_000),
    ("erp", "3", "NORD", "K-2", "COIL", day("2025-05-01"), 2_000),
    ("erp", "4", "NORD", "K-2", "COIL", day("2025-05-03"), -500),
    ("erp", "5", "NORD", "K-1", "COIL", day("2026-08-31"), 90_000),
    ("old", "1", "WEST", "K-3", "BAR", day("2026-01-15"), 500),
    ("old", "2", "WEST", "K-3", "BAR", day("2026-01-16"), 0),
]
REJECTS_BY_HAND: list[tuple[object, ...]] = [
    ("cancelled", "erp", "7", "status", "void", 3_000),
    ("missing unit", "erp", "8", "unit", None, None),
    ("missing unit", "erp", "9", "unit", "", None),
    ("date before 1970", "new", "1", "date", "0001-01-01", 10),
    ("duplicate line", "erp", "3", "line", "3", 2_000),
]


def test_the_headline_counts() -> None:
    found = of(LINES_BY_HAND, REJECTS_BY_HAND).headline
    assert (found.lines, found.quantity, found.months, found.leaves) == (7, 100_000, 22, 3)
    assert (found.first, found.last, found.newest) == (Month(2025, 1), Month(2026, 8), day("2026-08-31"))
    assert (found.sources, found.organizations, found.customers, found.materials) == (3, 2, 3, 2)
    assert (found.set_aside, found.faulty, found.returns, found.empty) == (5, 4, 1, 1)


def test_months_of_a_source_are_filled_gaps_or_outside_its_life() -> None:
    found = of(LINES_BY_HAND, REJECTS_BY_HAND)
    states = {(row["source"], row["month"]): row["state"] for row in found.grid.to_dicts()}
    assert len(states) == 2 * 22
    assert [states["erp", month] for month in ("2025-01", "2025-03", "2026-08", "2026-09")] == [
        "lines",
        "gap",
        "lines",
        "after",
    ]
    assert [states["old", month] for month in ("2025-12", "2026-01", "2026-02")] == [
        "before",
        "lines",
        "after",
    ]
    assert found.gaps.rows() == [
        ("erp", "2025-03", "2025-04", 2),
        ("erp", "2025-06", "2026-07", 14),
    ]
    assert found.sources.rows() == [
        ("erp", 5, 99_500, 4, "2025-01", "2026-08", 4, 16, 2),
        ("new", 0, 0, 1, None, None, 0, 0, 0),
        ("old", 2, 500, 0, "2026-01", "2026-01", 1, 0, 9),
    ]


def test_the_total_nets_returns_and_keeps_empty_months() -> None:
    totals = {row["month"]: row for row in of(LINES_BY_HAND).totals.to_dicts()}
    assert (len(totals), min(totals), max(totals)) == (22, "2025-01", "2026-10")
    assert totals["2025-05"] == {
        "month": "2025-05",
        "lines": 2,
        "quantity": 1_500,
        "ordered": 2_000,
        "returned": 500,
        "returns": 1,
    }
    assert totals["2025-03"]["lines"] == 0


def test_days_tell_batches_at_the_end_of_months() -> None:
    found = of(LINES_BY_HAND)
    assert found.posting.rows() == [("erp", 5, 1, 1, 3), ("old", 2, 0, 0, 0)]
    assert found.weekdays.rows()[:2] == [(1, 1, 90_000), (2, 0, 0)]
    assert found.days.row(30) == (31, 2, 97_000)


def test_new_and_vanished_customers_are_ranked_by_their_quantity() -> None:
    customers, materials = of(LINES_BY_HAND).turnovers
    assert (customers.key, customers.months, customers.comparable) == ("customer", 12, True)
    assert customers.counts.rows() == [
        ("new", 1, 500, 0),
        ("kept", 1, 90_000, 8_000),
        ("vanished", 1, 0, 1_500),
    ]
    assert customers.new.rows() == [("K-3", "2026-01", "2026-01", 2, 500, 0)]
    assert customers.vanished.rows() == [("K-2", "2025-05", "2025-05", 2, 0, 1_500)]
    assert materials.counts["keys"].to_list() == [1, 1, 0]
    assert not of(LINES_BY_HAND[4:]).turnovers[0].comparable


def test_the_largest_customer_is_class_a_alone() -> None:
    found = {each.key: each for each in of(LINES_BY_HAND).concentrations}
    assert list(found) == ["organization", "customer", "material", "leaf"]
    customers = found["customer"]
    assert customers.largest.drop("share", "cumulated").rows()[0] == ("K-1", 3, 98_000, "A")
    np.testing.assert_allclose(customers.largest["cumulated"], [0.98, 0.995, 1])
    assert customers.classes.drop("share").rows() == [("A", 1, 98_000), ("B", 0, 0), ("C", 2, 2_000)]
    np.testing.assert_allclose(customers.curve["keys"], [0, 1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(customers.curve["quantity"], [0, 0.98, 0.995, 1])


def test_a_class_ends_where_its_share_is_reached() -> None:
    sizes = {"K-1": 50, "K-2": 30, "K-3": 15, "K-4": 5, "K-5": -20}
    lines: list[Line] = [("erp", key, "N", key, "M", day("2026-10-01"), size) for key, size in sizes.items()]
    (found,) = (each for each in of(lines).concentrations if each.key == "customer")
    assert found.classes["keys"].to_list() == [2, 1, 2]
    assert found.classes["quantity"].to_list() == [80, 15, -15]


def test_leaves_have_an_age_and_a_class() -> None:
    found = of(LINES_BY_HAND)
    assert found.ages.rows() == [
        (0, 11, 1, 500, 3),
        (12, 23, 2, 99_500, 2),
        (24, 35, 0, 0, 0),
        (36, None, 0, 0, 0),
    ]
    assert found.classes.rows() == [
        ("smooth", 0, 0, 0),
        ("erratic", 0, 0, 0),
        ("intermittent", 2, 2_000, 2),
        ("lumpy", 1, 98_000, 1),
        ("silent", 0, 0, 0),
    ]


def test_rejects_show_an_example_and_the_month_where_it_is_known() -> None:
    found = of(LINES_BY_HAND, REJECTS_BY_HAND)
    assert found.rejects.rows() == [
        ("missing unit", "erp", 2, 0, 0, "8", "unit", None),
        ("cancelled", "erp", 1, 1, 3_000, "7", "status", "void"),
        ("date before 1970", "new", 1, 1, 10, "1", "date", "0001-01-01"),
        ("duplicate line", "erp", 1, 1, 2_000, "3", "line", "3"),
    ]
    assert found.reject_months.rows() == [
        ("0001-01", "date before 1970", 1),
        ("2025-05", "duplicate line", 1),
        (None, "cancelled", 1),
        (None, "missing unit", 2),
    ]


def test_a_unit_error_and_an_odd_month_stand_out() -> None:
    rng = np.random.default_rng(5)
    first = Month(2023, 1)
    lines: list[Line] = [
        ("erp", f"{step}", "NORD", "K-1", "COIL", (first + step).first_day, int(rng.integers(9_000, 11_000)))
        for step in range(46)
    ]
    lines[20] = (*lines[20][:6], lines[20][6] * 1000)
    lines += [("erp", f"rare {at}", "NORD", "K-2", "COIL", day("2026-10-05"), 10_000 + at) for at in range(3)]
    found = of(lines)
    assert found.outlying_count == 1
    (row,) = found.outlying_lines.to_dicts()
    assert (row["line"], row["against"], row["quantity"]) == ("20", "leaf", lines[20][6])
    assert row["typical"] == statistics.median(line[6] for line in lines[:46])
    months = found.outlying_months
    assert set(months["month"]) == {"2024-09", "2026-10"}
    assert months.row(0, named=True)["month"] == "2024-09"
    assert found.largest["line"][0] == "20"


def test_a_season_is_no_outlier_and_a_broken_one_is() -> None:
    noise = np.random.default_rng(2).normal(0, 0.02, 72)
    size = [int(20_000 * (0.4 if step % 12 == 11 else 1) * np.exp(noise[step])) for step in range(72)]
    lines: list[Line] = [
        ("erp", f"{step}", "N", "K", "M", (Month(2020, 1) + step).first_day, size[step]) for step in range(72)
    ]
    assert of(lines, month=Month(2025, 12)).outlying_months.is_empty()
    lines[47] = (*lines[47][:6], 20_000)  # December 2023 sold like any other month
    found = of(lines, month=Month(2025, 12)).outlying_months
    assert found["month"].to_list() == ["2023-12"]
    assert found["typical"][0] == pytest.approx(8_000, rel=0.05)


@given(
    st.lists(
        st.lists(st.one_of(st.just(5.0), st.floats(-1e6, 1e6)), min_size=1, max_size=30),
        min_size=1,
        max_size=4,
    )
)
def test_modified_z_is_that_of_the_book(groups: list[list[float]]) -> None:
    frame = pl.DataFrame(
        [(at, value) for at, group in enumerate(groups) for value in group],
        schema={"group": pl.Int64, "value": pl.Float64},
        orient="row",
    )
    found = frame.select(modified_z(pl.col("value"), ["group"])).to_series().to_list()
    expected = []
    for group in groups:
        middle = statistics.median(group)
        distances = [abs(value - middle) for value in group]
        mad, mean = statistics.median(distances), statistics.fmean(distances)
        for value in group:
            if mad > 0:
                expected.append(0.6745 * (value - middle) / mad)
            else:
                expected.append((value - middle) / (1.253314 * mean) if mean > 0 else 0.0)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-4)


texts = st.sampled_from(["A", "B", "<i>", "É", ""])
ANY_LINES = st.lists(
    st.tuples(
        st.sampled_from(["erp", "old", "west"]),
        texts,
        texts,
        st.sampled_from(["COIL", "BAR"]),
        st.dates(day("2023-11-01"), day("2026-10-31")),
        st.integers(-3_000, 50_000),
    ),
    max_size=60,
)


def numbered(rows: list[tuple[str, str, str, str, dt.date, int]]) -> list[Line]:
    return [(source, str(number), *rest) for number, (source, *rest) in enumerate(rows)]  # type: ignore[misc]


def month_of(line: Line) -> str:
    return f"{line[5]:%Y-%m}"


@settings(max_examples=40)
@given(ANY_LINES)
def test_tables_are_those_of_plain_python(rows: list[tuple[str, str, str, str, dt.date, int]]) -> None:
    lines = numbered(rows)
    found = of(lines)
    calendar = [str(OCTOBER - back) for back in range(35, -1, -1)]
    calendar = [month for month in calendar if lines and month >= min(map(month_of, lines))]

    filled = defaultdict(list)
    for line in lines:
        filled[line[0], month_of(line)].append(line[6])
    grid = []
    for source in sorted({line[0] for line in lines}):
        life = sorted(month for name, month in filled if name == source)
        for month in calendar:
            sizes = filled.get((source, month), [])
            inside = "gap" if life[0] <= month <= life[-1] else "before" if month < life[0] else "after"
            state = "lines" if sizes else inside
            grid.append((source, month, len(sizes), sum(sizes), sum(max(s, 0) for s in sizes), state))
    assert found.grid.rows() == grid
    assert int(found.gaps["months"].sum()) == sum(row[5] == "gap" for row in grid)
    assert found.sources["gaps"].sum() == found.gaps["months"].sum()

    for month, count, net, ordered, returned, returns in found.totals.rows():
        sizes = [line[6] for line in lines if month_of(line) == month]
        assert (count, net) == (len(sizes), sum(sizes))
        assert ordered - returned == net
        assert returned == -sum(size for size in sizes if size < 0)
        assert returns == sum(size < 0 for size in sizes)
    assert found.totals["month"].to_list() == calendar

    leaves: dict[tuple[str, ...], list[Line]] = defaultdict(list)
    for line in lines:
        leaves[line[2:5]].append(line)
    codes: dict[str, list[int]] = {kind.name.lower(): [0, 0, 0] for kind in DemandClass}
    for members in leaves.values():
        own = calendar[calendar.index(min(map(month_of, members))) :]
        series = [float(sum(line[6] for line in members if month_of(line) == month)) for month in own]
        kind = DemandClass(int(classify(np.array([series]), np.array([0])).codes[0])).name.lower()
        weight = sum(line[6] for line in members)
        codes[kind] = [a + b for a, b in zip(codes[kind], [1, weight, len(own) < 24], strict=True)]
    assert found.classes.rows() == [(kind, *counts) for kind, counts in codes.items()]
    ages = [len(calendar) - calendar.index(min(map(month_of, each))) for each in leaves.values()]
    assert found.ages["at_least"].to_list() == [
        sum(age >= least for age in ages) for least in (0, 12, 24, 36)
    ]

    recent = set(calendar[-NEW_MONTHS:])
    for turnover, at in zip(found.turnovers, (3, 4), strict=True):
        ranked = {"new": [0, 0, 0], "kept": [0, 0, 0], "vanished": [0, 0, 0]}
        for key in {line[at] for line in lines}:
            mine = [line for line in lines if line[at] == key]
            now = [line for line in mine if month_of(line) in recent]
            status = "vanished" if not now else "new" if len(now) == len(mine) else "kept"
            sums = [1, sum(line[6] for line in now), sum(line[6] for line in mine) - sum(x[6] for x in now)]
            ranked[status] = [a + b for a, b in zip(ranked[status], sums, strict=True)]
        assert turnover.counts.rows() == [(status, *sums) for status, sums in ranked.items()]


@settings(max_examples=40)
@given(ANY_LINES)
def test_abc_classes_are_those_of_plain_python(rows: list[tuple[str, str, str, str, dt.date, int]]) -> None:
    lines = numbered(rows)
    for found in of(lines).concentrations:
        columns = range(2, 5) if found.key == "leaf" else [2 + KEYS.index(found.key)]
        sums: dict[tuple[str, ...], int] = defaultdict(int)
        for line in lines:
            sums[tuple(str(line[at]) for at in columns)] += line[6]
        ranked = sorted(sums.values(), reverse=True)
        whole = sum(max(size, 0) for size in ranked)
        counts, passed = {"A": 0, "B": 0, "C": 0}, 0
        for size in ranked:
            before = Fraction(passed, whole or 1)
            counts[
                "C" if size <= 0 or before >= Fraction(95, 100) else "A" if before < Fraction(4, 5) else "B"
            ] += 1
            passed += max(size, 0)
        assert dict(found.classes["class", "keys"].rows()) == counts
        assert found.keys == len(ranked)
        assert found.curve["quantity"].is_sorted()


@settings(max_examples=40)
@given(ANY_LINES, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_the_unit_leave_no_trace(
    rows: list[tuple[str, str, str, str, dt.date, int]], random: object
) -> None:
    lines = numbered(rows)
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = of(lines), of(shuffled)
    for name, table in vars(one).items():
        if isinstance(table, pl.DataFrame):
            assert table.equals(getattr(other, name)), name
    larger = of([(*line[:6], line[6] * 1000) for line in lines])
    assert larger.outlying_lines.drop("quantity", "typical").equals(
        one.outlying_lines.drop("quantity", "typical")
    )
    assert larger.classes["leaves"].equals(one.classes["leaves"])
    assert [each.classes["keys"].to_list() for each in larger.concentrations] == [
        each.classes["keys"].to_list() for each in one.concentrations
    ]


@pytest.mark.parametrize("rejects", [[], REJECTS_BY_HAND])
def test_a_snapshot_without_lines_has_empty_tables(rejects: list[tuple[object, ...]]) -> None:
    found = of([], rejects)
    assert (found.headline.lines, found.headline.first, found.headline.set_aside) == (0, None, len(rejects))
    for table in (found.grid, found.gaps, found.totals, found.outlying_months, found.largest, found.posting):
        assert table.is_empty()
    assert found.classes["leaves"].sum() == 0
    assert found.sources["set_aside"].sum() == len(rejects)
