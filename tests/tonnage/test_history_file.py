"""History files: what is read, and what is refused with the row and the remedy."""

from pathlib import Path

import polars as pl
import pytest

from forecasting.errors import BadHierarchy
from forecasting.hierarchy import Level
from forecasting.months import Month
from tonnage.errors import BadHistoryFile
from tonnage.history_file import HistoryColumns, default_levels, read_history

COLUMNS = HistoryColumns(("customer",))
LEVELS: list[Level] = [(), ("customer",)]
GOOD = "customer,month,quantity\nA,2026-01,5\nB,2026-02-17,2.5\nA,2026-03,-1\n"


def write(folder: Path, text: str, name: str = "history.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_by_hand(tmp_path: Path) -> None:
    panel = read_history(write(tmp_path, GOOD), COLUMNS, LEVELS).panel
    assert panel.quantity.tolist() == [[5.0, 0.0, -1.0], [0.0, 2.5, 0.0]]
    assert panel.born.tolist() == [0, 1]
    assert panel.origin == Month(2026, 3)


def test_parquet_with_dates_gives_the_same_panel(tmp_path: Path) -> None:
    path = tmp_path / "history.parquet"
    table = pl.read_csv(write(tmp_path, GOOD)).with_columns(
        pl.col("month").str.pad_end(10, "x").str.replace("xxx", "-01").str.to_date()
    )
    table.write_parquet(path)
    assert read_history(path, COLUMNS, LEVELS).panel.quantity.tolist() == [[5.0, 0.0, -1.0], [0.0, 2.5, 0.0]]


def test_keys_are_text_even_where_they_look_like_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, "customer,month,quantity\n007,2026-01,5\n7,2026-02,1\n")
    assert read_history(path, COLUMNS, LEVELS).panel.hierarchy.leaves["customer"].to_list() == ["007", "7"]


def test_an_empty_quantity_is_zero_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path, "customer,month,quantity\nA,2026-01,\nA,2026-02,NaN\nA,2026-03,4\n")
    history = read_history(path, COLUMNS, LEVELS)
    assert history.panel.quantity.tolist() == [[0.0, 0.0, 4.0]]
    assert history.empty_quantities == 2


def test_the_leaf_level_is_added_where_no_level_tells_leaves_apart(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,month,quantity\nx,1,2026-01,1\nx,2,2026-01,1\ny,1,2026-01,1\n")
    panel = read_history(path, HistoryColumns(("a", "b")), [(), ("a",)]).panel
    assert panel.hierarchy.levels == ((), ("a",), ("a", "b"))


def test_a_level_of_fewer_keys_can_be_the_leaves(tmp_path: Path) -> None:
    path = write(tmp_path, "state,region,month,quantity\nA,AA,2026-01,1\nA,AB,2026-01,1\n")
    panel = read_history(path, HistoryColumns(("state", "region")), [("region",), ()]).panel
    assert panel.hierarchy.levels == ((), ("region",))


@pytest.mark.parametrize(
    ("keys", "levels"),
    [(("k",), ((), ("k",))), (("a", "b"), ((), ("a",), ("b",), ("a", "b")))],
)
def test_default_levels(keys: tuple[str, ...], levels: tuple[Level, ...]) -> None:
    assert default_levels(keys) == levels


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "customer,ds,quantity\nA,2026-01,1\n",
            "no column 'month' .name another with --month.; it has customer, ds",
        ),
        ("customer,month,y\nA,2026-01,1\n", "no column 'quantity' .name another with --quantity."),
        ("client,month,quantity\nA,2026-01,1\n", "no column 'customer'"),
        ("customer,month,quantity\nA,2026-01,1\nA,2026-02,ten\n", "row 2: quantity 'ten' is not a number"),
        ("customer,month,quantity\nA,2026-01,x\nA,2026-02,y\n", r"row 1.*\(and 1 more rows like it\)"),
        ("customer,month,quantity\nA,2026-13,1\n", "row 1: month '2026-13' is not a month; write YYYY-MM"),
        ("customer,month,quantity\nA,01/02/2026,1\n", "is not a month"),
        ("customer,month,quantity\n,2026-01,1\n", "row 1: customer None is empty"),
        ("customer,month,quantity\nA,2026-01,inf\n", "row 1: quantity 'inf' is infinite"),
        ("customer,month,quantity\n", "no rows"),
        ("", "cannot be read as CSV"),
        ("customer,month,quantity\nA,2026-01,1,9,9\n", "cannot be read as CSV"),
    ],
)
def test_what_is_not_history(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadHistoryFile, match=message):
        read_history(write(tmp_path, text), COLUMNS, LEVELS)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadHistoryFile, match="no such file"):
        read_history(tmp_path / "none.csv", COLUMNS, LEVELS)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(BadHistoryFile, match=r"'\.xlsx' is neither"):
        read_history(write(tmp_path, GOOD, "history.xlsx"), COLUMNS, LEVELS)


def test_bytes_that_are_no_parquet(tmp_path: Path) -> None:
    with pytest.raises(BadHistoryFile, match="cannot be read as PARQUET"):
        read_history(write(tmp_path, GOOD, "history.parquet"), COLUMNS, LEVELS)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_bytes(b"%PDF-1.7\n\xff\xfe\x00\x01")
    with pytest.raises(BadHistoryFile):
        read_history(path, COLUMNS, LEVELS)


@pytest.mark.parametrize("keys", [("a", "a"), ("month",), ("a", "quantity")])
def test_columns_named_twice(keys: tuple[str, ...]) -> None:
    with pytest.raises(BadHierarchy, match="named twice"):
        HistoryColumns(keys)


def test_a_file_of_many_blocks_is_read_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "history.parquet"
    month = [f"2026-{m:02d}" for m in range(1, 7)] * 4
    customer = [name for name in ("B", " A", "C", "A ") for _ in range(6)]
    table = pl.DataFrame({"customer": customer, "month": month, "quantity": range(24), "note": "x"})
    panels = []
    for block in (4_000_000, 5):
        monkeypatch.setattr("tonnage.history_rows._BLOCK", block)
        for rows in (table, table.sort("month", "customer", maintain_order=True)):
            rows.write_parquet(path)
            panels.append(read_history(path, COLUMNS, LEVELS).panel)
    for panel in panels:
        assert panel.hierarchy.leaves["customer"].to_list() == ["A", "B", "C"]
        assert panel.quantity[0].tolist() == [24.0, 26.0, 28.0, 30.0, 32.0, 34.0]
        assert panel.quantity.tobytes() == panels[0].quantity.tobytes()
    bad = table.with_columns(
        pl.when(pl.col("quantity") > 20).then(float("inf")).otherwise("quantity").alias("quantity")
    )
    bad.write_parquet(path)
    with pytest.raises(BadHistoryFile, match=r"row 22: quantity inf is infinite \(and 2 more rows like it\)"):
        read_history(path, COLUMNS, LEVELS)
