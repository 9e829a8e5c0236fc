"""Failures as programs get them: a status and `{"error": {"code", "message"}}`; never a traceback.

On the routes that speak OpenAI's protocol the same object carries `type` and `param` too, as its clients expect.
"""

from __future__ import annotations

import logging
import math
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from assistant import errors

OPENAI_PATHS: Final = ("/v1/chat/", "/v1/models")
_UNFORESEEN: Final = "something went wrong that Ibid did not foresee; the server's log says more"
_log = logging.getLogger("ibid")

# Most particular first.
_KINDS: Final[tuple[tuple[type[errors.IbidError], int, str], ...]] = (
    (errors.FilterError, 422, "bad_filter"),
    (errors.InputError, 422, "bad_input"),
    (errors.LibraryLocked, 409, "library_locked"),
    (errors.NotInLibrary, 404, "not_found"),
    (errors.LibraryError, 503, "library_unusable"),
    (errors.ModelUnavailable, 503, "model_unavailable"),
    (errors.ModelRefused, 502, "model_refused"),
    (errors.ModelError, 502, "model_failed"),
)
_CODES: Final = {
    400: "bad_request",
    401: "unauthorised",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
}
_CODES_MORE: Final = {413: "too_large", 415: "wrong_kind", 422: "bad_request", 429: "too_many_requests"}


class Refusal(Exception):
    """The server will not do it: a status, a word for programs and a line for people."""

    def __init__(self, status: int, code: str, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after


class ClientLeft(Exception):
    """Nobody waits for the answer any more."""


def of(error: Exception) -> Refusal:
    """What a program is told of any exception; one that is not meant for it is told of without its words."""
    if isinstance(error, Refusal):
        return error
    for kind, status, code in _KINDS:
        if isinstance(error, kind):
            return Refusal(status, code, str(error))
    _log.exception("unforeseen", exc_info=error)
    return Refusal(500, "internal", _UNFORESEEN)


def content(refusal: Refusal, path: str = "") -> dict[str, Any]:
    """The JSON form."""
    told: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    if path.startswith(OPENAI_PATHS):
        kind = {401: "authentication_error", 429: "rate_limit_error"}.get(refusal.status)
        told["type"] = kind or ("invalid_request_error" if refusal.status < 500 else "server_error")
        told["param"] = None
    return {"error": told}


def response(refusal: Refusal, path: str = "") -> Response:
    """The reply, whole."""
    headers = {}
    if refusal.retry_after:
        headers["Retry-After"] = str(max(1, math.ceil(refusal.retry_after)))
    if refusal.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="ibid"'
    return JSONResponse(content(refusal, path), refusal.status, headers)


def install(app: Any) -> None:
    """Makes a FastAPI application answer every failure of its own routes this way."""
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException

    async def foreseen(request: Request, error: Exception) -> Response:
        return response(of(error), request.url.path)

    async def left(request: Request, error: Exception) -> Response:
        return Response(status_code=499)  # nobody reads it; counted as what it is

    async def invalid(request: Request, error: Exception) -> Response:
        return response(Refusal(422, "bad_request", _first(error)), request.url.path)

    async def http(request: Request, error: Exception) -> Response:
        status = getattr(error, "status_code", 500)
        code = {**_CODES, **_CODES_MORE}.get(status, "failed")
        reply = response(Refusal(status, code, str(getattr(error, "detail", "failed"))), request.url.path)
        reply.headers.update(getattr(error, "headers", None) or {})
        return reply

    app.add_exception_handler(errors.IbidError, foreseen)
    app.add_exception_handler(Refusal, foreseen)
    app.add_exception_handler(ClientLeft, left)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, foreseen)


def _first(error: Any) -> str:
    """The first thing that is wrong with a request, and how many more there are."""
    found = error.errors()
    first = found[0]
    if first["type"] == "json_invalid":
        return "the body is not JSON"
    where = ".".join(str(part) for part in first["loc"])
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{where}: {first['msg']}{more}"
