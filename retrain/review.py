"""What follows the publishing of a month: scores, drift, decisions and messages."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from app.store.drift_events import DriftEvent
from app.store.past import PastRun
from app.store.scores import Score
from forecasting.hierarchy import Hierarchy, Level
from forecasting.months import Month, months_from
from forecasting.panel import DemandPanel
from forecasting.run import ForecastRun
from retrain.data_drift import data_drift
from retrain.drift import error_drift
from retrain.drift_policy import DriftPolicy, decide
from retrain.finding import Finding
from retrain.messages import Message, drift_message
from retrain.plan import MOST_MONTHS_AHEAD
from retrain.pooled_errors import levels_to_read
from retrain.scorecard import score_runs, what_came

WINDOW = 36
"""So many months of errors are looked back on."""


class ReviewStore(Protocol):
    """Where earlier runs are read, and scores and events are kept."""

    def last_origin_before(self, month: Month) -> Month | None:
        """The month in which the history of the latest earlier run ended; None where there is none."""
        ...

    def past_runs(
        self, hierarchy: Hierarchy, levels: Sequence[Level], since: Month, months: Collection[Month]
    ) -> Iterable[PastRun]:
        """What runs from `since` on said of these months, oldest first."""
        ...

    def open_events(self) -> list[DriftEvent]:
        """The events that are open."""
        ...

    def retrain_decided(self, origin: Month) -> set[str]:
        """The runs of this origin after which a retrain was decided."""
        ...

    def keep(
        self, by_run: str, scores: Sequence[Score], new: Sequence[DriftEvent], over: Sequence[DriftEvent]
    ) -> list[DriftEvent]:
        """Store a review in one transaction; those of its events that were new."""
        ...


@dataclass(frozen=True)
class Review:
    """What a review found: the new events, those that are over, and whether to retrain now.

    `retrain` stays true when the same run is reviewed again; whoever acts on it does so once for a period.
    """

    scores: tuple[Score, ...]
    opened: tuple[DriftEvent, ...]
    closed: tuple[DriftEvent, ...]
    retrain: bool


def review_month(
    run: ForecastRun,
    panel: DemandPanel,
    *,
    store: ReviewStore,
    policy: DriftPolicy,
    tell: Callable[[Message], None],
) -> Review:
    """Hold the history of a month just published against all that was said of it; twice changes nothing."""
    month, hierarchy = panel.origin, panel.hierarchy
    came = what_came(panel)
    before = store.last_origin_before(month)
    new = () if before is None else months_from(before + 1, month - before)
    scores = score_runs(came, store.past_runs(hierarchy, hierarchy.levels, month - MOST_MONTHS_AHEAD, new))

    looked = months_from(month - WINDOW + 1, WINDOW)
    read = levels_to_read(hierarchy, policy.levels)
    past = list(store.past_runs(hierarchy, read, month - WINDOW, looked))
    known = store.open_events()
    errors = error_drift(
        came,
        past,
        policy.levels,
        share=policy.customer_share,
        caution=policy.caution,
        unit=run.unit,
        also={each.scope for each in known if each.kind == "errors"},
    )
    data = data_drift(panel, policy.levels, caution=policy.caution, unit=run.unit)
    findings = (*errors.findings, *data.findings)

    out = {(each.kind, each.scope) for each in findings}
    over = [
        replace(each, closed=month)
        for each in known
        if (each.kind, each.scope) not in out and each.opened <= month
    ]
    fresh = [each for each in findings if (each.kind, each.scope) not in {(e.kind, e.scope) for e in known}]
    decided = decide(fresh, policy, bool(store.retrain_decided(month) - {run.id}))
    events = [_event(each, run.id, action) for each, action in zip(fresh, decided.actions, strict=True)]
    opened = store.keep(run.id, scores, events, over)
    review = Review(tuple(scores), tuple(opened), tuple(over), run.id in store.retrain_decided(month))
    if opened:
        tell(drift_message(month, opened, review.retrain))
    return review


def _event(finding: Finding, by_run: str, action: str) -> DriftEvent:
    """A finding as it is kept; its id says when, and tells kind and scope apart."""
    which = hashlib.sha256(f"{finding.kind}\n{finding.scope}".encode()).hexdigest()[:8]
    return DriftEvent(
        id=f"{finding.opened}-{which}",
        kind=finding.kind,
        scope=finding.scope,
        opened=finding.opened,
        by_run=by_run,
        statistic=finding.statistic,
        threshold=finding.threshold,
        evidence=finding.evidence(),
        decision=action,
    )
