"""One node through time as CSV text, written as the forecasts are.

One row per kind, run and month. Of history and last year, `mean` is what was bought, and the quantiles are
empty; so are those that an earlier run does not hold.
"""

from collections.abc import Iterable, Iterator, Mapping

from app.store.cells import number_cell, text_cell
from app.store.keys import KEYS, attributes_of
from app.store.selection import PublishedRun
from app.store.series import SaidByRun, Series
from forecasting.forecast import quantile_name
from forecasting.hierarchy import level_name
from forecasting.months import Month


def series_csv(series: Series) -> str:
    """The whole file: history, forecast, last year, then earlier forecasts, the latest first."""
    attributes = map(text_cell, attributes_of(series.node.level))
    probabilities = series.forecast.probabilities
    columns = ["run", "origin", "level", *KEYS, *attributes, "kind", "month", "unit", "mean"]
    columns += map(quantile_name, probabilities)
    node = series.node.node
    values = (node.organization, node.customer, node.material, *node.attributes)
    place = ",".join(map(text_cell, (level_name(series.node.level), *values)))
    last_year = {month - 12: quantity for month, quantity in series.last_year.items()}
    lines = [
        *_lines(series.run, place, "history", _bought(series.history, probabilities)),
        *_lines(series.run, place, "forecast", _said(series.forecast, probabilities)),
        *_lines(series.run, place, "last year", _bought(last_year, probabilities)),
    ]
    for said in series.earlier:
        lines += _lines(said.run, place, "earlier", _said(said, probabilities))
    return "\n".join((",".join(columns), *lines, ""))


def _lines(
    run: PublishedRun, place: str, kind: str, months: Iterable[tuple[Month, list[str]]]
) -> Iterator[str]:
    for month, cells in months:
        yield ",".join((text_cell(run.id), str(run.origin), place, kind, str(month), run.unit, *cells))


def _bought(
    quantities: Mapping[Month, float], probabilities: tuple[float, ...]
) -> Iterator[tuple[Month, list[str]]]:
    for month, quantity in quantities.items():
        yield month, [number_cell(quantity), *("" for _ in probabilities)]


def _said(said: SaidByRun, probabilities: tuple[float, ...]) -> Iterator[tuple[Month, list[str]]]:
    for month, (mean, *quantiles) in said.numbers.items():
        held = dict(zip(said.probabilities, quantiles, strict=True))
        cells = [number_cell(held[each]) if each in held else "" for each in probabilities]
        yield month, [number_cell(mean), *cells]
