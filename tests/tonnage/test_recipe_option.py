"""`--recipe` at the command line: a name that ships, a file, and what is refused."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tonnage.cli import DONE, YOUR_MISTAKE, main

MINE = """
default = "last-year"

[recipes.last-year]
members = ["seasonal_naive"]
calendar = false
learned = false

[recipes.theta-alone]
members = ["theta"]
calendar = false
learned = false
"""
NAMES = "there are ensemble, ensemble-theta, thorough, smoothing, theta, seasonal-naive"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with forty-eight months of one customer, and a file of recipes."""
    monkeypatch.chdir(tmp_path)
    months = [f"{2022 + month // 12}-{month % 12 + 1:02d}" for month in range(48)]
    quantity = np.random.default_rng(1).gamma(4.0, 5.0, 48).round(1)
    pl.DataFrame({"customer": "K", "month": months, "quantity": quantity}).write_csv("history.csv")
    Path("my.toml").write_text(MINE)
    return tmp_path


def forecast(*more: str) -> list[float]:
    """The means of the customer."""
    assert main(["forecast", "history.csv", "--keys", "customer", "--output", "out.csv", *more]) == DONE
    means: list[float] = pl.read_csv("out.csv").filter(level="customer")["mean"].to_list()
    return means


@pytest.mark.usefixtures("folder")
def test_the_default_is_the_ensemble() -> None:
    assert forecast() == forecast("--recipe", "ensemble") != forecast("--recipe", "ensemble-theta")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("recipe", ["seasonal-naive", "my.toml", "my.toml:last-year"])
def test_a_recipe_by_name_and_by_file(recipe: str) -> None:
    last_year = pl.read_csv("history.csv")["quantity"][-12:].to_list()
    assert forecast("--recipe", recipe) == pytest.approx(last_year)


@pytest.mark.usefixtures("folder")
def test_another_recipe_of_a_file() -> None:
    assert forecast("--recipe", "my.toml:theta-alone") == forecast("--recipe", "theta")


@pytest.mark.usefixtures("folder")
def test_a_backtest_says_its_recipe() -> None:
    asked = ["backtest", "history.csv", "--keys", "customer", "--origins", "1", "--output", "out.json"]
    # Without a median in between, what is scored is the mean.
    assert main([*asked, "--recipe", "my.toml", "--quantiles", "0.1,0.9"]) == DONE
    found = json.loads(Path("out.json").read_text())
    assert found["recipe"] == "last-year"
    # The seasonal naive adds nothing to itself.
    total = [row for row in found["table"] if row["lead"] == row["origin"] == "all"]
    assert [row["value_added_seasonal"] for row in total] == pytest.approx([0.0] * len(total))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ("magic", f"there is no recipe 'magic' in recipes.toml; {NAMES}"),
        ("my.toml:magic", "there is no recipe 'magic' in my.toml; there are last-year, theta-alone"),
        ("none.toml", "none.toml: there is no such file"),
        ("", f"there is no recipe '' in recipes.toml; {NAMES}"),
    ],
)
@pytest.mark.parametrize("command", ["forecast", "backtest"])
def test_a_recipe_that_is_not_there(
    command: str, recipe: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [command, "history.csv", "--keys", "customer", "--output", "out.csv", "--recipe", recipe]
    assert main(asked) == YOUR_MISTAKE
    assert capsys.readouterr().err == f"error: {told}\n"
    assert not Path("out.csv").exists()


@pytest.mark.usefixtures("folder")
def test_a_setting_that_makes_no_sense(capsys: pytest.CaptureFixture[str]) -> None:
    Path("my.toml").write_text(MINE.replace("calendar = false", 'calendar = "no"'))
    asked = ["forecast", "history.csv", "--keys", "customer", "--output", "out.csv", "--recipe", "my.toml"]
    assert main(asked) == YOUR_MISTAKE
    told = "error: my.toml: recipes.last-year.calendar = 'no': write true or false\n"
    assert capsys.readouterr().err == told


@pytest.mark.usefixtures("folder")
def test_the_last_column_says_who_answered_instead() -> None:
    Path("my.toml").write_text(
        MINE + 'slow_members = ["statsmodels"]\nslow_nodes = 1\nslow_seconds = 0.0001\n'
    )
    zeros = "".join(f"L,{month},0\n" for month in pl.read_csv("history.csv")["month"])
    Path("history.csv").write_text(Path("history.csv").read_text() + zeros)
    forecast("--recipe", "my.toml:theta-alone")
    lines = Path("out.csv").read_text().splitlines()
    assert lines[0] == "level,customer,month,mean,p10,p50,p90,fallback"
    for line in lines[1:]:
        level, customer, *_, reason = line.split(",")
        told = {"L": "no demand yet: zero", "K": "", "": "statsmodels took longer than 0.0001 s: smoothing"}
        # The customers that had demand are one node, as the total is.
        assert reason == told["" if level == "total" or customer == "K" else customer]
