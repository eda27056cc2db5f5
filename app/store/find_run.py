"""Which run a question is about: the one that is shown, one by its name, or the one shown at a moment."""

import datetime as dt
from dataclasses import fields

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from app.absences import NothingPublished, NothingShownThen, UnknownRun
from app.refusals import AmbiguousRun
from app.store import tables
from app.store.selection import PublishedRun
from forecasting.hierarchy import parse_level
from forecasting.months import Month

_NAMED = 3


def current_run(connection: Connection) -> PublishedRun:
    """The run that is shown; raises `NothingPublished` before the first."""
    found = connection.execute(
        shown_runs().join(tables.current_run, tables.current_run.c.run_id == tables.run.c.id)
    ).one_or_none()
    if found is None:
        raise NothingPublished
    return published_run(found)


def run_named(connection: Connection, beginning: str) -> PublishedRun:
    """The run of an id, or the only one shown that begins so; raises `UnknownRun` and `AmbiguousRun`."""
    run = tables.run.c
    question = (
        shown_runs()
        .where(run.id.startswith(beginning, autoescape=True))
        .order_by(run.id != beginning, run.id)
        .limit(_NAMED)
    )
    found = connection.execute(question).all() if beginning else []
    if not found:
        raise UnknownRun(beginning)
    if len(found) > 1 and found[0].id != beginning:
        raise AmbiguousRun(beginning, [each.id for each in found])
    return published_run(found[0])


def run_shown_at(connection: Connection, moment: dt.datetime) -> PublishedRun:
    """The run that was shown at a moment; raises `NothingShownThen` for one before the first."""
    shown = tables.shown.c
    found = connection.execute(
        shown_runs()
        .join(tables.shown, shown.run_id == tables.run.c.id)
        .where(shown.at <= moment)
        .order_by(shown.at.desc(), shown.id.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        first = connection.scalar(sa.select(sa.func.min(shown.at)))
        since = None if first is None else first.astimezone(dt.UTC).isoformat(timespec="minutes")
        raise NothingShownThen(moment.isoformat(timespec="minutes"), since)
    return published_run(found)


def shown_runs() -> sa.Select[tuple[object, ...]]:
    """Runs that were shown, now or before; one that was only recorded is nobody's to see."""
    run = tables.run.c
    return sa.select(*(run[field.name] for field in fields(PublishedRun))).where(
        run.published_at.is_not(None)
    )


def published_run(row: Row[tuple[object, ...]]) -> PublishedRun:
    """A row of the table of runs."""
    facts = {field.name: getattr(row, field.name) for field in fields(PublishedRun)}
    facts["origin"] = Month.of(facts["origin"])
    facts["levels"] = tuple(parse_level(level) for level in facts["levels"])
    facts["probabilities"] = tuple(facts["probabilities"])
    return PublishedRun(**facts)
