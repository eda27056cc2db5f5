"""Rows of a selection as CSV text that PostgreSQL writes itself, a slice of nodes at a time.

A slice comes as one text: what is the same in all rows of a node is written once for it, and no row is
handed through the driver alone, as COPY does. Numbers are written as `app.store.cells` says: `2.0`, `0.1`,
`1e-07`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from app.store.cells import Separator, number_cell_sql, sql_values, text_cell, text_cell_sql
from app.store.keys import KEYS
from app.store.selection import Selection
from forecasting.hierarchy import level_name

type Shape = Literal["long", "wide"]
"""A row for each node and month; or a row for each node and measure, with a column for each month."""
type Point = Literal[".", ","]


@dataclass(frozen=True)
class Layout:
    """How rows are written as text."""

    shape: Shape = "long"
    separator: Separator = ","
    decimal: Point = "."


# The inner select is kept apart by its order, so that a node's cells are made once and not for every row, and
# the nodes by their offset: joined, all of 40,000 nodes were read and hashed for each slice, by its EXPLAIN.
_SLICE = (
    "select string_agg(rows, '' order by place) from ("
    "select slice.place, node.id, concat(%(before)s{cells}) as before "
    "from unnest(%(ids)s::bigint[]) with ordinality as slice (id, place) "
    "cross join lateral (select * from node where node.id = slice.id offset 0) as node order by slice.place"
    ") as node cross join lateral ({rows}) as written"
)
_LONG = (
    "select string_agg(before || to_char(month::timestamp, 'YYYY-MM') || %(unit)s || {numbers} || %(end)s, "
    "'' order by month) as rows from forecast "
    "where run_id = %(run_id)s and node_id = node.id and month between %(first)s and %(last)s"
)
_WIDE = (
    "select string_agg(before || measure.start || {numbers} || %(end)s, '' order by measure.place) as rows "
    "from (select array_agg(array_prepend(mean, quantiles) order by month) as months from forecast where "
    "run_id = %(run_id)s and node_id = node.id and month between %(first)s and %(last)s) as held "
    "cross join unnest(%(starts)s::text[], %(picks)s::int[]) with ordinality as measure (start, pick, place) "
    "where months is not null"
)


def csv_rows(connection: Connection, selection: Selection, ids: Sequence[int], layout: Layout) -> bytes:
    """The rows of these nodes in UTF-8, without a header.

    The columns are run, origin, level, keys and attributes; then month, unit, mean and the quantiles asked
    for, or unit, measure and the months.
    """
    run, separator = selection.run, layout.separator

    def row(*cells: str) -> str:
        return separator.join(text_cell(cell, separator) for cell in cells)

    held = [1 + run.probabilities.index(each) for each in selection.probabilities]
    if layout.shape == "long":
        rows, array = _LONG, ["mean", *(f"quantiles[{place}]" for place in held)]
    else:
        rows = _WIDE
        array = [f"months[{place}][measure.pick]" for place in range(1, 1 + len(selection.months))]
    numbers = f"concat_ws(%(separator)s, {', '.join(map(number_cell_sql, array))})"
    if layout.decimal != ".":
        numbers = f"replace({numbers}, '.', %(decimal)s)"
    names = [*KEYS, *(f"attributes[{place}]" for place in range(1, 1 + len(selection.attributes)))]
    cells = [f"{text_cell_sql(f'node.{name}')}, %(separator)s" for name in names]
    values = {
        **sql_values(separator),
        "separator": separator,
        "decimal": layout.decimal,
        "end": "\n",
        "before": row(run.id, str(run.origin), level_name(selection.level)) + separator,
        "unit": f"{separator}{row(run.unit)}{separator}",
        "starts": [row(run.unit, measure) + separator for measure in selection.measures],
        "picks": [1, *(1 + place for place in held)],
        "ids": list(ids),
        "run_id": run.id,
        "first": selection.first.first_day,
        "last": selection.last.first_day,
    }
    query = _SLICE.format(cells=", " + ", ".join(cells), rows=rows.format(numbers=numbers))
    # Whoever set it to less for the database must not shorten our numbers.
    connection.exec_driver_sql("set local extra_float_digits = 1")
    text: str | None = connection.exec_driver_sql(query, values).scalar_one()
    return (text or "").encode()
