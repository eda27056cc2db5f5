"""`tonnage tune` at the command line, on a real PostgreSQL that is source and study in one."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from retrain.recipes import find_recipe
from tonnage.cli import DONE, YOUR_MISTAKE, main
from tonnage.tune_command import INTERRUPTED

CONFIG = """
[hierarchy]
keys = ["organization", "material"]

[forecast]
horizon = 2
recipe = "theta"
quantiles = [0.1, 0.5, 0.9]

[sources.erp]
url = "env:ERP_URL"
table = "order_line"
unit = "t"

[sources.erp.columns]
line = "line"
organization = "company"
customer = "customer"
material = "material"
date = "day"
quantity = "quantity"
"""


@pytest.fixture
def say(
    new_database: Callable[[], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., str]:
    """Fifty months of two organizations whose season repeats, and a folder to work in."""
    url = new_database()
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "create table order_line as "
            "select (row_number() over ())::text as line, company, 'K-1' as customer, 'HEB' as material, "
            "(date '2022-09-01' + month * interval '1 month')::date as day, "
            "1 + power(mod(month * 7, 12), 2) ::numeric as quantity "
            "from generate_series(0, 49) as month, unnest(array['NORD', 'WEST']) as company"
        )
    (tmp_path / "tonnage.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ERP_URL", url)
    monkeypatch.setenv("TONNAGE_DATABASE_URL", url)
    monkeypatch.setenv("TONNAGE_HOME", str(tmp_path / "home"))

    def run(*arguments: str, code: int = DONE) -> str:
        assert main(list(arguments)) == code
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return told.out if code == DONE else told.err

    run("migrate")
    return run


def test_a_challenger_is_written_and_said_how_to_use(say: Callable[..., str]) -> None:
    assert "no snapshot" in say("tune", "--trials", "1", code=YOUR_MISTAKE)
    say("ingest", "--month", "2026-10")
    told = say("tune", "--trials", "3", "--level", "organization")
    found = re.search(r'challengers = \["(.+\.toml:(tuned-\w+))"\]', told)
    assert found and "Recipes asked for: 3" in told
    recipe = find_recipe(found[1])
    assert recipe.name == found[2]
    assert say("tune", "--trials", "3", "--level", "organization") == told


def test_where_the_champion_is_best_nothing_is_written(say: Callable[..., str], tmp_path: Path) -> None:
    say("ingest", "--month", "2026-10")
    told = say("tune", "--trials", "1")
    assert "None lost less than the champion, theta" in told
    assert not list(tmp_path.rglob("tuned-*"))


def test_mistakes_are_told(say: Callable[..., str], tmp_path: Path) -> None:
    say("ingest", "--month", "2025-06")
    told = say("tune", code=YOUR_MISTAKE)
    assert "history covers 34 months; 45 are needed" in told and "contest.origins" in told
    assert "neither .toml" in say("tune", "--output", "here.csv", code=YOUR_MISTAKE)
    assert "no level of the plan" in say("tune", "--level", "grade", code=YOUR_MISTAKE)


def test_ctrl_c_keeps_what_was_measured(say: Callable[..., str]) -> None:
    say("ingest", "--month", "2026-10")
    asked = [sys.executable, "-m", "tonnage", "tune", "--trials", "40"]
    with subprocess.Popen(asked, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        folds = (line for line in process.stderr if "stage=" in line)
        for _ in range(3):
            next(folds)
        process.send_signal(signal.SIGINT)
        told = " ".join(process.stderr)
    assert process.returncode == INTERRUPTED, told
    assert "What was measured is kept" in told and "the same command goes on" in told
    assert "asked for: 1" in say("tune", "--trials", "1")
