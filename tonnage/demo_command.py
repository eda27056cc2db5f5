"""`tonnage demo`: one month of a made-up steel company, or two years of them."""

import datetime as dt
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from forecasting.months import Month
from tonnage import clock
from tonnage.consoles import aside, screen
from tonnage.options import PortOption
from tonnage.progress import stages

if TYPE_CHECKING:
    from tonnage.wiring import House

_KEY_LASTS = dt.timedelta(days=30)
_MAKE_ONE = "$(uv run tonnage keys create me --role viewer)"


def demo(
    serve: Annotated[bool, typer.Option(help="Serve the forecasts afterwards, until Ctrl-C.")] = True,
    months: Annotated[
        int | None,
        typer.Option(min=1, max=36, help="Play so many months, each at its moment, as a worker runs them."),
    ] = None,
    port: PortOption = None,
) -> None:
    """Make a steel order book, run a month on it, show the forecast, and serve it.

    Everything happens in the data folder (TONNAGE_HOME, default .tonnage) and in its own database.
    A second run finds what the first one made; what is served is asked with a key, made anew each time. With
    --months the order book grows month by month, its largest customer leaves and a price shock comes, and
    nobody lends a hand.
    """
    from tonnage.report import print_how_to_ask
    from tonnage.server import serve_until_stopped
    from tonnage.wiring import House

    house = House.for_command()
    first = _one_month(house) if months is None else _many_months(house, months)
    key = _fresh_key(house) if serve else _MAKE_ONE
    print_how_to_ask(screen, port or house.service.port, first, key)
    if serve:
        serve_until_stopped(house, None, port)


def _one_month(house: "House") -> Month:
    """The demo's month; the first month of its forecast."""
    from retrain.pipeline import STAGES
    from tonnage.demo import MONTH, prepare_demo
    from tonnage.report import print_month, print_snapshot

    with stages(aside, "demo", 1 + len(STAGES)) as on_stage:
        on_stage("order book")
        config = prepare_demo(house)
        month = house.retrain(MONTH, config, moment=clock.now(), on_stage=on_stage)
    print_snapshot(screen, month.snapshot)
    print_month(screen, month, ("organization",))
    return month.run.forecast.first


def _many_months(house: "House", months: int) -> Month:
    """The demo's months up to the same one."""
    from tonnage.demo import MONTH
    from tonnage.play import play
    from tonnage.play_screen import print_play

    with stages(aside, "demo", months) as on_month:
        played = list(play(house, months, on_month))
    print_play(screen, house.engine, played)
    return MONTH + 1


def _fresh_key(house: "House") -> str:
    """A key for whoever tries the demo, in the place of that of an earlier run."""
    from app.absences import UnknownApiKey
    from app.access.grant import Wish
    from app.store.session import connected
    from tonnage.granting import grant, take_back

    wish = Wish("demo", "admin", expires_at=clock.now() + _KEY_LASTS)
    with connected(house.engine) as connection:
        with suppress(UnknownApiKey):
            take_back(connection, wish.name, "tonnage demo")
        return str(grant(connection, wish, "tonnage demo"))
