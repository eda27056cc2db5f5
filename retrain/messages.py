"""What people are told of a month: a short subject, a few lines of facts, and what to do next."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.store.drift_events import DriftEvent
from app.store.scores import Score
from forecasting.hierarchy import level_name
from forecasting.metrics import ratio
from forecasting.months import Month
from forecasting.run import ForecastRun

type Occasion = Literal["published", "refused", "failed", "drift", "late"]

_FEW = 5
"""So many events are told in full; a page has the rest."""


@dataclass(frozen=True)
class Message:
    """What happened on which occasion."""

    occasion: Occasion
    subject: str
    lines: tuple[str, ...]

    @property
    def body(self) -> str:
        return "\n".join(self.lines)


def published_message(run: ForecastRun, scores: Sequence[Score] = ()) -> Message:
    """A month's forecasts are there; `scores` are those of earlier runs against the month before them."""
    forecast = run.forecast
    top = forecast.mean[forecast.hierarchy.slices[0]].sum(axis=0)
    lines = [
        f"Run {run.id}: {run.because}.",
        f"{forecast.first}: {top[0]:,.0f} {run.unit}; the next {forecast.horizon} months together: "
        f"{top.sum():,.0f} {run.unit}.",
        *_one_ahead(scores),
        "Next: nothing. tonnage accuracy shows how earlier months did.",
    ]
    return Message(
        "published", f"Tonnage {run.origin}: forecasts from {forecast.first} are published", tuple(lines)
    )


def refused_message(month: Month, run: str, reasons: Sequence[str]) -> Message:
    """A guard found a run that must not be shown."""
    lines = (
        f"Run {run} is recorded and not shown; users keep the last one. Why:",
        *(f"- {reason}" for reason in reasons),
        "Next: look into it, then raise the bound in [guard], mend the source and run the month again, or "
        f'show it all the same: tonnage retrain --month {month} --accept "why".',
    )
    return Message("refused", f"Tonnage {month}: the new run was refused", lines)


def failed_message(month: Month, problem: str, published: str | None = None) -> Message:
    """A month ended with an error, perhaps after its run was published; `problem` must hold no secret."""
    shown = (
        "Users keep the last run, and nothing is half done."
        if published is None
        else f"Run {published} is published, but not all that follows was done."
    )
    lines = (
        problem,
        shown,
        f"Next: mend the cause, then tonnage retrain --month {month}. It goes on where it can.",
    )
    return Message("failed", f"Tonnage {month}: the month failed", lines)


def late_message(month: Month, due: dt.datetime, now: dt.datetime) -> Message:
    """A month that should have been published by now begins only now."""
    hours = (now - due).total_seconds() / 3600
    lines = (
        f"It was due at {due:%Y-%m-%d %H:%M %Z}, {hours:,.1f} hours ago. A worker begins it now.",
        "Next: see why no worker ran at its time.",
    )
    return Message("late", f"Tonnage {month}: the month is late", lines)


def drift_message(month: Month, events: Sequence[DriftEvent], retrain: bool) -> Message:
    """The world moved, seen after a month was published."""
    scopes = ", ".join(dict.fromkeys(each.scope for each in events))
    told = [f"- {each.evidence['words']}" for each in events[:_FEW]]
    more = [f"- and {len(events) - _FEW} more"] if len(events) > _FEW else []
    next_step = (
        "Next: a retrain was asked for; it publishes if it is found better."
        if retrain
        else "Next: look at it with somebody who knows the customer; tonnage retrain learns from it."
    )
    lines = (*told, *more, next_step, f"All of it: tonnage drift show {events[0].id}")
    subject = f"Tonnage {month}: drift in {scopes}"
    return Message("drift", subject if len(subject) <= 120 else f"{subject[:117]}...", lines)


def _one_ahead(scores: Sequence[Score]) -> list[str]:
    """How the newest month came out against what was said a month before, by level."""
    ahead = [each for each in scores if each.lead == 1]
    newest = max((each.month for each in ahead), default=None)
    told = [
        f"{level_name(each.level)} {float(ratio(each.absolute_error, each.demand)):.1%}"
        for each in ahead
        if each.month == newest and each.demand > 0
    ]
    return [f"{newest} against what was said a month before, WAPE: {', '.join(told)}."] if told else []
