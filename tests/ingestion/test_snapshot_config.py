"""`[snapshots]`: what is understood, and what is refused."""

from typing import Any

import pytest

from ingestion.errors import BadSourceConfig
from ingestion.snapshot_config import SnapshotConfig, parse_snapshots


def test_a_closed_month_may_change_by_a_tenth_unless_said_otherwise() -> None:
    assert parse_snapshots({}) == SnapshotConfig(max_change=0.1)
    assert parse_snapshots({"snapshots": {"max_change": 0}}) == SnapshotConfig(max_change=0.0)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (3, r"\[snapshots\]: not a table"),
        ({"max_change": "10 %"}, r"\[snapshots\] max_change: '10 %' is not a share of a month"),
        ({"change": 0.1}, r"\[snapshots\]: unknown key 'change'; known keys are max_change"),
    ],
)
def test_a_mistake_is_named(section: Any, message: str) -> None:
    with pytest.raises(BadSourceConfig, match=message):
        parse_snapshots({"snapshots": section})
