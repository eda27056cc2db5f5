"""Cleaning as a table of cases: one raw line in, what it counts or why it does not."""

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.clean import Cleaned, read_lines, settle
from ingestion.order_line import PART_LINES, PART_REJECTS, RAW_LINES, READ_LINES, READ_REJECTS
from ingestion.raw_lines import RawLines
from ingestion.source_config import SourceConfig
from ingestion.units import NUMBER, DemandUnit

type Raw = Callable[..., pl.DataFrame]
type Source = Callable[..., SourceConfig]


@pytest.fixture
def cleaned(source: Source) -> Callable[..., Cleaned]:
    """Batches of raw lines, each read by itself, settled together."""

    def run(*batches: pl.DataFrame, demand: DemandUnit = DemandUnit.TONNE, **other: Any) -> Cleaned:
        read = [
            read_lines(
                RawLines.of(batch.with_columns(slice=pl.col("date").str.head(7))), source(), demand, **other
            )
            for batch in batches
        ]
        return settle(
            pl.concat([READ_LINES.to_frame(), *(each.lines for each in read)]).drop("slice"),
            pl.concat([READ_REJECTS.to_frame(), *(each.rejects for each in read)]).drop("slice"),
        )

    return run


def test_a_line_is_read_field_by_field(raw: Raw, cleaned: Callable[..., Cleaned]) -> None:
    line = {"organization": " NORD\t", "customer": "K-104 ", "quantity": "12.5", "unit": "t"}
    result = cleaned(raw(line))
    assert result.lines.schema == PART_LINES
    assert result.lines.rows() == [
        ("1", "NORD", "K-104", "HEB-200", date(2026, 10, 14), 12_500),
    ]
    assert (result.rejects.schema, result.rejects.height) == (PART_REJECTS, 0)


@pytest.mark.parametrize(
    ("quantity", "unit", "kilograms"),
    [
        ("12500", "kg", 12_500),
        ("12500", " KGM", 12_500),
        ("12.5", "t", 12_500),
        ("12.5", "Metric Ton", 12_500),
        ("10", "short ton", 9_072),
        ("10", "STN", 9_072),
        ("10", "long ton", 10_160),
        ("1000", "lb", 454),
        ("1000", "LBS.", 454),
        ("100", "cwt", 4_536),
        ("0.5", "kg", 1),
        ("1.5", "kg", 2),
        ("-3.25", "t", -3_250),
        ("0", "t", 0),
    ],
)
def test_weights_become_kilograms(
    quantity: str, unit: str, kilograms: int, raw: Raw, cleaned: Callable[..., Cleaned]
) -> None:
    result = cleaned(raw({"quantity": quantity, "unit": unit}))
    assert result.lines["quantity"].to_list() == [kilograms]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-10-31", date(2026, 10, 31)),
        ("2026-10-31 23:59:59.999", date(2026, 10, 31)),
        ("2026-10-31T23:59", date(2026, 10, 31)),
        ("2026-10-31 22:00:00+00", date(2026, 10, 31)),
        ("2026-10-31T22:00:00Z", date(2026, 10, 31)),
        ("20261031", date(2026, 10, 31)),
        ("1970-01-01", date(1970, 1, 1)),
    ],
)
def test_dates_keep_their_day(text: str, day: date, raw: Raw, cleaned: Callable[..., Cleaned]) -> None:
    assert cleaned(raw({"date": text})).lines["date"].to_list() == [day]


@pytest.mark.parametrize(
    ("line", "reason", "field", "value", "quantity"),
    [
        ({"status": "Cancelled"}, "cancelled", "status", "Cancelled", 12_500),
        ({"status": " VOID ", "customer": None}, "cancelled", "status", "VOID", 12_500),
        ({"line": "  "}, "missing line id", "line", None, 12_500),
        ({"organization": None}, "missing key", "organization", None, 12_500),
        ({"customer": " "}, "missing key", "customer", None, 12_500),
        ({"material": ""}, "missing key", "material", None, 12_500),
        ({"date": None}, "missing date", "date", None, 12_500),
        ({"date": "2026-02-30"}, "not a date", "date", "2026-02-30", 12_500),
        ({"date": "31.10.2026"}, "not a date", "date", "31.10.2026", 12_500),
        ({"date": "-infinity"}, "not a date", "date", "-infinity", 12_500),
        ({"date": "0044-03-15 BC"}, "not a date", "date", "0044-03-15 BC", 12_500),
        ({"date": "0001-01-01"}, "date before 1970", "date", "0001-01-01", 12_500),
        ({"date": "0001-01-01 0:30"}, "not a date", "date", "0001-01-01 0:30", 12_500),
        ({"date": "0001-01-01 00:30+01"}, "date before 1970", "date", "0001-01-01 00:30+01", 12_500),
        ({"date": "2026-10-31 10:00:00+99"}, "not a date", "date", "2026-10-31 10:00:00+99", 12_500),
        ({"material": "HEB\x00200"}, "unreadable key", "material", "HEB\x00200", 12_500),
        ({"customer": "K\n104"}, "unreadable key", "customer", "K\n104", 12_500),
        ({"material": "H" * 201}, "key too long", "material", "H" * 200 + "… (201 characters)", 12_500),
        ({"unit": "x" * 10**6}, "unknown unit", "unit", "x" * 200 + "… (1000000 characters)", None),
        ({"unit": None}, "missing unit", "unit", None, None),
        ({"unit": "ton"}, "unknown unit", "unit", "ton", None),
        ({"unit": "piece"}, "unit does not fit [demand] unit", "unit", "piece", None),
        ({"quantity": None}, "missing quantity", "quantity", None, None),
        ({"quantity": "twelve"}, "not a number", "quantity", "twelve", None),
        ({"quantity": "12,5"}, "not a number", "quantity", "12,5", None),
        ({"quantity": "NaN"}, "not finite", "quantity", "NaN", None),
        ({"quantity": "-Infinity"}, "not finite", "quantity", "-Infinity", None),
        ({"quantity": "1e18"}, "absurd quantity", "quantity", "1e18", None),
        ({"quantity": "-1e400"}, "absurd quantity", "quantity", "-1e400", None),
    ],
)  # fmt: skip
def test_a_reject_keeps_its_reason(
    line: dict[str, str | None],
    reason: str,
    field: str,
    value: str | None,
    quantity: int | None,
    raw: Raw,
    cleaned: Callable[..., Cleaned],
) -> None:
    result = cleaned(raw(line, {}))
    line_id = None if field == "line" else "1"
    assert result.rejects.rows() == [(reason, line_id, field, value, quantity)]
    assert result.lines["line"].to_list() == ["2"]


@pytest.mark.parametrize("status", [None, "", "open", "Delivered", "not cancelled"])
def test_other_states_count(status: str | None, raw: Raw, cleaned: Callable[..., Cleaned]) -> None:
    assert cleaned(raw({"status": status})).lines.height == 1


@pytest.mark.parametrize(
    ("quantity", "unit", "expected"),
    [
        ("3", "piece", (3, None)),
        ("3.000", "PCS", (3, None)),
        ("-2", "ea", (-2, None)),
        ("2.5", "piece", (None, "not a whole number of pieces")),
        ("3", "kg", (None, "unit does not fit [demand] unit")),
        ("3", "crate", (None, "unknown unit")),
    ],
)
def test_pieces_are_counted_where_demand_is_in_pieces(
    quantity: str,
    unit: str,
    expected: tuple[int | None, str | None],
    raw: Raw,
    cleaned: Callable[..., Cleaned],
) -> None:
    result = cleaned(raw({"quantity": quantity, "unit": unit}), demand=DemandUnit.PIECE)
    counted = [*result.lines["quantity"], None][0], [*result.rejects["reason"], None][0]
    assert counted == expected


def test_moments_are_dated_in_the_time_zone_of_the_source(raw: Raw, source: Source) -> None:
    rows = raw({"date": "2026-10-31 22:30:00+00"}, {"date": "2026-10-31 23:30:00+00"})
    rows = rows.with_columns(slice=pl.lit("2026-10"))
    berlin = read_lines(RawLines.of(rows), source(time_zone="Europe/Berlin"), DemandUnit.TONNE)
    assert sorted(berlin.lines["date"]) == [date(2026, 10, 31), date(2026, 11, 1)]
    assert set(read_lines(RawLines.of(rows), source(), DemandUnit.TONNE).lines["date"]) == {
        date(2026, 10, 31)
    }


def test_a_line_id_that_is_no_id_is_cut_where_it_is_kept(raw: Raw, cleaned: Callable[..., Cleaned]) -> None:
    result = cleaned(raw({"line": "é" * 300}, {"line": "1\x1b"}, {"line": "é" * 200}))
    cut = "é" * 200 + "… (300 characters)"
    assert result.rejects.select("reason", "line", "field", "value").rows() == [
        ("key too long", cut, "line", cut),
        ("unreadable key", "1\x1b", "line", "1\x1b"),
    ]
    assert result.lines["line"].to_list() == ["é" * 200]


@pytest.mark.parametrize("key", ["K'104", 'K"104', "K;104", "🚚 104", "لقمة-104", "\u202eK-104", "K  104"])
def test_strange_keys_pass_unharmed(key: str, raw: Raw, cleaned: Callable[..., Cleaned]) -> None:
    result = cleaned(raw({"line": key, "organization": key, "customer": key, "material": key}))
    assert result.lines.rows() == [(key, key, key, key, date(2026, 10, 14), 12_500)]


WEIGHTS = pl.DataFrame(
    {"material": ["BOLT-M8", "heb-200"], "weight": ["0.0125", "736.000000000000000001"]}
).with_columns(pl.col("weight").cast(NUMBER))


@pytest.mark.parametrize(
    ("material", "quantity", "unit", "expected"),
    [
        ("BOLT-M8", "1000", "pcs", (13, None)),
        ("bolt-m8", "-40", "EA", (-1, None)),
        ("HEB-200", "2", "piece", (1472, None)),
        ("HEB-200", "2", "t", (2000, None)),
        ("IPE-80", "2", "piece", (None, "no weight per piece")),
        ("IPE-80", "2", "crate", (None, "unknown unit")),
    ],
)
def test_pieces_weigh_what_master_data_says(
    material: str,
    quantity: str,
    unit: str,
    expected: tuple[int | None, str | None],
    raw: Raw,
    cleaned: Callable[..., Cleaned],
) -> None:
    result = cleaned(raw({"material": material, "quantity": quantity, "unit": unit}), weights=WEIGHTS)
    assert ([*result.lines["quantity"], None][0], [*result.rejects["reason"], None][0]) == expected


def test_weights_are_no_matter_where_pieces_are_counted(raw: Raw, cleaned: Callable[..., Cleaned]) -> None:
    result = cleaned(raw({"unit": "pc"}, {"unit": "kg"}), weights=WEIGHTS, demand=DemandUnit.PIECE)
    assert result.lines["quantity"].to_list() == [12_500]
    assert result.rejects["reason"].to_list() == ["unit does not fit [demand] unit"]


def test_repeats_count_once_even_across_batches(raw: Raw, cleaned: Callable[..., Cleaned]) -> None:
    result = cleaned(raw({"quantity": "1"}, {}), raw({"quantity": "1.0", "customer": "K-104 "}))
    assert result.lines.select("line", "quantity").rows() == [("1", 1), ("2", 12_500)]
    assert result.rejects.rows() == [("duplicate line", "1", "line", "1", 1)]


def test_of_lines_that_contradict_each_other_none_is_kept(raw: Raw, cleaned: Callable[..., Cleaned]) -> None:
    result = cleaned(raw({"quantity": "1"}, {}), raw({"quantity": "2"}), raw({"quantity": "1"}))
    assert result.lines["line"].to_list() == ["2"]
    assert result.rejects.select("reason", "line", "quantity").rows() == [
        ("line id used twice", "1", 1),
        ("line id used twice", "1", 1),
        ("line id used twice", "1", 2),
    ]


def test_a_cancelled_repeat_does_not_disturb_the_line_that_stands(
    raw: Raw, cleaned: Callable[..., Cleaned]
) -> None:
    result = cleaned(raw({"status": "cancelled"}), raw({}))
    assert (result.lines["line"].to_list(), result.rejects["reason"].to_list()) == (["1"], ["cancelled"])


def test_repeats_agree_whatever_the_case_of_their_keys(raw: Raw, cleaned: Callable[..., Cleaned]) -> None:
    result = cleaned(raw({"line": "1"}, {"line": "1", "customer": "k-104", "material": "heb-200"}))
    assert result.lines.select("line", "customer", "material").rows() == [("1", "K-104", "HEB-200")]
    assert result.rejects["reason"].to_list() == ["duplicate line"]


field = {
    "line": st.sampled_from(["1", "2", "3", " 4", "", None, "x" * 201, "5\x00"]),
    "organization": st.sampled_from(["NORD", "nord", " NORD", "", None]),
    "customer": st.sampled_from(["K-104", None, "K\t104", "é" * 150]),
    "material": st.sampled_from(["HEB-200", "BOLT-M8", "bolt-m8 "]),
    "date": st.sampled_from(
        ["2026-10-14", "20260914", "2026-10-31T23:30:00-01:00", "1969-12-31", "9999-12-31", "x", None]
    ),
    "quantity": st.sampled_from(["1", "-2.5", "12500.4", "1e18", "NaN", "one", "", None]),
    "unit": st.sampled_from(["kg", "T", "lb", "pcs", "ton", None]),
    "status": st.sampled_from([None, "open", "Storno "]),
}
lines_of_any_kind = st.lists(st.fixed_dictionaries(field), max_size=12)


@given(lines_of_any_kind, st.randoms(), st.sampled_from([None, WEIGHTS]))
def test_no_line_and_no_kilogram_gets_lost_and_order_leaves_no_trace(
    source: Source, rows: list[dict[str, str | None]], random: Any, weights: pl.DataFrame | None
) -> None:
    raw = pl.DataFrame(rows, schema=RAW_LINES).with_columns(
        slice=pl.coalesce(pl.col("date").str.head(7), pl.lit(""))
    )
    read = read_lines(RawLines.of(raw), source(), DemandUnit.TONNE, weights)
    result = settle(read.lines.drop("slice"), read.rejects.drop("slice"))
    assert result.lines.height + result.rejects.height == raw.height
    versions: dict[str, set[tuple[Any, ...]]] = {}
    for line, *said, _ in read.lines.rows():
        versions.setdefault(line, set()).add(tuple(str(each).lower() for each in said))
    assert result.lines["line"].to_list() == sorted(
        line for line, found in versions.items() if len(found) == 1
    )

    by_unit = {"kg": 1.0, "T": 1000.0, "lb": 0.45359237}
    numbers = raw["quantity"].replace(["one", "", "1e18", "NaN"], None).cast(pl.Float64)
    own = numbers * raw["unit"].replace_strict(by_unit, default=None, return_dtype=pl.Float64)
    kilograms = own.round(0, "half_away_from_zero").cast(pl.Int64).sum()
    assert int(read.sums["counted"].sum()) == kilograms
    ours = sum(int(part["quantity"].sum()) for part in (result.lines, result.rejects))
    assert weights is not None or ours == kilograms

    shuffled = raw[random.sample(range(raw.height), raw.height)]
    halves = [shuffled[: raw.height // 2], shuffled[raw.height // 2 :]]
    parts = [read_lines(RawLines.of(half), source(), DemandUnit.TONNE, weights) for half in halves]
    again = settle(
        pl.concat(part.lines for part in parts).drop("slice"),
        pl.concat(part.rejects for part in parts).drop("slice"),
    )
    assert again.lines.equals(result.lines)
    assert again.rejects.equals(result.rejects)


def test_nothing_in_gives_nothing_out(cleaned: Callable[..., Cleaned]) -> None:
    result = cleaned()
    assert (result.lines.height, result.rejects.height) == (0, 0)
