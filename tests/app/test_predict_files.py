"""The files of the page's forecast, for names and numbers that other files stumble over."""

from io import BytesIO

import openpyxl

from app.api.predict_schemas import Prediction
from app.ui.predict.files import csv_of, excel_of

PREDICTION = Prediction.model_validate(
    {
        "origin": "2026-10",
        "recipe": "smoothing",
        "empty_quantities": 0,
        "levels": ["material"],
        "quantiles": [0.5],
        "forecasts": [
            {
                "level": "material",
                "keys": {"material": name},
                "fallback": None,
                "months": [{"month": "2026-11", "mean": 1234567890123456.0, "p50": 2.0}],
            }
            for name in ("=SUM(A1)", "HEB 200")
        ],
    }
)


def test_a_formula_is_text_in_excel_also_when_edited() -> None:
    sheet = openpyxl.load_workbook(BytesIO(excel_of(PREDICTION))).active
    assert sheet is not None
    cells = [sheet["B2"], sheet["B3"]]
    assert [(cell.value, cell.data_type, cell.quotePrefix) for cell in cells] == [
        ("=SUM(A1)", "s", True),
        ("HEB 200", "s", False),
    ]


def test_csv_is_written_as_all_csv_is() -> None:
    assert csv_of(PREDICTION) == (
        "level,material,month,mean,p50,fallback\n"
        "material,'=SUM(A1),2026-11,1.234567890123456e+15,2.0,\n"
        "material,HEB 200,2026-11,1.234567890123456e+15,2.0,\n"
    )
