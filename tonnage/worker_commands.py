"""`tonnage worker` and `tonnage schedule`: the month that runs itself."""

import logging
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from forecasting.months import Month
from tonnage import clock
from tonnage.consoles import screen
from tonnage.options import ConfigOption
from tonnage.progress import log

if TYPE_CHECKING:
    from tonnage.worker import Worker

FAILED, REFUSED = 1, 3
SECONDS = 5.0


def worker(
    config: ConfigOption = None,
    once: Annotated[bool, typer.Option("--once", help="Do what is due and asked for now, and end.")] = False,
    every: Annotated[float, typer.Option(min=0.05, help="Seconds between looks.")] = SECONDS,
) -> None:
    """Run the months that are due by [schedule], and the jobs that were asked for, until SIGTERM.

    Any number of workers may share a database: each month is run once, and one that dies is replaced. With
    --once the exit code is 1 if something failed and 3 if something was refused.
    """
    from tonnage.wiring import House

    house = House.for_command()
    hand = house.worker(config, clock.now)
    hand.schedule()  # a mistake in it ends the command; later ones are only logged
    if not once:
        _run_until_stopped(hand, every)
        return
    # As an exit it puts back what is being done.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    endings = {each.ending for each in hand.work_off()}
    if "failed" in endings:
        raise typer.Exit(FAILED)
    if "refused" in endings:
        raise typer.Exit(REFUSED)


def schedule(
    config: ConfigOption = None,
    months: Annotated[int, typer.Option(min=1, max=120, help="How many of the past.")] = 12,
    again: Annotated[
        Month | None,
        typer.Option(
            parser=Month.parse, metavar="YYYY-MM", help="Have a month run again that was refused or failed."
        ),
    ] = None,
) -> None:
    """Show which months are due when, and what became of those that were."""
    from app.store.audit import record
    from app.store.periods import periods, run_again
    from app.store.session import connected
    from retrain.schedule import parse_schedule
    from tonnage.by_hand import by_hand
    from tonnage.schedule_screen import print_schedule
    from tonnage.wiring import House

    house = House.for_command()
    if again is not None:
        with connected(house.engine) as connection:
            record(connection, by_hand("tonnage schedule --again", "asked", str(again)))
        run_again(house.engine, again)
    plan = parse_schedule(house.document(config))
    print_schedule(screen, plan, periods(house.engine, months), clock.now())


def _run_until_stopped(hand: "Worker", every: float) -> None:
    """Look for work every so many seconds until SIGINT or SIGTERM; then put back what can be, and end.

    The scheduler looks in a thread of its own, so that a signal never arrives in the middle of the work.
    """
    from apscheduler.schedulers.background import (  # type: ignore[import-untyped]  # it ships no types
        BackgroundScheduler,
    )

    # It warns at every look that falls into a month that is being run.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(
        _look,
        "interval",
        args=[hand],
        seconds=every,
        next_run_time=clock.now(),
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
    )
    scheduler.start()
    log.info("worker started", worker=hand.name, stop="Ctrl-C")
    try:
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        hand.stop.set()
        scheduler.shutdown(wait=True)
        log.info("worker stopped", worker=hand.name)


def _look(hand: "Worker") -> None:
    """Work off; whatever goes wrong here, there is a next look."""
    from app.errors import AppError
    from retrain.errors import RetrainError
    from tonnage.errors import FrontDoorError

    try:
        hand.work_off()
    except (AppError, RetrainError, FrontDoorError) as error:
        log.error("cannot look for work", worker=hand.name, why=str(error))
    except Exception:  # noqa: BLE001  # a worker that is left standing has more to do than to end
        log.exception("cannot look for work", worker=hand.name)
