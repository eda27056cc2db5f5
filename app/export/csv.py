"""Forecasts as CSV text: the same bytes over REST and from the command line.

UTF-8 without a byte order mark, comma, decimal point, one line feed per line, quotes as in RFC 4180.
One row per node and month; a key that the node sums over is empty. Attributes that the level names have
columns after the keys. Numbers are written in full, so that they read back as the very doubles that
are stored.
"""

from collections.abc import Iterable, Iterator
from itertools import batched

from app.store.forecasts import NodeForecast
from app.store.keys import KEYS
from app.store.selection import Selection
from forecasting.forecast import quantile_name
from forecasting.hierarchy import level_name

_NODES_PER_CHUNK = 200
_RUNS_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
_NEEDS_QUOTES = frozenset(',"\r\n')


def csv_chunks(selection: Selection, forecasts: Iterable[NodeForecast]) -> Iterator[str]:
    """The file piece by piece, its header first."""
    columns = [
        "run",
        "origin",
        "level",
        *KEYS,
        *map(text_cell, selection.attributes),
        "month",
        "unit",
        "mean",
    ]
    columns += [quantile_name(probability) for probability in selection.probabilities]
    yield ",".join(columns) + "\n"
    run = selection.run
    level = text_cell(level_name(selection.level))
    before = f"{text_cell(run.id)},{run.origin},{level},"
    months = [f",{month},{run.unit}," for month in selection.months]
    for some in batched(forecasts, _NODES_PER_CHUNK):
        yield "".join(line for forecast in some for line in _lines(before, months, forecast))


def text_cell(text: str | None) -> str:
    """A text cell, quoted where it must be.

    A spreadsheet would run a cell that begins like a formula; an apostrophe before it makes it text.

    >>> [text_cell(text) for text in ("HEB 200", "a,b", "=1+1", None)]
    ['HEB 200', '"a,b"', "'=1+1", '']
    """
    if text is None:
        return ""
    if text.startswith(_RUNS_AS_FORMULA):
        text = f"'{text}"
    if _NEEDS_QUOTES.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def _lines(before: str, months: list[str], forecast: NodeForecast) -> Iterator[str]:
    keys = (getattr(forecast.node, key) for key in KEYS)
    node = before + ",".join(map(text_cell, (*keys, *forecast.node.attributes)))
    for month, numbers in zip(months, forecast.numbers, strict=True):
        yield f"{node}{month}{','.join(map(repr, numbers))}\n"
