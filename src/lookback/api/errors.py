"""The one place that knows status codes: errors become application/problem+json (RFC 9457)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from lookback import errors
from lookback.errors import LookbackError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class UnsupportedMediaTypeError(LookbackError):
    """The body is of a kind that is not taken here."""

    code = "unsupported-media-type"
    title = "Unsupported media type"


class TooLargeError(LookbackError):
    """The body is longer than anything sensible; facts: limit (bytes)."""

    code = "too-large"
    title = "Too large"


class RangeOutsideError(LookbackError):
    """The range lies outside of the file."""

    code = "range-outside"
    title = "Range outside"


class PreconditionRequiredError(LookbackError):
    """The request must say which version it is about."""

    code = "precondition-required"
    title = "Precondition required"


class PreconditionFailedError(LookbackError):
    """The request is about a version that is gone."""

    code = "precondition-failed"
    title = "Precondition failed"


STATUS: dict[type[LookbackError], int] = {
    errors.MalformedError: 400,
    errors.ValidationError: 400,
    errors.AlreadyActiveError: 400,
    errors.NoSegmentsError: 400,
    errors.UnauthenticatedError: 401,
    errors.PermissionDeniedError: 403,
    errors.ConsentError: 403,
    errors.NotFoundError: 404,
    errors.GapsError: 409,
    errors.CodecChangeError: 409,
    errors.NobodySharingError: 409,
    PreconditionFailedError: 412,
    TooLargeError: 413,
    UnsupportedMediaTypeError: 415,
    RangeOutsideError: 416,
    errors.UnsupportedCodecError: 422,
    errors.EncryptedError: 422,
    errors.BufferDisabledError: 422,
    errors.InvalidConfigError: 422,
    errors.TooEarlyError: 425,
    PreconditionRequiredError: 428,
    errors.CommunityLimitError: 429,
    errors.RateLimitError: 429,
    errors.CaptureFailedError: 500,
    errors.StorageUnavailableError: 503,
    errors.LivekitUnavailableError: 503,
    errors.NoCapacityError: 503,
    errors.QuotaExceededError: 507,
    errors.DiskFullError: 507,
}
# In place of the framework's own words. The only patterns there are keep control characters out.
_MESSAGES = {
    "extra_forbidden": "There is no such member",
    "string_pattern_mismatch": "It contains control characters",
}
# What the framework refuses by itself.
_BY_STATUS: dict[int, tuple[str, str, str]] = {
    400: (errors.ValidationError.code, errors.ValidationError.title, "The body cannot be read"),
    404: ("not-found", "Not found", "There is nothing at this address"),
    405: ("method-not-allowed", "Method not allowed", "This address does not take this method"),
}
_INTERNAL = LookbackError("The server failed; its log says more")


def problem(error: LookbackError, status: int | None = None, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the response for an error; the status of its kind unless another is given."""
    status = status or _status(type(error))
    body = {**error.facts, **_members(error.code, error.title, status, error.detail)}
    return JSONResponse(body, status, {**_headers(error, status), **(headers or {})}, CONTENT_TYPE)


def internal_problem() -> JSONResponse:
    """Return the response for a failure that nobody foresaw: it says nothing about it."""
    return problem(_INTERNAL, 500)


def install(app: FastAPI) -> None:
    """Let every error that a route raises leave as a problem."""
    app.add_exception_handler(LookbackError, _on_lookback_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)


def _status(kind: type[LookbackError]) -> int:
    return next((STATUS[base] for base in kind.__mro__ if base in STATUS), 500)


def _members(code: str, title: str, status: int, detail: str) -> dict[str, Any]:
    return {"type": f"urn:lookback:error:{code}", "title": title, "status": status, "detail": detail, "code": code}


def _headers(error: LookbackError, status: int) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if (seconds := error.facts.get("retryAfter")) is not None:
        headers["Retry-After"] = str(math.ceil(seconds))  # whole seconds (RFC 9110 section 10.2.3)
    return headers


async def _on_lookback_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LookbackError)  # noqa: S101 - registered for this kind only
    if _status(type(error)) >= 500 and error.__cause__ is not None:
        # The caller is not told what the server's own trouble is; whoever runs it is.
        log.warning("http.unavailable", code=error.code, error=error.detail, cause=_first_line(error.__cause__))
    return problem(error)


async def _on_validation_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this kind only
    sentence, mistakes = mistakes_of(error)
    return problem(errors.ValidationError(sentence, errors=mistakes))


def mistakes_of(error: RequestValidationError) -> tuple[str, list[dict[str, str]]]:
    """Say what is wrong with a request: in a sentence, and field by field."""
    mistakes = [_mistake(mistake) for mistake in error.errors()]
    sentence = "; ".join(m["message"] if not m["field"] else f"{m['field']}: {m['message']}" for m in mistakes)
    return sentence, mistakes


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this kind only
    fallback = ("http-error", "The request failed", str(error.detail))
    code, title, detail = _BY_STATUS.get(error.status_code, fallback)
    headers = dict(error.headers or {})
    if error.status_code == 405 and (allowed := _allowed(request)):
        headers["Allow"] = ", ".join(allowed)
    return JSONResponse(_members(code, title, error.status_code, detail), error.status_code, headers, CONTENT_TYPE)


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _allowed(request: Request) -> list[str]:
    """Every method the address takes (RFC 9110 section 15.5.6); the framework names those of one route only."""
    routes = request.app.router.routes
    return [
        method
        for method in METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]


def _mistake(mistake: Mapping[str, Any]) -> dict[str, str]:
    """Say what is wrong with which field. What was sent is left out: it may be a token, or not even JSON."""
    where = [str(part) for part in mistake["loc"] if part not in {"body", "query", "path", "header"}]
    if mistake["type"] == "json_invalid":
        return {"field": "", "message": "The body is not JSON"}
    message = _MESSAGES.get(mistake["type"]) or str(mistake["msg"]).removeprefix("Value error, ")
    return {"field": ".".join(where), "message": message}
