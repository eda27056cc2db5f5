"""`/v1/series/{node}`: one node through time, as JSON or as CSV."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from app.api import series_schemas as shapes
from app.api.asking import Asker, Reading, cache_headers, is_known, run_of
from app.api.formats import choose_format
from app.api.node_parameters import SeriesQuery
from app.api.nodes import NodeText
from app.api.problems import declared
from app.export.series_csv import series_csv
from app.store.node_id import NodeId

router = APIRouter(tags=["series"])

JSON = "application/json"
CSV = "text/csv"

_NOT_FOR_FILE_NAMES = re.compile(r"[^A-Za-z0-9._-]")
_CSV_EXAMPLE = (
    "run,origin,level,organization,customer,material,kind,month,unit,mean,p10,p50,p90\n"
    "2026-10-3f9c1a2b4d5e,2026-10,customer,,K-104,,history,2026-10,t,38.7,,,\n"
    "2026-10-3f9c1a2b4d5e,2026-10,customer,,K-104,,forecast,2026-11,t,41.2,30.5,40.8,53.0\n"
    "2026-10-3f9c1a2b4d5e,2026-10,customer,,K-104,,last year,2025-11,t,44.1,,,\n"
    "2026-09-9b1d0c3e77aa,2026-09,customer,,K-104,,earlier,2026-11,t,43.0,29.9,42.5,58.1\n"
)


@router.get(
    "/v1/series/{node}",
    summary="One node through time",
    response_model=shapes.NodeSeries,
    responses={
        200: {
            "description": "As CSV one row for each kind, run and month; `mean` is also what was bought.",
            "content": {CSV: {"schema": {"type": "string"}, "example": _CSV_EXAMPLE}},
        },
        304: {"description": "The answer named by If-None-Match is still the answer."},
        **declared(404, 406, 422, 503),
    },
)
def get_series(
    reader: Reading,
    caller: Asker,
    node: NodeText,
    asked: Annotated[SeriesQuery, Query()],
    request: Request,
) -> Response:
    """What was bought, the forecast, the same months of last year, and what earlier runs said of them."""
    media_type = _media_type(request, asked)
    where = NodeId.parse(node)
    run = run_of(request, reader, asked)
    headers = cache_headers(request, caller, run, media_type)
    if is_known(request, headers):
        return Response(status_code=304, headers=headers)
    series = reader.series(run, where, asked.probabilities, history=asked.history, earlier=asked.earlier)
    if media_type == JSON:
        return JSONResponse(shapes.node_series(series), headers=headers)
    name = f"series-{run.id}-{_NOT_FOR_FILE_NAMES.sub('_', str(where))[:100]}.csv"
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(series_csv(series), headers=headers, media_type=CSV)


def _media_type(request: Request, asked: SeriesQuery) -> str:
    if asked.format is not None:
        return CSV if asked.format == "csv" else JSON
    return choose_format(request.headers.get("accept") or "*/*", [JSON, CSV])
