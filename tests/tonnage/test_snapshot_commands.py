"""`tonnage ingest` and `tonnage snapshots` at the command line, on a real PostgreSQL."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tonnage.cli import DONE, REFUSED, YOUR_MISTAKE, main

CONFIG = """
[sources.erp]
url = "env:ERP_URL"
query = "select * from order_line"
unit = "t"

[sources.erp.columns]
line = "line"
organization = "company"
customer = "customer"
material = "material"
date = "day"
quantity = "quantity"

[master.customer]
url = "env:ERP_URL"
table = "customer"

[master.customer.columns]
customer = "no"
name = "name"
segment = "seg"
"""


@pytest.fixture
def run_sql(
    new_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """An ERP with three lines over two months, and a folder to work in."""
    url = new_database()
    engine = sa.create_engine(url, poolclass=sa.NullPool)

    def run(*statements: str) -> None:
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    run(
        "create table order_line (line text, company text, customer text, material text, day date, "
        "quantity numeric, note text)",
        "insert into order_line values "
        "('1', 'NORD', 'K-1', 'HEB', '2026-09-03', 10, null), "
        "('2', 'NORD', 'K-2', 'HEB', '2026-10-03', 5, null), "
        "('3', 'NORD', 'k-1', '[/b] coil [s]', '2026-10-09', 2.5, 'x')",
        "create table customer (no text, name text, seg text)",
        "insert into customer values ('K-1', 'Kran & Co', 'machinery')",
    )
    (tmp_path / "tonnage.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ERP_URL", url)
    monkeypatch.setenv("TONNAGE_DATABASE_URL", url)
    monkeypatch.setenv("TONNAGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "160")
    return run


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], run_sql: Callable[..., None]) -> Callable[..., str]:
    def run(*arguments: str, code: int = DONE) -> str:
        assert main(list(arguments)) == code
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return told.out if code == DONE else told.err

    return run


def ingested(told: str) -> str:
    found = re.search(r"Snapshot ([0-9a-f]{12})", told)
    assert found
    return found[1]


def test_a_check_explains_and_writes_nothing(say: Callable[..., str], tmp_path: Path) -> None:
    told = say("ingest", "--check")
    for expected in (
        "read as repeatable read", "day", "date", "2026-09-03", "constant", "not used: note", "10,000",
        "Nothing was written.", "[/b] coil [s]",
    ):  # fmt: skip
        assert expected in told
    assert not (tmp_path / "home").exists()


def test_a_check_tells_what_is_wrong(say: Callable[..., str], run_sql: Callable[..., None]) -> None:
    run_sql("alter table order_line rename day to wanted")
    assert "the source has no column 'day'" in say("ingest", "--check", code=YOUR_MISTAKE)


def test_list_show_diff_and_verify(
    say: Callable[..., str], run_sql: Callable[..., None], tmp_path: Path
) -> None:
    one = ingested(say("ingest", "--month", "2026-10"))
    run_sql("update order_line set quantity = 6 where line = '2'")
    two = ingested(say("ingest", "--month", "2026-10"))
    listed = say("snapshots", "list")
    assert one in listed and two in listed and "17,500 kg" in listed and "18,500 kg" in listed

    shown = say("snapshots", "show", two)
    for expected in (f"after {one}", "2026-09", "10,000", "8,500", "+1,000", "segment", "keys unknown"):
        assert expected in shown
    differing = say("snapshots", "diff", one, two)
    assert "+1,000" in differing and "K-2" in differing and "K-1" not in differing
    assert "the same lines count in both" in say("snapshots", "diff", one, one)

    assert "is whole: 2 parts" in say("snapshots", "verify", two)
    for part in (tmp_path / "home/snapshots/parts").rglob("lines.parquet"):
        part.write_bytes(part.read_bytes()[:-9])
    assert "is damaged" in say("snapshots", "verify", two, code=YOUR_MISTAKE)
    assert ingested(say("ingest", "--month", "2026-10", "--full")) == two
    assert "is whole" in say("snapshots", "verify", two)


def test_a_closed_month_that_changed_asks_for_a_reason(
    say: Callable[..., str], run_sql: Callable[..., None]
) -> None:
    say("ingest", "--month", "2026-10")
    run_sql("update order_line set quantity = 20 where line = '1'")
    refusal = say("ingest", "--month", "2026-10", code=REFUSED)
    assert "2026-09 of source 'erp' from 10,000 to 20,000 kg" in refusal and "--accept" in refusal
    accepted = ingested(say("ingest", "--month", "2026-10", "--accept", "[/] entered late"))
    assert "[/] entered late" in say("snapshots", "list")
    assert "--accept" in say("ingest", "--month", "2026-10", "--accept", " ", code=YOUR_MISTAKE)
    assert "accepted beyond its limits: [/] entered late" in say("snapshots", "show", accepted)


def test_pruning_leaves_what_a_published_run_needs(
    say: Callable[..., str], run_sql: Callable[..., None]
) -> None:
    say("migrate")
    old = ingested(say("ingest", "--month", "2026-09"))
    needed = ingested(say("ingest", "--month", "2026-10"))
    run_sql(
        "insert into order_line values ('4', 'NORD', 'K-1', 'HEB', '2026-11-03', 1, null)",
        "insert into run "
        "(id, origin, published_at, snapshot, model, unit, because, horizon, levels, probabilities) "
        f"select 'r', '2026-10-01', now(), (select '{'0' * 64}'), 'm', 't', 'b', 1, '{{}}', '{{}}'",
    )
    newest = ingested(say("ingest", "--month", "2026-11"))
    whole = re.search(rf"Snapshot ({needed}\w+)", say("snapshots", "show", needed))
    assert whole
    run_sql(f"update run set snapshot = '{whole[1]}'")
    assert "Removed 1 snapshots" in say("snapshots", "prune", "--keep", "1")
    listed = say("snapshots", "list")
    assert old not in listed and needed in listed and newest in listed
    assert "is whole" in say("snapshots", "verify", needed)
