"""When the world moved: one open event for each kind and scope, kept with its evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert as upsert

from app.store import tables
from forecasting.months import Month


@dataclass(frozen=True)
class DriftEvent:
    """What was seen after a run was published, and what was decided; `closed` is None while it is open."""

    id: str
    kind: str
    scope: str
    opened: Month
    by_run: str
    statistic: float
    threshold: float
    evidence: Mapping[str, object]
    decision: str
    closed: Month | None = None


def keep_events(connection: Connection, events: Sequence[DriftEvent]) -> list[DriftEvent]:
    """Store events, and give back those that are new: a scope with an open event raises no second."""
    if not events:
        return []
    rows = [
        {
            "id": each.id,
            "kind": each.kind,
            "scope": each.scope,
            "opened_month": each.opened.first_day,
            "by_run": each.by_run,
            "statistic": each.statistic,
            "threshold": each.threshold,
            "evidence": dict(each.evidence),
            "decision": each.decision,
            "closed_month": None if each.closed is None else each.closed.first_day,
        }
        for each in events
    ]
    stored = connection.execute(
        upsert(tables.drift_event).values(rows).on_conflict_do_nothing().returning(tables.drift_event.c.id)
    )
    new = set(stored.scalars())
    return [each for each in events if each.id in new]


def close_events(connection: Connection, events: Sequence[DriftEvent]) -> None:
    """Store that events have closed; those that had closed before stay as they are."""
    event = tables.drift_event
    for each in events:
        connection.execute(
            sa.update(event)
            .where(event.c.id == each.id, event.c.closed_month.is_(None))
            .values(closed_month=None if each.closed is None else each.closed.first_day)
        )


def read_events(connection: Connection, *, only_open: bool = False) -> list[DriftEvent]:
    """Events, the newest first."""
    event = tables.drift_event
    question = sa.select(event).order_by(event.c.opened_month.desc(), event.c.kind, event.c.scope)
    if only_open:
        question = question.where(event.c.closed_month.is_(None))
    return [_event(row) for row in connection.execute(question)]


def find_events(
    connection: Connection,
    limit: int,
    *,
    is_open: bool | None = None,
    kind: str | None = None,
    scope: str | None = None,
    first: Month | None = None,
    last: Month | None = None,
) -> list[DriftEvent]:
    """Events in the order of `read_events`: those that were open at some time from `first` to `last`."""
    event = tables.drift_event.c
    question = sa.select(tables.drift_event).order_by(
        event.opened_month.desc(), event.kind, sa.collate(event.scope, "C"), event.id
    )
    if is_open is not None:
        question = question.where(
            event.closed_month.is_(None) if is_open else event.closed_month.is_not(None)
        )
    if kind is not None:
        question = question.where(event.kind == kind)
    if scope is not None:
        question = question.where(event.scope == scope)
    if first is not None:
        question = question.where(sa.or_(event.closed_month.is_(None), event.closed_month >= first.first_day))
    if last is not None:
        question = question.where(event.opened_month <= last.first_day)
    return [_event(row) for row in connection.execute(question.limit(limit))]


def find_event(connection: Connection, event_id: str) -> DriftEvent | None:
    """The event of an id; None where there is none."""
    found = connection.execute(
        sa.select(tables.drift_event).where(tables.drift_event.c.id == event_id)
    ).one_or_none()
    return None if found is None else _event(found)


def retrain_decided(connection: Connection, origin: Month) -> set[str]:
    """The runs of this origin after which a retrain was decided."""
    event, run = tables.drift_event.c, tables.run.c
    question = (
        sa.select(event.by_run)
        .join(tables.run, run.id == event.by_run)
        .where(run.origin == origin.first_day, event.decision == "retrain")
    )
    return set(connection.scalars(question))


def _event(row: sa.Row[tuple[object, ...]]) -> DriftEvent:
    facts = row._asdict()
    closed = facts.pop("closed_month")
    return DriftEvent(
        opened=Month.of(facts.pop("opened_month")),
        closed=None if closed is None else Month.of(closed),
        **facts,
    )
