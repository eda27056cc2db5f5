"""Lines of many slices come mixed, and leave one slice at a time, with little of them in memory."""

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

_AT_ONCE = 1_000_000
_MOST_ROWS_IN_MEMORY = 5_000_000


class Spool:
    """Frames with a `slice` column; what is too much for memory waits in a temporary folder."""

    def __init__(self, folder: Path, name: str, most_rows: int = _MOST_ROWS_IN_MEMORY) -> None:
        self._folder = folder
        self._name = name
        self._most_rows = most_rows
        self._waiting: list[pl.DataFrame] = []
        self._rows = 0
        self._rows_in_memory = 0
        self._kept: defaultdict[str, list[Path | pl.DataFrame]] = defaultdict(list)
        self._files = 0

    def add(self, frame: pl.DataFrame) -> None:
        self._waiting.append(frame)
        self._rows += frame.height
        if self._rows < min(_AT_ONCE, self._most_rows):
            return
        spill = self._rows_in_memory + self._rows > self._most_rows
        self._rows_in_memory += 0 if spill else self._rows
        for name, part in self._divided():
            if spill:
                path = self._folder / f"{self._name}-{self._files}.arrow"
                part.write_ipc(path)
                self._files += 1
            self._kept[name].append(path if spill else part)

    def close(self) -> None:
        """No more rows will come; from now on they can be taken, by several threads at once."""
        if self._waiting:
            for name, part in self._divided():
                self._kept[name].append(part)

    def take(self, name: str, schema: pl.Schema) -> pl.DataFrame:
        """All rows of a slice, without it, of a schema; they are then forgotten."""
        frames = [schema.to_frame()]
        for piece in self._kept.pop(name, []):
            if isinstance(piece, Path):
                frames.append(pl.read_ipc(piece).drop("slice"))
                piece.unlink()
            else:
                frames.append(piece.drop("slice"))
        return pl.concat(frames)

    def _divided(self) -> Iterator[tuple[str, pl.DataFrame]]:
        together, self._waiting, self._rows = pl.concat(self._waiting), [], 0
        for (name,), part in together.partition_by("slice", as_dict=True).items():
            yield str(name), part


def ahead[Batch](batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches, the next one being fetched while one is worked on."""
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(next, batches, None)
        while (batch := following.result()) is not None:
            following = reader.submit(next, batches, None)
            yield batch
