"""`/v1/predict`: forecasts of a history that the caller brings along. Nothing of it is stored."""

import csv
from io import StringIO
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api import predict_schemas as schemas
from app.api.asking import Asker
from app.api.formats import choose_format
from app.api.problems import declared
from app.errors import PredictorAbsent
from app.prediction import PredictQuestion
from app.refusals import BadParameter, TooLarge, UnknownContent

router = APIRouter(tags=["predict"])

JSON, CSV = "application/json", "text/csv"
MOST_BYTES = 32 * 1024 * 1024

_MONTH, _QUANTITY = "month", "quantity"
_CSV_BODY = "customer,month,quantity\nK-104,2025-01,12\nK-104,2025-02,9.5\nK-7,2025-01,4\nK-7,2025-02,6\n"
_CSV_ANSWER = "level,customer,month,mean,p10,p50,p90,fallback\ntotal,,2025-03,14.1,9.8,13.9,18.7,\n"
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": {"$ref": f"#/components/schemas/{schemas.PredictAsked.__name__}"}},
            CSV: {"schema": {"type": "string"}, "example": _CSV_BODY},
        },
    }
}


async def _body(request: Request) -> bytes:
    """The body, of which no more is read than is taken."""
    read = bytearray()
    async for some in request.stream():
        read += some
        if len(read) > MOST_BYTES:
            raise TooLarge(MOST_BYTES)
    return bytes(read)


@router.post(
    "/v1/predict",
    summary="Forecast a history of your own",
    response_model=schemas.Prediction,
    responses={
        200: {"content": {CSV: {"schema": {"type": "string"}, "example": _CSV_ANSWER}}},
        **declared(406, 413, 415, 422, 503, 504),
    },
    openapi_extra=_BODY,
)
def post_predict(
    request: Request,
    caller: Asker,
    asked: Annotated[schemas.PredictQuery, Query()],
    body: Annotated[bytes, Depends(_body)],
) -> Response:
    """The same numbers as `tonnage forecast` gives for the same history.

    As JSON every series has all of its months. As CSV it is the file that `tonnage forecast` reads: rows of
    the same keys and month add up, months without a row are zero from a series' first row on.
    """
    predictor = request.app.state.surroundings.predictor
    if predictor is None:
        raise PredictorAbsent
    accepted = request.headers.get("accept") or "*/*"
    kind = {"csv": CSV, "json": JSON}[asked.format] if asked.format else choose_format(accepted, [JSON, CSV])
    content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if content_type == JSON:
        _refuse_query(request)
        question = _of_json(schemas.read_asked(body), kind == CSV)
    elif content_type == CSV:
        question = _of_csv(asked, body, kind == CSV)
    else:
        raise UnknownContent(content_type, [JSON, CSV])
    return Response(predictor(question), media_type=kind)


def _refuse_query(request: Request) -> None:
    for name, value in request.query_params.items():
        if name != "format":
            raise BadParameter(
                f"{name}: a JSON body says this itself", "say it in the body", field=name, value=value
            )


def _of_csv(asked: schemas.PredictQuery, body: bytes, as_csv: bool) -> PredictQuestion:
    if asked.keys is None:
        raise BadParameter(
            "keys: which columns are the keys?", "for example keys=customer,material", field="keys"
        )
    return PredictQuestion(
        history=body,
        keys=tuple(key.strip() for key in asked.keys.split(",")),
        month=asked.month,
        quantity=asked.quantity,
        levels=None if asked.levels is None else tuple(asked.levels.split(";")),
        horizon=asked.horizon,
        probabilities=asked.quantiles,
        recipe=asked.recipe,
        csv=as_csv,
    )


def _of_json(asked: schemas.PredictAsked, as_csv: bool) -> PredictQuestion:
    names = tuple(asked.series[0].keys)
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow((*names, _MONTH, _QUANTITY))
    for series in asked.series:
        keys = [series.keys[name] for name in names]
        start = series.start
        rows.writerows((*keys, str(start + at), each) for at, each in enumerate(series.quantities))
    return PredictQuestion(
        history=text.getvalue().encode(),
        keys=names,
        month=_MONTH,
        quantity=_QUANTITY,
        levels=None if asked.levels is None else tuple(asked.levels),
        horizon=asked.horizon,
        probabilities=tuple(asked.quantiles),
        recipe=asked.recipe,
        csv=as_csv,
    )
