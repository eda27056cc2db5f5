"""Gathers from the stores what a monitoring system asks."""

import datetime as dt

from app.absences import NothingPublished
from app.export.metrics import Facts
from app.store.drift_events import read_events
from app.store.read import Reader
from app.store.scores import read_scores
from app.store.session import connected
from app.store.stage_times import last_times, outcomes
from forecasting.metrics import ratio
from tonnage.stores import Stores


def gather_facts(stores: Stores, now: dt.datetime) -> Facts:
    """Everything at one state of the database, and what the newest snapshot set aside."""
    still = stores.engine.execution_options(isolation_level="REPEATABLE READ")
    with connected(still) as connection:
        try:
            current = Reader(connection).current_run()
        except NothingPublished:
            current = None
        ahead = [] if current is None else read_scores(connection, first=current.origin, last=current.origin)
        wape = {
            each.level: float(ratio(each.absolute_error, each.demand))
            for each in ahead
            if each.lead == 1 and each.demand > 0
        }
        return Facts(
            now=now,
            current=current,
            outcomes=outcomes(connection),
            times=last_times(connection),
            events=tuple(read_events(connection, only_open=True)),
            rejects=_rejects(stores),
            wape=wape,
        )


def _rejects(stores: Stores) -> dict[str, int] | None:
    """Lines set aside by reason, over all sources of the newest snapshot; None where there is none."""
    newest = stores.snapshots.newest()
    if newest is None:
        return None
    lines: dict[str, int] = {}
    for source in newest.manifest.sources:
        for reason, count in source.set_aside.items():
            lines[reason] = lines.get(reason, 0) + count.lines
    return lines
