"""A forecast as a file to take along: the CSV that `/v1/predict` answers, and the same as Excel workbook."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from xlsxwriter import Workbook  # type: ignore[import-untyped]  # it ships no types

from app.api.predict_schemas import Prediction
from app.store.cells import number_cell, runs_as_formula, text_cell
from forecasting.forecast import quantile_name
from forecasting.months import Month


def csv_of(prediction: Prediction) -> str:
    """The forecast as CSV, with the columns that `/v1/predict` answers."""
    rows = [_names(prediction), *_rows(prediction)]
    return "".join(",".join(map(_cell, row)) + "\n" for row in rows)


def excel_of(prediction: Prediction) -> bytes:
    """The same as workbook: months are dates, numbers are numbers."""
    content = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(content, options) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        plain, quoted = book.add_format(), book.add_format({"quote_prefix": True})
        number, month = (
            book.add_format({"num_format": "#,##0.00"}),
            book.add_format({"num_format": "yyyy-mm"}),
        )
        sheet = book.add_worksheet("Forecast")
        names = _names(prediction)
        at = names.index("month")
        for row, cells in enumerate(_rows(prediction), 1):
            for place, cell in enumerate(cells):
                if place == at:
                    sheet.write_datetime(row, place, Month.parse(str(cell)).first_day, month)
                elif isinstance(cell, float):
                    sheet.write_number(row, place, cell, number)
                elif cell is not None:
                    sheet.write_string(row, place, cell, quoted if runs_as_formula(cell) else plain)
        sheet.write_row(0, 0, names, bold)
        sheet.freeze_panes(1, at)
        sheet.autofilter(0, 0, row, len(names) - 1)
        sheet.set_column(0, at, 18)
        sheet.set_column(at + 1, len(names) - 1, 12)
    return content.getvalue()


def _cell(cell: str | float | None) -> str:
    return number_cell(cell) if isinstance(cell, float) else text_cell(cell)


def _names(prediction: Prediction) -> list[str]:
    keys = prediction.forecasts[0].keys
    return ["level", *keys, "month", "mean", *map(quantile_name, prediction.quantiles), "fallback"]


def _rows(prediction: Prediction) -> Iterator[list[Any]]:
    quantiles = [quantile_name(probability) for probability in prediction.quantiles]
    for node in prediction.forecasts:
        for each in node.months:
            numbers = each.model_dump()
            yield [
                node.level,
                *node.keys.values(),
                each.month,
                each.mean,
                *(numbers[name] for name in quantiles),
                node.fallback,
            ]
