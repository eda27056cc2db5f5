"""Every error as `application/problem+json` (RFC 9457): error type to HTTP status, in one table."""

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from app import denials, errors, refusals

MEDIA_TYPE = "application/problem+json"

# Looked up along the error's base classes, so a type not named here has the status of its family.
STATUS: dict[type[errors.AppError], tuple[int, str]] = {
    errors.Refused: (422, "The question cannot be asked like this"),
    refusals.NotAcceptable: (406, "No such format"),
    errors.NotThere: (404, "Not there"),
    denials.Unidentified: (401, "Who is asking?"),
    errors.Denied: (403, "Not for you"),
    errors.IssuerUnavailable: (503, "Tokens cannot be checked"),
    refusals.TooLarge: (413, "Too large"),
    refusals.UnknownContent: (415, "No such format"),
    refusals.TooManyWaiting: (429, "Too much at once"),
    errors.PredictionTooLong: (504, "It took too long"),
    errors.PredictorAbsent: (503, "No forecasts are made here"),
    errors.PredictorBusy: (503, "Too many wait"),
    errors.PredictorStarting: (503, "Still starting"),
    errors.PredictorLost: (503, "The forecast was lost"),
    errors.TrailBehind: (503, "The audit trail is behind"),
    refusals.BodyTooLarge: (413, "Too large"),
    refusals.UrlTooLong: (414, "Too long"),
    refusals.HeadTooLarge: (431, "Too large headers"),
    errors.TooManyRequests: (429, "Too many requests"),
    errors.DatabaseUnavailable: (503, "The database does not answer"),
    errors.TookTooLong: (503, "The database does not answer in time"),
    errors.Draining: (503, "About to end"),
    errors.SchemaBehind: (503, "The database is not ready"),
}

_OF_STATUS = {404: "Not there", 405: "Method not allowed"}
_REMEDY_OF_STATUS = {404: "see /docs for what is there", 405: "see the Allow header"}
_RETRY_SECONDS = "5"
_LONGEST_VALUE = 200
_RETRIED = (429, 503, 504)
BEFORE_ANY_ROUTE = (413, 414, 429, 431)
"""What any question may be answered with before it reaches its resource: see app.edge."""

_log = structlog.get_logger("tonnage.api")


class Problem(BaseModel):
    """What went wrong, about which value of which field, and what to do about it."""

    type: str = Field(examples=["urn:tonnage:problem:unknown-level"])
    title: str = Field(examples=["The question cannot be asked like this"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["the run has no level 'plant'"])
    field: str | None = Field(examples=["level"])
    value: str | None = Field(examples=["plant"])
    remedy: str = Field(examples=["ask for one of: total; customer; material"])
    request_id: str | None = Field(
        examples=["5f2a9c0d7b1e4f60a3c8d9e2b7f01c44"], description="Name it to whoever runs this service."
    )


def declared(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route may answer with, for its OpenAPI."""
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    # Of two errors of one status the first in the table names it.
    titles = dict(reversed(list(STATUS.values()))) | {500: "Our fault"}
    return {
        status: {"description": titles[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in (*statuses, 500)
    }


def answer_with_problems(app: FastAPI) -> None:
    """Make every error of the application a problem."""
    app.add_exception_handler(errors.AppError, _answer_to)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _answer_to)
    app.add_exception_handler(Exception, _unforeseen)


def answer_to(error: errors.AppError | HTTPException) -> Response:
    """The answer to a question that ended in an error."""
    if isinstance(error, HTTPException):
        return _http(error)
    found = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)
    if found is None:
        raise error  # an error that no question should meet: ours, and logged as such
    status, title = found
    if status == 503:
        _log.warning("unavailable", detail=error.detail, cause=repr(error.__cause__))
    return _answer(
        Problem(
            type=_urn(type(error).__name__),
            title=title,
            status=status,
            detail=error.detail,
            field=error.field,
            value=error.value,
            remedy=error.remedy,
            request_id=_request_id(),
        ),
        _headers(error, status),
    )


def _headers(error: errors.AppError, status: int) -> dict[str, str]:
    if isinstance(error, denials.Unidentified):
        return {"WWW-Authenticate": f'Bearer error="{error.error}"' if error.error else "Bearer"}
    if isinstance(error, errors.TooManyRequests):
        return {"Retry-After": str(error.seconds)}
    return {"Retry-After": _RETRY_SECONDS} if status in _RETRIED else {}


def _answer_to(_: Request, error: Exception) -> Response:
    assert isinstance(error, errors.AppError | HTTPException)
    return answer_to(error)


def _request_id() -> str | None:
    # Where lines of the log find it too: see app.edge.request_id.
    return structlog.contextvars.get_contextvars().get("request_id")


def _invalid(_: Request, error: Exception) -> Response:
    """The first of the parameters that FastAPI refused."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where, *names = first["loc"]
    # Of a parameter that is repeated, the value says which.
    field = ".".join(str(name) for name in names if where != "query" or isinstance(name, str))
    return answer_to(
        refusals.BadParameter(
            f"{field}: {first['msg'].removeprefix('Value error, ')}",
            "correct the value; /docs shows what each parameter takes",
            field=field,
            value=str(first["input"])[:_LONGEST_VALUE],
        )
    )


def _http(error: HTTPException) -> Response:
    if error.status_code == 400:  # what FastAPI says of a body that it cannot even decode
        return answer_to(
            refusals.BadParameter(
                "the body is not JSON in UTF-8", "send the JSON that /docs shows", field="body"
            )
        )
    return _answer(
        Problem(
            type="about:blank",
            title=_OF_STATUS.get(error.status_code, error.detail),
            status=error.status_code,
            detail=error.detail,
            field=None,
            value=None,
            remedy=_REMEDY_OF_STATUS.get(error.status_code, "see /docs"),
            request_id=_request_id(),
        ),
        error.headers or {},
    )


def _unforeseen(_: Request, __: Exception) -> Response:
    # The server logs the exception with its traceback; the caller learns nothing of our insides.
    return _answer(
        Problem(
            type="about:blank",
            title="Our fault",
            status=500,
            detail="something went wrong that we did not foresee",
            field=None,
            value=None,
            remedy="try again; if it stays, tell whoever runs this service the request_id",
            request_id=_request_id(),
        ),
        {},
    )


def _answer(problem: Problem, headers: Mapping[str, str]) -> Response:
    return JSONResponse(problem.model_dump(), problem.status, headers=dict(headers), media_type=MEDIA_TYPE)


def _urn(name: str) -> str:
    words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)
    return f"urn:tonnage:problem:{words.removeprefix('-')}"
