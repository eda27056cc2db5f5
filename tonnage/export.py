"""The current run as a file of any kind, or as CSV on standard output: the same bytes as over REST."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from app.export.files import forecast_file
from app.export.form import MEDIA_TYPES, Form, Kind, form_of
from app.refusals import BadParameter, RepeatedParameter
from app.store.cells import Separator
from app.store.read import reading
from app.store.row_text import Point, Shape
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


def read_form(
    output: Path | None, shape: Shape | None, sep: Separator | None, decimal: Point | None, *, bom: bool
) -> Form:
    """The kind of file that the ending of its name says, and what is asked of it; CSV without a name."""
    kinds: dict[str, Kind] = {f".{kind}": kind for kind in MEDIA_TYPES}
    if output is not None:
        check_output(output, tuple(kinds))
    kind = "csv" if output is None else kinds[output.suffix.lower()]
    form = form_of(kind, shape=shape, sep=sep, decimal=decimal, bom=bom or None)
    assert form is not None  # else it were JSON
    return form


def export(engine: Engine, question: Question, form: Form, output: Path | None) -> None:
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
        pieces = forecast_file(reader, selection, form).pieces
        if output is None:
            sys.stdout.buffer.writelines(pieces)
            sys.stdout.buffer.flush()
        else:
            write_whole(output, lambda path: _write(pieces, path))


def _write(pieces: Iterable[bytes], path: Path) -> None:
    with path.open("wb") as file:
        file.writelines(pieces)
