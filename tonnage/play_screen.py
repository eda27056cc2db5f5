"""What `tonnage demo --months` prints: each month, what it published, and how long it took."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Engine

from app.store.run_records import runs
from tonnage.play import PlayedMonth


def print_play(console: Console, engine: Engine, played: Sequence[PlayedMonth]) -> None:
    """One row per month, and the time of all of them."""
    records = {each.id: each for each in runs(engine, len(played))}
    seconds = sum(each.seconds for each in played)
    done = sum(each.period.status == "done" for each in played)
    table = Table(title=f"{done} of {len(played)} months published in {seconds:,.0f} s", title_justify="left")
    for heading in ("month", "status", "run, or why there is none", "model"):
        table.add_column(heading)
    table.add_column("seconds", justify="right")
    for each in played:
        run = records.get(each.period.run or "")
        table.add_row(
            str(each.period.month),
            each.period.status,
            escape(each.period.run or each.period.detail or ""),
            run.model.rsplit("-", 1)[0] if run else "",
            f"{each.seconds:.1f}",
        )
    console.print(table)
