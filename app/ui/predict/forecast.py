"""The forecast of a file: asked of the predictor that answers `/v1/predict`, shown, and taken along."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx
from dash.exceptions import PreventUpdate
from pydantic import ValidationError

from app.api.predict_schemas import MOST_MONTHS, MOST_SERIES, Prediction
from app.errors import Denied, PredictionTooLong, PredictorAbsent, PredictorLost, Refused
from app.export.form import MEDIA_TYPES
from app.prediction import PredictQuestion
from app.reading.errors import UnreadableFile
from app.reading.history import MONTH, QUANTITY, Choice, History, Limits, history_of
from app.reading.read import read_table
from app.reading.table import Table
from app.refusals import BadHistory, BadParameter
from app.ui import asking, states
from app.ui.bands import bands_of
from app.ui.predict.brought import (
    DAY_FIRST,
    DECIMALS,
    FILE,
    ROLE,
    SHEET,
    Roles,
    Told,
    check_may_predict,
    content_of,
)
from app.ui.predict.files import csv_of, excel_of
from app.ui.predict.found import COLUMNS
from forecasting.hierarchy import parse_level

ANSWER = "predict-answer"
PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)
_LIMITS = Limits(MOST_SERIES, MOST_MONTHS)


def answer(dash: Dash) -> None:
    """Give the callbacks to the page."""

    @dash.callback(
        output=[Output("predict-refused", "children"), Output(ANSWER, "data")],
        inputs={
            "clicks": Input("predict-go", "n_clicks"),
            "told": State(FILE, "data"),
            "sheet": State(SHEET, "value"),
            "chosen": State({"type": ROLE, "place": ALL}, "value"),
            "day_first": State(DAY_FIRST, "value"),
            "decimals": State(DECIMALS, "value"),
            "horizon": State("predict-horizon", "value"),
        },
        running=[
            (Output("predict-go", "disabled"), True, False),
            (Output("predict-status", "children"), "Forecasting …", ""),
        ],
        prevent_initial_call=True,
    )
    def forecast(
        *,
        clicks: int | None,
        told: Told | None,
        sheet: str | None,
        chosen: list[str | None],
        day_first: str | None,
        decimals: str | None,
        horizon: str,
    ) -> Any:
        if not clicks or told is None:
            raise PreventUpdate
        try:
            check_may_predict()
            choice = Roles.of(chosen).choice(day_first, decimals)
            table = read_table(content_of(told), sheet or None)
            if not isinstance(table, Table):
                raise UnreadableFile("the workbook has several sheets", "choose the one with the history")
            history = history_of(table, choice, _LIMITS)
            found = _shown(history, table, choice, _predicted(history, int(horizon)))
            return [], {**found, "file": str(told.get("name", ""))}
        except (Refused, Denied, PredictorAbsent, PredictorLost, PredictionTooLong) as error:
            # What is only busy or starting is let through: the page asks again by itself.
            return states.refused(error), None

    @dash.callback(
        Output(ANSWER, "data", allow_duplicate=True),
        Output("predict-refused", "children", allow_duplicate=True),
        Input(COLUMNS, "data"),
        Input({"type": ROLE, "place": ALL}, "value"),
        Input(DAY_FIRST, "value"),
        Input(DECIMALS, "value"),
        Input("predict-horizon", "value"),
        prevent_initial_call=True,
    )
    def forget(*_: Any) -> Any:
        """What is shown is an answer to what is asked; of another question there is none yet."""
        return None, []

    @dash.callback(
        Output("predict-download", "data"),
        Input("predict-csv", "n_clicks"),
        Input("predict-excel", "n_clicks"),
        State(ANSWER, "data"),
        prevent_initial_call=True,
    )
    def take_along(csv: int | None, excel: int | None, shown: Told | None) -> Any:
        """Without the file, beside which a long answer would be no body that the edge lets in."""
        if shown is None or not (csv or excel):
            raise PreventUpdate
        check_may_predict()
        prediction = _prediction(shown)
        name = str(shown.get("file", "")).rpartition(".")[0] or "history"
        if ctx.triggered_id == "predict-csv":
            content, kind = csv_of(prediction), MEDIA_TYPES["csv"]
            return {"filename": f"{name}-forecast.csv", "content": content, "type": kind}
        content, kind = base64.b64encode(excel_of(prediction)).decode(), MEDIA_TYPES["xlsx"]
        return {"filename": f"{name}-forecast.xlsx", "content": content, "base64": True, "type": kind}


def _predicted(history: History, horizon: int) -> Mapping[str, Any]:
    """What `/v1/predict` answers to this history."""
    predictor = asking.request().app.state.surroundings.predictor
    if predictor is None:
        raise PredictorAbsent
    question = PredictQuestion(
        history=history.text(),
        keys=history.keys,
        month=MONTH,
        quantity=QUANTITY,
        levels=None,
        horizon=horizon,
        probabilities=PROBABILITIES,
        recipe=None,
        csv=False,
    )
    try:
        found: Mapping[str, Any] = json.loads(predictor(question))
    except BadHistory as error:
        raise BadHistory(error.detail.removeprefix("history: ")) from None
    return found


def _shown(history: History, table: Table, choice: Choice, answer: Mapping[str, Any]) -> Told:
    """The answer, and beside each of its nodes its history."""
    sums = history.sums([parse_level(level) for level in answer["levels"]])
    return {
        "answer": answer,
        "unit": table.columns[choice.quantity].name,
        "bands": [
            {"label": band.label, "low": band.low, "high": band.high} for band in bands_of(PROBABILITIES)
        ],
        "histories": [sums[tuple(node["keys"][key] for key in history.keys)] for node in answer["forecasts"]],
    }


def _prediction(shown: Told) -> Prediction:
    try:
        return Prediction.model_validate(shown["answer"])
    except (ValidationError, KeyError):
        raise BadParameter(
            "this is not a forecast of the page", "open the page anew", field="answer"
        ) from None
