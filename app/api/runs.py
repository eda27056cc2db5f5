"""`/v1/runs`: what was published."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from app.api import schemas
from app.api.asking import Reading
from app.api.problems import declared

router = APIRouter(tags=["runs"])


@router.get(
    "/v1/runs/current",
    summary="The run that is shown",
    response_model=schemas.CurrentRun,
    responses=declared(404, 422, 503),
)
def get_current_run(reader: Reading) -> Response:
    """Where the numbers come from, and which levels, months and quantiles there are."""
    return JSONResponse(schemas.current_run(reader.current_run()))
