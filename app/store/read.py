"""Reads published runs: each question a method, answered by key."""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from app.store import find_run, nodes, row_numbers, row_text, selected_nodes, series, summaries
from app.store.forecasts import NodeForecast, forecasts_question, read_forecasts
from app.store.node_id import Node, NodeId
from app.store.nodes import Page, Place
from app.store.row_text import Layout
from app.store.scope import Scope, check_node, levels_told, told
from app.store.selected_nodes import NodeSlice
from app.store.selection import PublishedRun, Selection
from app.store.session import allow_seconds, seen_by
from forecasting.arrays import Floats

_SECONDS_OF_EXPORTS = 3_600.0  # of one fetch, for as long as the reader takes


@contextmanager
def reading(engine: Engine, organizations: frozenset[str] | None = None) -> Iterator["Reader"]:
    """A reader that sees one state of the database, whatever is published meanwhile.

    With organizations it sees their nodes only, and none that sums over others.
    """
    with seen_by(engine, organizations) as connection:
        yield Reader(connection, organizations)


class Reader:
    """Answers questions about published runs within one transaction; get one from `reading`.

    Raises `ForeignLevel` for nodes that sum over organizations of which its caller sees some.
    """

    def __init__(self, connection: Connection, scope: Scope = None) -> None:
        self._connection = connection
        self._scope = scope

    def current_run(self) -> PublishedRun:
        """The run that is shown; raises `NothingPublished` before the first."""
        return find_run.current_run(self._connection)

    def run(self, name: str) -> PublishedRun:
        """The run of an id, or the only one that begins so, never one that was not shown.

        Raises `UnknownRun` and `AmbiguousRun`.
        """
        return find_run.run_named(self._connection, name)

    def run_shown_at(self, moment: dt.datetime) -> PublishedRun:
        """The run that was shown at a moment; raises `NothingShownThen` for one before the first."""
        return find_run.run_shown_at(self._connection, moment)

    def nodes(self, selection: Selection, limit: int, after: Place | None = None) -> Page[Node]:
        """A page of nodes, in serving order; raises `UnknownNode` for a value that no node has."""
        page = self.walk([selection], limit, after)
        return Page([each.node for each in page.rows], page.after)

    def walk(
        self,
        selections: Sequence[Selection],
        limit: int,
        after: Place | None = None,
    ) -> Page[NodeId]:
        """A page of the nodes of some levels, one level after the other, each in serving order.

        Raises `UnknownNode` for a value that no node has.
        """
        selections = told(self._scope, selections)
        page = nodes.walk(self._connection, selections, limit, after)
        self._refuse_unknown(selections, page, after)
        return page

    def find(self, run: PublishedRun, node: NodeId) -> None:
        """See that the run has the node; raises `UnknownLevel` and `NodeNotInRun`."""
        check_node(self._scope, run, node)
        nodes.find_node(self._connection, run, node)

    def children(
        self, run: PublishedRun, node: NodeId, limit: int, after: Place | None = None, by: str | None = None
    ) -> Page[NodeId]:
        """A page of the nodes below a node, at the next finer levels, or at the next that name `by`.

        Raises `UnknownLevel`, `NodeNotInRun` and `NotDividedBy`.
        """
        self.find(run, node)
        return self.walk(nodes.children_of(run, node, by), limit, after)

    def path(self, run: PublishedRun, node: NodeId) -> list[NodeId]:
        """Every node that a node counts towards, from the top down, itself the last; or `NodeNotInRun`."""
        check_node(self._scope, run, node)
        return nodes.path(self._connection, run, node, levels_told(self._scope, run))

    def forecasts(self, selection: Selection, limit: int, after: Place | None = None) -> Page[NodeForecast]:
        """A page of forecasts, in the order of the selection; raises `UnknownNode` like `nodes`."""
        (selection,) = told(self._scope, [selection])
        rows = self._connection.execute(forecasts_question(selection, after, limit + 1)).all()
        page = Page(list(read_forecasts(selection, rows[:limit])), None)
        if len(rows) > limit:
            last = page.rows[-1].node.within(selection.level)
            total = None if selection.sort == "nodes" else rows[limit - 1].total
            page = Page(page.rows, Place(selection.level, last, total))
        self._refuse_unknown([selection], page, after)
        return page

    def id_slices(
        self, selection: Selection, size: int, after: Place | None = None
    ) -> Iterator[Sequence[int]]:
        """The numbers of all nodes of a selection, so many at a time, in memory that does not grow with them.

        Raises `UnknownNode` at once, not at the first slice. Their rows are had by `csv_rows` and `numbers`.
        """
        return selected_nodes.id_slices(self._connection, self._exported(selection), size, after)

    def node_slices(self, selection: Selection, size: int, after: Place | None = None) -> Iterator[NodeSlice]:
        """The same, with what the nodes are called."""
        return selected_nodes.node_slices(self._connection, self._exported(selection), size, after)

    def node_page(
        self, selection: Selection, limit: int, after: Place | None = None
    ) -> tuple[NodeSlice, Place | None]:
        """A page of the same nodes, and the place after which the next begins; raises like `nodes`."""
        selection = self._exported(selection)
        return selected_nodes.node_page(self._connection, selection, limit, after)

    def count(self, selection: Selection, most: int | None = None) -> int:
        """How many nodes are selected, counted up to `most`."""
        (selection,) = told(self._scope, [selection])
        return selected_nodes.count(self._connection, selection, most)

    def csv_rows(self, selection: Selection, ids: Sequence[int], layout: Layout) -> bytes:
        """The rows of some nodes of a selection as CSV text: see `app.store.row_text`."""
        return row_text.csv_rows(self._connection, selection, ids, layout)

    def numbers(self, selection: Selection, ids: Sequence[int]) -> Floats:
        """The numbers of some nodes of a selection: see `app.store.row_numbers`."""
        return row_numbers.numbers(self._connection, selection, ids)

    def summaries(
        self, selection: Selection, ranking: summaries.Ranking, stretch: summaries.Stretch
    ) -> list[summaries.Summary]:
        """The nodes of a stretch of those selected, in a line each."""
        (selection,) = told(self._scope, [selection])
        return summaries.summaries(self._connection, selection, ranking, stretch)

    def added_up(self, selections: Sequence[Selection]) -> list[list[float]]:
        """For each selection the sum of its nodes' means in each month of the run."""
        return summaries.added_up(self._connection, told(self._scope, selections))

    def series(
        self,
        run: PublishedRun,
        node: NodeId,
        probabilities: Sequence[float] | None = None,
        *,
        history: int = 36,
        earlier: int = 6,
    ) -> series.Series:
        """A node through time: so many months of history, its forecast, so many earlier forecasts.

        Raises `UnknownLevel`, `NodeNotInRun` and `UnknownQuantile`.
        """
        check_node(self._scope, run, node)
        return series.series(self._connection, run, node, probabilities, history=history, earlier=earlier)

    def _exported(self, selection: Selection) -> Selection:
        """What of a selection may be told of, with the time that an export needs."""
        (selection,) = told(self._scope, [selection])
        nodes.refuse_unknown(self._connection, [selection])
        allow_seconds(self._connection, _SECONDS_OF_EXPORTS)
        return selection

    def _refuse_unknown[T](self, selections: Sequence[Selection], page: Page[T], after: Place | None) -> None:
        """Look for unknown values on the first page, unless each filter has one and something was found."""
        several = any(len(values) > 1 for each in selections for values in each.where.values())
        if after is None and (several or not page.rows):
            nodes.refuse_unknown(self._connection, selections)
