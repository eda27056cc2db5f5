"""Odd series in a history file: a labelled answer without a gap, or a sentence and nothing written."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tonnage.cli import DONE, YOUR_MISTAKE, main

MONTHS = 60
ORDERS = np.round(np.random.default_rng(0).gamma(5, 4, MONTHS), 2)
NOTHING = "no demand yet: zero"

type Quantities = Sequence[float | str] | np.ndarray
# Each ends in the last month of the file.
SERIES: dict[str, Quantities] = {
    "constant": [7.5] * MONTHS,
    "zero": [0] * MONTHS,
    "missing": [""] * MONTHS,
    "nan": ["NaN"] * MONTHS,
    "some missing": ["NaN" if month % 5 == 0 else ORDERS[month] for month in range(MONTHS)],
    "one point": [5],
    "two points": [5, 6],
    "one point long ago": [5, *[""] * 50],
    "returns only": -ORDERS,
    "returns in between": np.where(np.arange(MONTHS) % 3 == 0, -ORDERS, ORDERS),
    "one large return": np.where(np.arange(MONTHS) == 30, -500, ORDERS),
    "back and forth": np.where(np.arange(MONTHS) % 2 == 0, 1e9, -1e9),
    "10^12": ORDERS * 1e12,
    "10^-12": ORDERS * 1e-12,
    "10^28": ORDERS * 1e28,
    "10^-200": ORDERS * 1e-200,
    "a spike": np.where(np.arange(MONTHS) == 30, 1e15, ORDERS),
}
WITHOUT_DEMAND = {"zero", "missing", "nan", "returns only"}


def rows(name: str, quantities: Quantities) -> list[tuple[str, str, str]]:
    first = MONTHS - len(quantities)
    return [
        (name, f"{2015 + month // 12}-{month % 12 + 1:02d}", str(quantity))
        for month, quantity in enumerate(quantities, first)
    ]


def normal(count: int) -> list[tuple[str, str, str]]:
    random = np.random.default_rng(1)
    season = 1 + 0.4 * np.sin(2 * np.pi * np.arange(MONTHS) / 12)
    made = random.lognormal(3, 1, (count, 1)) * season * random.gamma(9, 1 / 9, (count, MONTHS))
    return [row for at in range(count) for row in rows(f"K-{at:02d}", np.round(made[at], 2))]


def write(*parts: list[tuple[str, str, str]]) -> None:
    lines = ["customer,month,quantity", *(",".join(row) for part in parts for row in part)]
    Path("history.csv").write_text("\n".join(lines) + "\n")


def forecast(*more: str) -> pl.DataFrame:
    """The answer, after a look at what must hold of any."""
    assert main(["forecast", "history.csv", "--keys", "customer", "--output", "out.csv", *more]) == DONE
    table = pl.read_csv("out.csv", infer_schema_length=None)
    numbers = table.select("mean", "p10", "p50", "p90").cast(pl.Float64).to_numpy()
    assert np.isfinite(numbers).all()
    assert (numbers >= 0).all()
    assert (np.diff(numbers[:, 1:], axis=1) >= 0).all()
    summed = table.filter(level="customer").group_by("month").agg(pl.col("mean").sum()).sort("month")
    total = table.filter(level="total").sort("month")
    np.testing.assert_allclose(summed["mean"].to_numpy(), total["mean"].to_numpy(), rtol=1e-9)
    return table


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", sorted(SERIES.keys() - {"one point", "one point long ago"}))
def test_an_odd_series_alone(name: str) -> None:
    write(rows("X", SERIES[name]))
    reasons = forecast()["fallback"].unique().to_list()
    assert reasons == ([NOTHING] if name in WITHOUT_DEMAND else [None])


@pytest.mark.parametrize("recipe", ["ensemble", "ensemble-theta", "theta", "smoothing", "seasonal-naive"])
@pytest.mark.parametrize("normals", [0, 60])
def test_all_odd_series_in_one_file(recipe: str, normals: int) -> None:
    write(*(rows(name, quantities) for name, quantities in SERIES.items()), normal(normals))
    table = forecast("--recipe", recipe)
    silent = table.filter(fallback=NOTHING)
    assert set(silent["customer"]) == WITHOUT_DEMAND
    assert (silent["mean"] == 0).all()
    assert (silent["p90"] == 0).all()


@pytest.mark.parametrize("recipe", ["ensemble", "theta", "smoothing"])
@pytest.mark.parametrize("name", ["10^12", "10^-12", "10^-200", "a spike", "back and forth", "returns only"])
def test_one_odd_series_spoils_none_of_sixty(recipe: str, name: str) -> None:
    write(normal(60), rows("X", SERIES["zero"]))
    without = forecast("--recipe", recipe).filter(pl.col("customer").str.starts_with("K"))
    write(normal(60), rows("X", SERIES[name]))
    among = forecast("--recipe", recipe)
    others = among.filter(pl.col("customer").str.starts_with("K"))
    for column in ("mean", "p10", "p90"):
        apart = (others[column] - without[column]).abs().sum() / without[column].sum()
        # Where one series is all of the total, what the total knows of the others is lost.
        assert apart < 0.2, column
    largest = max(float(quantity) for quantity in SERIES[name])
    assert among.filter(customer="X")["p90"].cast(pl.Float64).max() <= max(4 * largest, 1e-3)


def test_two_months_of_history_have_a_spread() -> None:
    write(rows("X", SERIES["two points"]))
    one = forecast().filter(customer="X")
    assert (one["p10"] < one["mean"]).all()
    assert (one["mean"] < one["p90"]).all()


def test_ten_thousand_months() -> None:
    quantities = np.round(np.random.default_rng(2).gamma(5, 4, 10_000), 2)
    months = [f"{1000 + month // 12:04d}-{month % 12 + 1:02d}" for month in range(10_000)]
    write([("X", month, str(quantity)) for month, quantity in zip(months, quantities, strict=True)])
    assert forecast("--recipe", "theta")["mean"].to_numpy() == pytest.approx(20, rel=0.3)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Expect exit code 2, one sentence, and nothing written; the sentence."""
    before = sorted(Path().iterdir())
    assert main(arguments) == YOUR_MISTAKE
    *_, told = (line for line in capsys.readouterr().err.splitlines() if "[info" not in line)
    assert told.startswith("error: ")
    assert sorted(Path().iterdir()) == before
    return told.removeprefix("error: ")


@pytest.mark.parametrize(
    ("quantity", "told"),
    [
        ("inf", "row 3: quantity 'inf' is infinite"),
        ("-inf", "row 3: quantity '-inf' is infinite"),
        ("1e400", "row 3: quantity '1e400' is infinite"),
        ("1e40", "row 3: quantity '1e40' is beyond 1e+30; write it in a larger unit"),
        ("-1e40", "row 3: quantity '-1e40' is beyond 1e+30; write it in a larger unit"),
        ("ten", "row 3: quantity 'ten' is not a number"),
    ],
)
@pytest.mark.parametrize("normals", [0, 60])
def test_what_is_no_quantity(
    quantity: str, told: str, normals: int, capsys: pytest.CaptureFixture[str]
) -> None:
    bad: list[float | str] = [*ORDERS]
    bad[2] = quantity
    write(rows("X", bad), normal(normals))
    asked = ("history.csv", "--keys", "customer", "--output", "out.csv")
    assert refused(capsys, "forecast", *asked) == f"history.csv: {told}"
    if not normals:  # a backtest lists a broken series, unless no other is left
        assert refused(capsys, "backtest", *asked) == f"history.csv: {told}"
        return
    assert main(["backtest", *asked[:-1], "out.json", "--origins", "1", "--recipe", "seasonal-naive"]) == DONE
    assert f"broken: row 3 has quantity '{quantity}'" in Path("out.json").read_text()


@pytest.mark.parametrize("name", ["one point", "one point long ago"])
def test_one_point(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(rows("X", SERIES[name][:1]))
    told = refused(capsys, "forecast", "history.csv", "--keys", "customer", "--output", "out.csv")
    assert told == "history covers 1 month; a forecast needs at least 2: load more history"


@pytest.mark.parametrize("command", ["forecast", "backtest"])
@pytest.mark.parametrize(
    ("levels", "told"),
    [
        ("total;plant", "level 'plant' names 'plant', which is not a key; keys are customer"),
        ("customer;customer", "level 'customer' is listed twice; list each level once"),
        ("total;total", "level 'total' is listed twice; list each level once"),
        ("customer,customer", "level 'customer,customer' names a key twice"),
        ("total;", "level '' names no key; write keys joined by commas, or 'total'"),
    ],
)
def test_levels_that_cannot_be(
    command: str, levels: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(normal(2))
    asked = ("history.csv", "--keys", "customer", "--levels", levels, "--output", "out.csv")
    assert refused(capsys, command, *asked) == told


def test_a_backtest_of_odd_series_has_no_gap_but_where_a_measure_has_no_scale() -> None:
    names = SERIES.keys() - {"10^28"}
    write(*(rows(name, SERIES[name]) for name in sorted(names)), normal(5))
    asked = ["history.csv", "--keys", "customer", "--output", "out.csv", "--origins", "2", "--step", "6"]
    assert main(["backtest", *asked]) == DONE
    table = pl.read_csv("out.csv", infer_schema_length=None)
    assert not any(
        table[column].is_nan().any() for column in table.columns if table[column].dtype == pl.Float64
    )
