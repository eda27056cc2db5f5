"""`/health`: for whoever watches the process."""

from fastapi import APIRouter, Request

from app.api.problems import declared
from app.api.schemas import Health
from app.errors import Draining, SchemaBehind
from app.store.migrate import is_current

router = APIRouter(tags=["health"])


@router.get("/health/live", summary="Does the process answer?", responses=declared(422))
async def get_live() -> Health:
    """Says nothing about the database: a restart would not bring that back."""
    return Health(status="live")


@router.get("/health/ready", summary="Can questions be answered?", responses=declared(422, 503))
def get_ready(request: Request) -> Health:
    """Ready means that the database is reachable, its schema that of this version, and no end in sight."""
    if request.app.state.draining.begun:
        raise Draining
    if not is_current(request.app.state.engine):
        raise SchemaBehind
    return Health(status="ready")
