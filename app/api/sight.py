"""Runs as callers may see them, and a transaction for resources that tell of no organization's nodes."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection

from app.absences import UnknownRun
from app.access.caller import Caller
from app.store.run_records import RecordedRun, recorded_run, shown_now
from app.store.session import seen_by

CURRENT = "current"


def _sight(request: Request) -> Iterator[Connection]:
    with seen_by(request.app.state.engine, None) as connection:
        yield connection


# One transaction per request, which sees all: for resources about runs, and for those that the rules keep for
# callers who see all organizations.
type Sight = Annotated[Connection, Depends(_sight)]


def find_run(connection: Connection, caller: Caller, run: str) -> RecordedRun:
    """The run of an id, or the current one, as the caller may see it: see `as_seen`.

    Raises `UnknownRun`, also for a run that was never shown where the caller sees some organizations only.
    """
    found = shown_now(connection) if run == CURRENT else recorded_run(connection, run)
    if caller.organizations is not None and found.published_at is None:
        raise UnknownRun(run)
    return as_seen(found, caller)


def as_seen(run: RecordedRun, caller: Caller) -> RecordedRun:
    """A run without what sums over all organizations, unless the caller sees them all.

    Verdicts, the guard's reasons and why a run was shown tell of totals.
    """
    if caller.organizations is None:
        return run
    shown = tuple(replace(each, because="") for each in run.shown)
    return replace(run, because="", verdict=None, refused=(), accepted=None, shown=shown)
