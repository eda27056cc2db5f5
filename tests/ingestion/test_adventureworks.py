"""Real input: the AdventureWorks reseller tables, ingested to the piece."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from forecasting.months import Month
from ingestion.blobs import open_blobs
from ingestion.job import Order, take_snapshot
from ingestion.monthly import build_panel
from ingestion.order_line import KEYS
from ingestion.snapshot_store import SnapshotStore
from ingestion.source_config import parse_demand, parse_sources

TABLES = Path(__file__).parents[2].parent / "shared" / "data" / "adventureworks_reseller"

DOCUMENT = {
    "demand": {"unit": "piece"},
    "sources": {
        "adventureworks": {
            "url": "env:ADVENTUREWORKS_URL",
            "query": """
                select l.order_id || '/' || l.line_no as line, o.territory_id, o.customer_id,
                    l.product_id, o.order_date, l.quantity
                from aw_order_lines as l join aw_orders as o using (order_id)
            """,
            "unit": "piece",
            "columns": {
                "line": "line",
                "organization": "territory_id",
                "customer": "customer_id",
                "material": "product_id",
                "date": "order_date",
                "quantity": "quantity",
            },
        }
    },
}

pytestmark = pytest.mark.skipif(not TABLES.is_dir(), reason=f"no real input at ../{TABLES.parent.name}")


@pytest.fixture
def loaded(load: Callable[[str, pl.DataFrame], None]) -> Iterator[None]:
    for name in ("orders", "order_lines"):
        load(f"aw_{name}", pl.read_csv(TABLES / f"{name}.csv.gz", try_parse_dates=True))
    return


@pytest.mark.usefixtures("loaded")
def test_every_piece_arrives(postgres_url: str, tmp_path: Path) -> None:
    snapshot = take_snapshot(
        Month(2020, 5),
        Order(parse_sources(DOCUMENT, {"ADVENTUREWORKS_URL": postgres_url}), demand=parse_demand(DOCUMENT)),
        store=SnapshotStore(open_blobs(tmp_path)),
        taken_at=datetime(2020, 6, 1, tzinfo=UTC),
        code_version="1",
        progress=lambda source, rows: None,
    )
    assert (snapshot.lines.height, snapshot.rejects.height) == (57_851, 0)
    assert snapshot.lines["quantity"].sum() == 204_114

    panel = build_panel(snapshot, KEYS, ((), ("organization",), KEYS))
    assert (panel.first, panel.n_months, panel.hierarchy.n_leaves) == (Month(2017, 7), 35, 23_551)
    assert panel.nodes()[0].sum() == 204_114
    monthly = pl.read_parquet(TABLES / "monthly.parquet")
    expected = monthly.group_by("ds").agg(pl.col("y").sum()).sort("ds")["y"].to_list()
    assert panel.nodes()[0].tolist() == expected
