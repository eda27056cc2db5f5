"""`/v1/forecasts`: the numbers, as JSON by page or as CSV in one stream."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from app.api import schemas
from app.api.asking import (
    Asker,
    Reading,
    cache_headers,
    is_known,
    next_cursor,
    question_of,
    run_of,
    start_of,
)
from app.api.cursor import Cursor
from app.api.formats import choose_format
from app.api.json_answer import JsonAnswer
from app.api.parameters import ATTRIBUTES, ForecastsQuery
from app.api.problems import declared
from app.export.csv import csv_chunks
from app.store.selection import Selection, select_from
from forecasting.hierarchy import TOTAL

router = APIRouter(tags=["forecasts"])

JSON = "application/json"
CSV = "text/csv"

# An attribute may be called anything; a header and a file system may not hold everything.
_NOT_FOR_FILE_NAMES = re.compile(r"[^A-Za-z0-9._-]")

_CSV_EXAMPLE = (
    "run,origin,level,organization,customer,material,month,unit,mean,p10,p50,p90\n"
    "2026-10-3f9c1a2b4d5e,2026-10,customer,,K-104,,2026-11,t,41.2,30.5,40.8,53.0\n"
)


@router.get(
    "/v1/forecasts",
    summary="Forecasts of the nodes of one level",
    response_model=schemas.Forecasts,
    responses={
        200: {
            "description": "As JSON one page; as CSV every node, or one page if `limit` is given, "
            "with the next in the Link header.",
            "content": {CSV: {"schema": {"type": "string"}, "example": _CSV_EXAMPLE}},
        },
        304: {"description": "The answer named by If-None-Match is still the answer."},
        **declared(404, 406, 422, 503),
    },
    openapi_extra=ATTRIBUTES,
)
def get_forecasts(
    reader: Reading, caller: Asker, asked: Annotated[ForecastsQuery, Query()], request: Request
) -> Response:
    """Mean and quantiles by month, all of one run."""
    media_type = _media_type(request, asked)
    cursor = None if asked.cursor is None else Cursor.decode(asked.cursor)
    run = run_of(request, reader, asked, cursor)
    selection = select_from(
        run,
        level=asked.level,
        where=asked.where,
        first=asked.first,
        last=asked.last,
        probabilities=asked.probabilities,
        sort=asked.sort,
        search=asked.search,
    )
    question = question_of(request, [selection])
    after = start_of(cursor, question, [selection])
    headers = cache_headers(request, caller, run, media_type)
    if is_known(request, headers):
        return Response(status_code=304, headers=headers)
    if media_type == CSV and not asked.limited:
        lines = csv_chunks(selection, reader.stream(selection, after))
        return StreamingResponse(lines, headers=headers | _as_file(selection), media_type=CSV)
    page = reader.forecasts(selection, asked.limit, after)
    following = next_cursor(run, question, page.after)
    if media_type == JSON:
        return JsonAnswer(schemas.forecasts(selection, page.rows, following), headers=headers)
    if following is not None:
        headers["Link"] = f'<{request.url.include_query_params(cursor=following)}>; rel="next"'
    text = "".join(csv_chunks(selection, page.rows))
    return Response(text, headers=headers | _as_file(selection), media_type=CSV)


def _media_type(request: Request, asked: ForecastsQuery) -> str:
    if asked.format is not None:
        return CSV if asked.format == "csv" else JSON
    return choose_format(request.headers.get("accept") or "*/*", [JSON, CSV])


def _as_file(selection: Selection) -> dict[str, str]:
    level = _NOT_FOR_FILE_NAMES.sub("_", "-".join(selection.level or (TOTAL,)))
    name = f"{selection.run.id}-{level}"
    return {"Content-Disposition": f'attachment; filename="forecasts-{name}.csv"'}
