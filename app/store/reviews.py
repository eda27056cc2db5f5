"""What a review of a published month reads and writes, as its conductor asks for it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from app.store.drift_events import DriftEvent, close_events, keep_events, read_events, retrain_decided
from app.store.past import PastRun, find_places, last_origin_before, read_past, runs_before
from app.store.scores import Score, keep_scores
from app.store.session import connected
from forecasting.hierarchy import Hierarchy, Level
from forecasting.months import Month


@dataclass(frozen=True)
class ReviewTables:
    """The serving tables as a review sees them."""

    engine: Engine

    def last_origin_before(self, month: Month) -> Month | None:
        """The month in which the history of the latest earlier run ended; None where there is none."""
        with connected(self.engine) as connection:
            return last_origin_before(connection, month)

    def past_runs(
        self, hierarchy: Hierarchy, levels: Sequence[Level], since: Month, months: Collection[Month]
    ) -> Iterator[PastRun]:
        """What runs from `since` on said of these months, one run after the other, oldest first.

        A run that said nothing of any of them is left out; of months it has only those.
        """
        with connected(self.engine) as connection:
            places = find_places(connection, hierarchy, levels)
            for run in runs_before(connection, max(months, default=since), since):
                spoken = sorted(month for month in months if run.first <= month <= run.last)
                if spoken:
                    yield read_past(connection, run, spoken, places)

    def open_events(self) -> list[DriftEvent]:
        """The events that are open, the newest first."""
        with connected(self.engine) as connection:
            return read_events(connection, only_open=True)

    def retrain_decided(self, origin: Month) -> set[str]:
        """The runs of this origin after which a retrain was decided."""
        with connected(self.engine) as connection:
            return retrain_decided(connection, origin)

    def keep(
        self, by_run: str, scores: Sequence[Score], new: Sequence[DriftEvent], over: Sequence[DriftEvent]
    ) -> list[DriftEvent]:
        """Store a review in one transaction; those of its events that were new."""
        with connected(self.engine) as connection:
            keep_scores(connection, by_run, scores)
            close_events(connection, over)
            return keep_events(connection, new)
