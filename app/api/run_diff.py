"""`/v1/runs/{run}/diff`: what changed from one run to another, and why."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from sqlalchemy import Connection

from app.api.asking import Asker
from app.api.node_filter import NodeFilter, misspelling_first
from app.api.parameters import ATTRIBUTES, KeyValue
from app.api.problems import declared
from app.api.run_diff_schemas import RunDiff, run_diff
from app.api.runs import RunId
from app.api.sight import CURRENT, Sight, find_run
from app.refusals import NothingInCommon
from app.store.node_changes import common_months, compare
from app.store.run_changes import causes_between
from app.store.run_records import as_published
from app.store.selection import PublishedRun, Selection

router = APIRouter(tags=["runs"])


class DiffQuery(NodeFilter):
    """What to compare with, and which nodes."""

    to: KeyValue = Field(default=CURRENT, description="The later run's id, or `current`.")


@router.get(
    "/v1/runs/{run}/diff",
    summary="What changed from this run to another, node by node and by cause",
    responses=declared(404, 422, 503),
    openapi_extra=ATTRIBUTES,
)
def get_run_diff(
    connection: Sight, caller: Asker, run: RunId, asked: Annotated[DiffQuery, Query()], request: Request
) -> RunDiff:
    """The nodes that changed most, over the months that both runs forecast.

    By how much each cause moved a node is kept for a run and the one that was shown before it; the causes add
    up to the change. For any other two, `tonnage runs diff` computes them.
    """
    with misspelling_first(request):
        after, before = find_run(connection, caller, asked.to), find_run(connection, caller, run)
    earlier, later = as_published(before), as_published(after)
    selection = asked.select(request, comparable(earlier, later))
    return diff_of(connection, earlier, selection, asked.limit)


def diff_of(connection: Connection, before: PublishedRun, selection: Selection, limit: int) -> RunDiff:
    """What changed since a run, of a selection from a later one that is `comparable` with it."""
    causes = causes_between(connection, before.id, selection.run.id)
    return run_diff(selection, before, causes, compare(connection, before, selection, causes, limit))


def comparable(before: PublishedRun, after: PublishedRun) -> PublishedRun:
    """The later run with the levels that both have; raises `NothingInCommon`."""
    if before.unit != after.unit:
        raise NothingInCommon(after.id, f"one counts in {before.unit}, the other in {after.unit}")
    if not common_months(before, after):
        raise NothingInCommon(after.id, "no month is forecast by both")
    levels = tuple(level for level in after.levels if level in before.levels)
    if not levels:
        raise NothingInCommon(after.id, "they have no level in common")
    return replace(after, levels=levels)
