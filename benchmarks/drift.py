"""How often drift is called where nothing happens, and how soon where something does.

    python benchmarks/drift.py [--worlds 40] [--recipe smoothing] [--workers 2]

A world is a made-up order book (benchmarks/drift_worlds.py): 60 customers of four organizations, contract
and spot, seasons, growth, a business cycle and months that are good or bad for all. It is played month by
month for two years: each month a recipe that ships is fitted on what was known, and what the month brought is
held against what was said, as after every publishing. Alarms in worlds in which nothing happens are false.
Then the same worlds, but for one thing that happens in the thirteenth month. Thresholds were chosen on other
seeds than those reported, and never on the demo.

The last lines are about the charts alone: errors with heavy tails, memory, a season and a scale that is
misjudged, harsher than any recipe's in these worlds.
"""

import argparse
import time
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import numpy as np
from drift_worlds import BEFORE, EVENTS, FIRST, HISTORY, PLAYED, make_world

from app.store.past import PastRun, as_past
from forecasting.forecaster import fit
from forecasting.months import Month
from forecasting.panel import DemandPanel
from retrain.charts import episodes
from retrain.data_drift import data_drift
from retrain.drift import OWN, POOLED, error_drift
from retrain.finding import Finding
from retrain.pooled_errors import LEADS
from retrain.recipes import shipped_recipes
from retrain.scorecard import what_came

PROBABILITIES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
WATCHED = ((), ("organization",))
STARTED = FIRST + HISTORY
"""The first month that is held against what runs said."""
HAPPENS = STARTED + BEFORE
AFTER = 6
BIG = "K-000"
LIMIT = 1.0
FIRST_SEED = 2000


@dataclass(frozen=True)
class Alarm:
    kind: str
    scope: str
    month: int
    names_big: bool


@dataclass(frozen=True)
class Played:
    """One world: its alarms by event ("" for none), month 0 being `STARTED`; scope-months by kind."""

    alarms: dict[str, list[Alarm]]
    watched: dict[str, int]


def play(seed: int, recipe: str) -> Played:
    warnings.simplefilter("ignore")
    world, chosen = make_world(seed), shipped_recipes().pick(recipe)
    quiet = world.panel("")

    def run(panel: DemandPanel, origin: Month) -> PastRun:
        forecast = fit(chosen, panel.until(origin), LEADS).forecast(PROBABILITIES)
        return as_past(forecast, panel.hierarchy, str(origin))

    runs = {STARTED - 1 + at: run(quiet, STARTED - 1 + at) for at in range(PLAYED)}
    watched = {"errors": 0, "own": 0, "data": 0}
    alarms = {"": review(quiet, runs, [STARTED + at for at in range(PLAYED)], watched)}
    for event in EVENTS:
        panel = world.panel(event)
        after = {origin: each for origin, each in runs.items() if origin < HAPPENS}
        after |= {HAPPENS + at: run(panel, HAPPENS + at) for at in range(AFTER - 1)}
        alarms[event] = review(panel, after, [HAPPENS + at for at in range(AFTER)], {})
    return Played(alarms, watched)


def review(
    panel: DemandPanel, runs: dict[Month, PastRun], months: Sequence[Month], watched: dict[str, int]
) -> list[Alarm]:
    """What is opened in each of these months."""
    alarms = []
    for month in months:
        known = panel.until(month)
        came = what_came(known)
        past = [trimmed(each, month) for origin, each in sorted(runs.items()) if origin < month]
        errors = error_drift(came, past, WATCHED, share=0.05, caution=1.0, unit="t")
        data = data_drift(known, WATCHED, caution=1.0, unit="t")
        for kind, scopes in (("errors", errors.scopes), ("data", data.scopes)):
            for scope in scopes:
                own = "own" if scope.startswith("customer ") else kind
                watched[own] = watched.get(own, 0) + 1
        for finding in (*errors.findings, *data.findings):
            if finding.opened == month:
                kind = "own" if finding.scope.startswith("customer ") else finding.kind
                alarms.append(Alarm(kind, finding.scope, month - STARTED, names_big(finding)))
    return alarms


def trimmed(past: PastRun, month: Month) -> PastRun:
    """A run with only the months that came by now, as it is read back from the store."""
    months = tuple(each for each in past.months if each <= month)
    return PastRun(past.id, past.origin, past.probabilities, months, past.said)


def names_big(finding: Finding) -> bool:
    return BIG in finding.scope or any(BIG in each.node for each in finding.nodes)


def report(worlds: list[Played]) -> None:
    print(f"  {'nothing happens':34s} {'alarms':>7s} {'scope-years':>12s} {'a scope and year':>17s}  limit")
    for kind, what in (
        ("errors", "errors, organizations and total"),
        ("own", "errors, large customers"),
        ("data", "demand itself"),
    ):
        count = sum(alarm.kind == kind for each in worlds for alarm in each.alarms[""])
        years = sum(each.watched[kind] for each in worlds) / 12
        print(f"  {what:34s} {count:7d} {years:12,.0f} {count / years:17.4f}  {LIMIT:g}")
    calm = sum(not each.alarms[""] for each in worlds)
    fine = sum(all(a.kind == "data" for a in each.alarms[""]) for each in worlds)
    print(f"  two years without any alarm: {calm} of {len(worlds)} worlds; of errors: {fine}")
    head = f"{'one thing happens':34s} {'by the 1st':>10s} {'2nd':>6s} {'3rd':>6s} {'6th month':>10s}"
    print(f"\n  {head}  median delay")
    for event in EVENTS:
        first = [soonest(each.alarms[event]) for each in worlds]
        shares = [np.mean([at is not None and at < month for at in first]) for month in (1, 2, 3, 6)]
        found = sorted(at + 1 for at in first if at is not None)
        delay = f"{np.median(found):g} months" if found else "–"
        print(f"  {event:34s} {shares[0]:10.0%} {shares[1]:6.0%} {shares[2]:6.0%} {shares[3]:10.0%}  {delay}")
    left = [each.alarms[EVENTS[0]] for each in worlds if each.alarms[EVENTS[0]]]
    named = np.mean([any(alarm.names_big for alarm in each) for each in left]) if left else 0.0
    print(f"  of those that saw a customer leave, the evidence names it: {named:.0%}")


def soonest(alarms: Iterable[Alarm]) -> int | None:
    return min((alarm.month - BEFORE for alarm in alarms), default=None)


def charts_alone(count: int) -> None:
    """Years of errors that no world above has: what the charts themselves promise."""
    random = np.random.default_rng([2026, 5])
    months = 72
    for name, rule in (("pooled", POOLED), ("large customers", OWN)):
        alarms, watched = 0, 0
        for _ in range(count):
            errors = harsh(random, months)
            alarms += len(episodes(errors, rule))
            watched += months - rule.warm_up
        years = watched / 12
        what = f"charts alone, {name}"
        print(f"  {what:34s} {alarms:7d} {years:12,.0f} {alarms / years:17.4f}  {LIMIT:g}")


def harsh(random: np.random.Generator, months: int) -> np.ndarray:
    """Student's t of five degrees, an autoregression, a season and a bias, at a scale of 0.8 to 1.4."""
    memory, season = random.uniform(0, 0.5), random.uniform(0, 0.6)
    shocks = random.standard_t(5, months) / np.sqrt(5 / 3)
    errors = np.empty(months)
    last = 0.0
    for at, shock in enumerate(shocks):
        last = memory * last + np.sqrt(1 - memory**2) * shock
        errors[at] = last
    turn = 2 * np.pi * (np.arange(months) / 12 + random.random())
    return random.uniform(0.8, 1.4) * (errors + season * np.sin(turn)) + random.uniform(-0.4, 0.4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=40)
    parser.add_argument("--recipe", default="smoothing")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--charts", type=int, default=5000)
    asked = parser.parse_args()
    started = time.perf_counter()
    if asked.worlds:
        with ProcessPoolExecutor(asked.workers, mp_context=get_context("spawn")) as pool:
            report(
                list(
                    pool.map(partial(play, recipe=asked.recipe), range(FIRST_SEED, FIRST_SEED + asked.worlds))
                )
            )
    print()
    charts_alone(asked.charts)
    print(f"  {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
