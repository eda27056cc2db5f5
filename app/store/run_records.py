"""Reads the record of runs, shown or not: how each was made, what was said of it, when it was shown."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, RowMapping

from app.absences import NothingPublished, UnknownRun
from app.refusals import AmbiguousRun
from app.store import tables
from app.store.lineage import KeptModel
from app.store.selection import PublishedRun
from app.store.session import still
from forecasting.hierarchy import Level, parse_level
from forecasting.months import Month

type What = Literal["published", "accepted", "rolled back"]

_NAMED = 3


@dataclass(frozen=True)
class Showing:
    """A moment from which on a run was the one that is shown."""

    at: dt.datetime
    what: What
    because: str


@dataclass(frozen=True)
class RecordedRun:
    """Everything that is kept of a run but its rows.

    `published_at` is None where it was never shown, `shown` is in order of time, and `current` says whether
    it is the one shown now. From `recipe` to `verdict` all is None for runs from before version 0.3, which
    did not keep it; `code_commit` and `code_lock` are empty where nobody could tell. `models` are None where
    nobody kept what the registry calls them.
    """

    id: str
    origin: Month
    recorded_at: dt.datetime
    published_at: dt.datetime | None
    snapshot: str
    model: str
    unit: str
    because: str
    horizon: int
    levels: tuple[Level, ...]
    probabilities: tuple[float, ...]
    recipe: Mapping[str, object] | None
    plan: Mapping[str, object] | None
    code_version: str | None
    code_commit: str | None
    code_lock: str | None
    panel_first: Month | None
    checksum: str | None
    verdict: Mapping[str, object] | None
    refused: tuple[str, ...]
    accepted: str | None
    models: tuple[KeptModel, ...] | None
    shown: tuple[Showing, ...]
    current: bool


def runs(engine: Engine, limit: int) -> list[RecordedRun]:
    """The newest runs: by origin, then by when they were recorded."""
    with still(engine) as connection:
        return runs_after(connection, limit)


def runs_after(
    connection: Connection, limit: int, after: str | None = None, *, only_shown: bool = False
) -> list[RecordedRun]:
    """Runs in the order of `runs`, those that follow the run `after`; none follow one that is not stored."""
    run = tables.run.c
    question = sa.select(tables.run).order_by(run.origin.desc(), run.recorded_at.desc(), run.id).limit(limit)
    if only_shown:
        question = question.where(run.published_at.is_not(None))
    if after is not None:
        last = sa.select(run.origin, run.recorded_at, run.id).where(run.id == after).subquery("last")
        question = question.join(last, sa.true()).where(
            sa.or_(
                run.origin < last.c.origin,
                sa.and_(run.origin == last.c.origin, run.recorded_at < last.c.recorded_at),
                sa.and_(
                    run.origin == last.c.origin, run.recorded_at == last.c.recorded_at, run.id > last.c.id
                ),
            )
        )
    return _read(connection, question)


def recorded_run(connection: Connection, run_id: str) -> RecordedRun:
    """The run of an id; raises `UnknownRun`."""
    found = _read(connection, sa.select(tables.run).where(tables.run.c.id == run_id))
    if not found:
        raise UnknownRun(run_id)
    return found[0]


def shown_now(connection: Connection) -> RecordedRun:
    """The run that is shown; raises `NothingPublished` before the first."""
    current = sa.select(tables.current_run.c.run_id).scalar_subquery()
    found = _read(connection, sa.select(tables.run).where(tables.run.c.id == current))
    if not found:
        raise NothingPublished
    return found[0]


def run_record(engine: Engine, beginning: str) -> RecordedRun:
    """The run of an id, or the only one that begins so; raises `UnknownRun` and `AmbiguousRun`."""
    run = tables.run.c
    question = (
        sa.select(tables.run)
        .where(run.id.startswith(beginning, autoescape=True))
        .order_by(run.id != beginning, run.id)
        .limit(_NAMED)
    )
    with still(engine) as connection:
        found = _read(connection, question)
    if not found or not beginning:
        raise UnknownRun(beginning)
    if len(found) > 1 and found[0].id != beginning:
        raise AmbiguousRun(beginning, [each.id for each in found])
    return found[0]


def as_published(run: RecordedRun) -> PublishedRun:
    """A recorded run as questions are asked of it, whether it was shown or not."""
    return PublishedRun(
        id=run.id,
        origin=run.origin,
        published_at=run.published_at or run.recorded_at,
        snapshot=run.snapshot,
        model=run.model,
        unit=run.unit,
        because=run.because,
        horizon=run.horizon,
        levels=run.levels,
        probabilities=run.probabilities,
    )


def accepted_before(engine: Engine, run_id: str) -> str | None:
    """The reason that somebody gave for showing this run; None where nobody did, or it is not stored."""
    with still(engine) as connection:
        return connection.scalar(sa.select(tables.run.c.accepted).where(tables.run.c.id == run_id))


def _read(connection: Connection, question: sa.Select[tuple[object, ...]]) -> list[RecordedRun]:
    rows = connection.execute(question).mappings().all()
    current = connection.scalar(sa.select(tables.current_run.c.run_id))
    shown = tables.shown.c
    showings: dict[str, list[Showing]] = {row["id"]: [] for row in rows}
    for each in connection.execute(
        sa.select(shown.run_id, shown.at, shown.what, shown.because)
        .where(shown.run_id.in_(showings))
        .order_by(shown.id)
    ):
        showings[each.run_id].append(Showing(each.at, each.what, each.because))
    return [_run(row, tuple(showings[row["id"]]), row["id"] == current) for row in rows]


def _run(row: RowMapping, shown: tuple[Showing, ...], current: bool) -> RecordedRun:
    first, models = row["panel_first"], row["models"]
    facts = dict(row) | {
        "origin": Month.of(row["origin"]),
        "levels": tuple(parse_level(level) for level in row["levels"]),
        "probabilities": tuple(row["probabilities"]),
        "panel_first": None if first is None else Month.of(first),
        "refused": tuple(row["refused"]),
        "models": None if models is None else tuple(KeptModel(**each) for each in models),
    }
    del facts["number"]  # an analyst's key, which means nothing elsewhere
    return RecordedRun(**facts, shown=shown, current=current)
