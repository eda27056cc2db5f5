"""`/v1/audit`: who asked to change or to take out what."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from app.api import audit_schemas as schemas
from app.api.asking import Asker
from app.api.problems import declared
from app.store.audit import read_links
from app.store.session import still

router = APIRouter(tags=["audit"])


@router.get(
    "/v1/audit",
    summary="The audit trail",
    response_model=schemas.AuditTrail,
    responses=declared(422, 503),
)
def get_audit(request: Request, caller: Asker, asked: Annotated[schemas.AuditQuery, Query()]) -> Response:
    """The newest first, each with its hash and that of the one before; `tonnage audit verify` checks them."""
    with still(request.app.state.engine) as connection:
        found = read_links(connection, asked.limit + 1, asked.before, asked.caller)
    page = found[: asked.limit]
    following = page[-1].number if len(found) > len(page) else None
    return JSONResponse({"entries": [schemas.audit_entry(link) for link in page], "next": following})
