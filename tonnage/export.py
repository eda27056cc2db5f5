"""The current run as a CSV file or on standard output: the same bytes as over REST."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from app.export.csv import csv_chunks
from app.refusals import BadParameter, RepeatedParameter
from app.store.read import reading
from app.store.selection import select_from
from forecasting.months import Month
from tonnage.forecast_file import check_output, write_whole


@dataclass(frozen=True)
class Question:
    """Which forecasts of the current run; None asks for all that it holds."""

    level: str
    where: Mapping[str, str]
    first: Month | None
    last: Month | None
    probabilities: tuple[float, ...] | None


def read_filters(keys: Mapping[str, str | None], pairs: Sequence[str]) -> dict[str, str]:
    """What `--customer K-104` and `--where material_group=Flat` ask for, together."""
    where = {key: value for key, value in keys.items() if value is not None}
    for pair in pairs:
        name, is_pair, value = pair.partition("=")
        if not is_pair:
            raise BadParameter(
                f"--where {pair!r} names no value",
                "write it as NAME=VALUE, for example material_group=Flat",
                field="where",
                value=pair,
            )
        if name in where:
            raise RepeatedParameter(name, value)
        where[name] = value
    return where


def export_csv(engine: Engine, question: Question, output: Path | None) -> None:
    """Stream the answer; a file appears whole or not at all."""
    if output is not None:
        check_output(output, (".csv",))
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
            write_whole(output, lambda path: _write(chunks, path))


def _write(chunks: Iterable[str], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(chunks)
