"""The questions of the short way: which run is shown, what it is, and the months of one of its nodes."""

from collections import namedtuple
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, cast

from sqlalchemy import Row

from app.store.find_run import published_run
from app.store.forecasts import NodeForecast
from app.store.keys import KEYS
from app.store.lines import Lines, Statement
from app.store.node_id import Node
from app.store.selection import PublishedRun, Selection
from forecasting.hierarchy import Level, level_name

_FACTS = tuple(field.name for field in fields(PublishedRun))
_Facts = namedtuple("_Facts", _FACTS)  # type: ignore[misc]  # as a row of SQLAlchemy reads

_POINTER = Statement("pointer", (), "select run_id from current_run")
_RUN = Statement(
    "run_by_id",
    ("text",),
    f"select {', '.join(_FACTS)} from run where id = $1 and published_at is not null",  # noqa: S608  # our names
)


async def current_id(lines: Lines) -> str | None:
    """The id of the run that is shown, None before the first."""
    rows = await lines.ask(_POINTER)
    return cast("str", rows[0][0]) if rows else None


async def shown_run(lines: Lines, run_id: str) -> PublishedRun | None:
    """What was published under this id."""
    rows = await lines.ask(_RUN, (run_id,))
    return published_run(cast("Row[Any]", _Facts(*rows[0]))) if rows else None


def names_one_node(selection: Selection) -> bool:
    """Whether every key of the level has a value, and keys are all that tells its nodes apart."""
    named = all(len(values) == 1 for values in selection.where.values())
    return named and not selection.attributes and set(selection.where) == set(selection.level)


async def one_node(lines: Lines, selection: Selection) -> NodeForecast | None:
    """The forecast of the node that the selection names, None where the run has none such.

    One statement, whose rows never change once the run is shown.
    """
    where = {key: value for key, (value,) in selection.where.items()}
    keys = [where[key] for key in selection.level]
    rows = await lines.ask(
        _STATEMENTS[frozenset(selection.level)],
        (
            selection.run.id,
            selection.first.first_day,
            selection.last.first_day,
            level_name(selection.level),
            *keys,
        ),
    )
    numbers = cast("Sequence[Sequence[float]] | None", rows[0][0])
    if numbers is None:
        return None
    held = selection.run.probabilities
    if selection.probabilities != held:
        picks = [0, *(1 + held.index(probability) for probability in selection.probabilities)]
        numbers = [[month[pick] for pick in picks] for month in numbers]
    organization, customer, material = (where.get(key) for key in KEYS)
    return NodeForecast(Node(organization, customer, material), numbers)


def _statement(level: Level) -> Statement:
    """The statement for levels of these keys: a key is given, or null, and then not a parameter."""
    given = iter(range(5, 5 + len(level)))
    conditions = [f"{key} = ${next(given)}" if key in level else f"{key} is null" for key in KEYS]
    text = (
        "select array_agg(array_prepend(mean, quantiles) order by month) from forecast "  # noqa: S608  # our names
        "where run_id = $1 and month between $2 and $3 and node_id = "
        f"(select id from node where level = $4 and {' and '.join(conditions)} and attributes = '{{}}')"
    )
    types = ("text", "date", "date", "text", *["text"] * len(level))
    return Statement("_".join(("node", *level)), types, text)


_LEVELS = [tuple(key for key in KEYS if mask >> KEYS.index(key) & 1) for mask in range(1 << len(KEYS))]
_STATEMENTS = {frozenset(level): _statement(level) for level in _LEVELS}
