"""What is kept of the snapshots that runs were made from: the order lines themselves stay where they are."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert

from app.store import insight_tables, tables
from forecasting.months import Month


@dataclass(frozen=True)
class Lines:
    """How many lines, and what they add up to in the snapshot's unit."""

    lines: int
    quantity: int


@dataclass(frozen=True)
class SnapshotSource:
    """What one source gave: lines kept, lines set aside by reason, and how many are dated after the month."""

    name: str
    dialect: str
    consistency: str
    kept: Lines
    later: int
    set_aside: Mapping[str, Lines]


@dataclass(frozen=True)
class ChangedMonth:
    """A month of a source that is not what it was in the snapshot before."""

    source: str
    month: str
    before: Lines
    after: Lines


@dataclass(frozen=True)
class SnapshotFacts:
    """A snapshot's own account of itself; quantities are in `unit`, kg or piece.

    `parent` is the snapshot that it was compared with when it was taken, `accepted` somebody's reason to take
    it although closed months had changed.
    """

    id: str
    month: Month
    taken_at: dt.datetime
    code_version: str
    unit: str
    parent: str | None
    accepted: str | None
    sources: tuple[SnapshotSource, ...]
    changes: tuple[ChangedMonth, ...]

    @property
    def kept(self) -> Lines:
        """The lines that count, of all sources."""
        return _sum([each.kept for each in self.sources])

    @property
    def set_aside(self) -> dict[str, Lines]:
        """Lines that do not count, by reason, of all sources."""
        reasons = sorted({reason for each in self.sources for reason in each.set_aside})
        return {
            reason: _sum([each.set_aside[reason] for each in self.sources if reason in each.set_aside])
            for reason in reasons
        }


@dataclass(frozen=True)
class KeptSnapshot:
    """A snapshot and the runs that were made from it, the newest first; no facts before version 0.3."""

    id: str
    facts: SnapshotFacts | None
    runs: tuple[str, ...]


def keep_snapshot(connection: Connection, facts: SnapshotFacts) -> None:
    """Store a snapshot's facts, once."""
    row = {
        "id": facts.id,
        "month": facts.month.first_day,
        "taken_at": facts.taken_at,
        "code_version": facts.code_version,
        "unit": facts.unit,
        "parent": facts.parent,
        "accepted": facts.accepted,
        "sources": [asdict(each) for each in facts.sources],
        "changes": [asdict(each) for each in facts.changes],
    }
    connection.execute(upsert(insight_tables.snapshot).values(row).on_conflict_do_nothing())


def read_snapshots(connection: Connection, limit: int, after: str | None = None) -> list[KeptSnapshot]:
    """Snapshots of runs: by the newest origin of theirs, then by id; those that follow `after` in that order.

    Where no run was made from `after`, there are none.
    """
    run = tables.run.c
    each = (
        sa.select(
            run.snapshot,
            sa.func.max(run.origin).label("origin"),
            sa.func.array_agg(aggregate_order_by(run.id, run.recorded_at.desc(), run.id)).label("runs"),
        )
        .group_by(run.snapshot)
        .subquery()
    )
    question = _question(each).order_by(each.c.origin.desc(), each.c.snapshot).limit(limit)
    if after is not None:
        newest = sa.select(sa.func.max(run.origin)).where(run.snapshot == after).scalar_subquery()
        question = question.where(
            sa.or_(each.c.origin < newest, sa.and_(each.c.origin == newest, each.c.snapshot > after))
        )
    return [_kept(row) for row in connection.execute(question)]


def read_snapshot(connection: Connection, snapshot: str) -> KeptSnapshot | None:
    """One snapshot; None where no run was made from it."""
    run = tables.run.c
    each = (
        sa.select(
            run.snapshot,
            sa.func.array_agg(aggregate_order_by(run.id, run.recorded_at.desc(), run.id)).label("runs"),
        )
        .where(run.snapshot == snapshot)
        .group_by(run.snapshot)
        .subquery()
    )
    found = connection.execute(_question(each)).one_or_none()
    return None if found is None else _kept(found)


def _question(each: sa.Subquery) -> sa.Select[tuple[object, ...]]:
    kept = insight_tables.snapshot
    return sa.select(each.c.snapshot, each.c.runs, kept).join_from(
        each, kept, kept.c.id == each.c.snapshot, isouter=True
    )


def _kept(row: sa.Row[tuple[object, ...]]) -> KeptSnapshot:
    facts = row._asdict()
    identity, runs = facts.pop("snapshot"), tuple(facts.pop("runs"))
    if facts["id"] is None:
        return KeptSnapshot(identity, None, runs)
    facts["month"] = Month.of(facts["month"])
    facts["sources"] = tuple(_source(each) for each in facts["sources"])
    facts["changes"] = tuple(
        ChangedMonth(each["source"], each["month"], Lines(**each["before"]), Lines(**each["after"]))
        for each in facts["changes"]
    )
    return KeptSnapshot(identity, SnapshotFacts(**facts), runs)


def _source(kept: Mapping[str, object]) -> SnapshotSource:
    facts = dict(kept)
    set_aside = facts.pop("set_aside")
    assert isinstance(set_aside, dict)
    return SnapshotSource(
        kept=Lines(**facts.pop("kept")),  # type: ignore[arg-type]  # as it was written
        set_aside={reason: Lines(**lines) for reason, lines in set_aside.items()},
        **facts,  # type: ignore[arg-type]  # as it was written
    )


def _sum(parts: Sequence[Lines]) -> Lines:
    return Lines(sum(each.lines for each in parts), sum(each.quantity for each in parts))
