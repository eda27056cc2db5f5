"""Answers to files, whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path

import polars as pl

from tonnage.errors import BadOutput


def check_output(path: Path, endings: tuple[str, ...] = (".csv", ".parquet")) -> None:
    """Refuse, before any work is done, a place where the answer cannot be written."""
    if path.suffix.lower() not in endings:
        raise BadOutput(path, f"its ending {path.suffix!r} is neither {' nor '.join(endings)}")
    if path.is_dir():
        raise BadOutput(path, "it is a folder; name a file")
    if not path.parent.is_dir():
        raise BadOutput(path, f"the folder {path.parent} does not exist; make it first")
    if not os.access(path.parent, os.W_OK):
        raise BadOutput(path, f"the folder {path.parent} cannot be written to")


def write_rows(rows: pl.DataFrame, path: Path) -> None:
    """Write rows as Parquet or CSV, by the ending."""
    write_whole(path, rows.write_parquet if path.suffix.lower() == ".parquet" else rows.write_csv)


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside the target, then rename over it, so that no reader meets half a file."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(beside)
        beside.replace(path)
    except OSError as error:
        raise BadOutput(path, error.strerror or str(error)) from error
    finally:
        beside.unlink(missing_ok=True)
