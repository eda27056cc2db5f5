"""Rows of a selection as CSV text that PostgreSQL writes itself, a slice of nodes at a time.

Numbers are the shortest text that reads back as the same double, as PostgreSQL spells it: `2`, `0.1`,
`1e-07`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from app.store.formulas import VALUES, as_text, as_text_sql
from app.store.keys import KEYS
from app.store.selected_nodes import StoredNode
from app.store.selection import Selection
from app.store.session import copy_out
from forecasting.forecast import quantile_name
from forecasting.hierarchy import level_name

type Shape = Literal["long", "wide"]
"""A row for each node and month; or a row for each node and measure, with a column for each month."""


@dataclass(frozen=True)
class Layout:
    """How rows are written as text."""

    shape: Shape = "long"
    separator: Literal[",", ";"] = ","
    decimal: Literal[".", ","] = "."


# The sub-select is kept apart by its order, so that a node's cells are made once and not for every month.
_FROM = (
    "(select slice.place, node.id{cells} from unnest(%(ids)s::bigint[]) with ordinality as slice (id, place) "
    "join node on node.id = slice.id order by slice.place) as node"
)
_LONG = (
    "select %(run)s, %(origin)s, %(level)s{names}, to_char(month::timestamp, 'YYYY-MM'), %(unit)s{numbers} "  # noqa: S608  # our names
    f"from {_FROM} join forecast on run_id = %(run_id)s and node_id = node.id "
    "and month between %(first)s and %(last)s order by node.place, month"
)
_WIDE = (
    "select %(run)s, %(origin)s, %(level)s{names}, %(unit)s, measure.name{numbers} "  # noqa: S608
    f"from {_FROM} cross join lateral ("
    "select array_agg(array_prepend(mean, quantiles) order by month) as months from forecast "
    "where run_id = %(run_id)s and node_id = node.id and month between %(first)s and %(last)s) as held "
    "cross join unnest(%(measures)s::text[], %(picks)s::int[]) with ordinality "
    "as measure (name, pick, place) where months is not null order by node.place, measure.place"
)


def csv_rows(
    connection: Connection, selection: Selection, nodes: Sequence[StoredNode], layout: Layout
) -> bytes:
    """The rows of these nodes in UTF-8, without a header.

    The columns are run, origin, level, keys and attributes; then month, unit, mean and the quantiles asked
    for, or unit, measure and the months.
    """
    run = selection.run
    held = [1 + run.probabilities.index(each) for each in selection.probabilities]
    if layout.shape == "long":
        query = _LONG
        numbers = ["mean", *(f"quantiles[{place}]" for place in held)]
    else:
        query = _WIDE
        numbers = [f"months[{place}][measure.pick]" for place in range(1, 1 + len(selection.months))]
    if layout.decimal == ",":
        numbers = [f"replace(({number})::text, '.', ',')" for number in numbers]
    sources = [*KEYS, *(f"attributes[{place}]" for place in range(1, 1 + len(selection.attributes)))]
    cells = [f"{as_text_sql(f'node.{source}')} as cell{place}" for place, source in enumerate(sources)]
    values = {
        **VALUES,
        "ids": [each.id for each in nodes],
        "run_id": run.id,
        "run": as_text(run.id),
        "origin": str(run.origin),
        "level": as_text(level_name(selection.level)),
        "unit": as_text(run.unit),
        "first": selection.first.first_day,
        "last": selection.last.first_day,
        "measures": ["mean", *map(quantile_name, selection.probabilities)],
        "picks": [1, *(1 + place for place in held)],
    }
    query = query.format(
        cells="".join(f", {cell}" for cell in cells),
        names="".join(f", node.cell{place}" for place in range(len(cells))),
        numbers="".join(f", {number}" for number in numbers),
    )
    # Whoever set it to less for the database must not shorten our numbers.
    connection.exec_driver_sql("set local extra_float_digits = 1")
    form = f"format csv, delimiter '{layout.separator}', encoding 'UTF8'"
    return copy_out(connection, query, values, form)
