"""The current run as a CSV file or on standard output: the same bytes as over REST."""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from app.export.csv import csv_chunks
from app.store.read import reading
from app.store.selection import select_from
from forecasting.months import Month
from tonnage.errors import BadOutput


@dataclass(frozen=True)
class Question:
    """Which forecasts of the current run; None asks for all that it holds."""

    level: str
    where: Mapping[str, str]
    first: Month | None
    last: Month | None
    probabilities: tuple[float, ...] | None


def export_csv(engine: Engine, question: Question, output: Path | None) -> None:
    """Stream the answer; a file appears whole or not at all."""
    with reading(engine) as reader:
        selection = select_from(
            reader.current_run(),
            level=question.level,
            where=question.where,
            first=question.first,
            last=question.last,
            probabilities=question.probabilities,
        )
        chunks = csv_chunks(selection, reader.stream(selection))
        if output is None:
            sys.stdout.writelines(chunks)
        else:
            _write(chunks, output)


def _write(chunks: Iterable[str], output: Path) -> None:
    beside = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8", newline="") as file:
            file.writelines(chunks)
        beside.replace(output)
    except OSError as error:
        raise BadOutput(output, error.strerror or str(error)) from error
    finally:
        beside.unlink(missing_ok=True)
