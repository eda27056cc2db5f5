"""How long work shows itself: a bar on a terminal, structured lines otherwise."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

import structlog
from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

log = structlog.get_logger("tonnage")


def log_to(stream: TextIO) -> None:
    """Send structured lines to a stream, beside the answers on standard output."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(stream))


@contextmanager
def stages(console: Console, title: str, total: int) -> Iterator[Callable[[str], None]]:
    """A callable that announces the next of `total` stages by name.

    What follows a colon in a name says where within its stage the work is.
    """
    if not console.is_terminal:
        yield lambda stage: log.info(title, stage=stage)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=total)
        over = stages_over(total)

        def announce(stage: str) -> None:
            progress.update(task, completed=over(stage), description=f"{title}: {stage}")

        yield announce


def stages_over(total: int) -> Callable[[str], int]:
    """A callable that is told of each stage, and of each place within it, and says how many are over."""
    begun: list[str] = []

    def over(stage: str) -> int:
        name = stage.partition(":")[0]
        if begun[-1:] != [name]:
            begun.append(name)
        return min(len(begun) - 1, total)

    return over


@contextmanager
def rows_read(console: Console, title: str) -> Iterator[Callable[[str, int], None]]:
    """A callable that is told, source by source, how many rows have been read so far."""
    if not console.is_terminal:
        yield lambda source, rows: log.info(title, source=source, rows=rows)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=None)

        def announce(source: str, rows: int) -> None:
            progress.update(task, description=f"{title}: {source}, {rows:,} rows")

        yield announce
