"""Around every request: its id, the security headers, the log line, and errors outside routes."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from ..database.ids import new_id
from .problems import problem_response

_log = structlog.get_logger("command_center.web")
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

_CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; "
    "connect-src 'self' ws: wss:; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}


def _finish(request: web.Request, response: web.StreamResponse) -> None:
    if response.prepared:
        return
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-Id"] = request[REQUEST_ID]
    if request.scheme == "https":
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")


def route_of(request: web.Request) -> str:
    """The route's pattern, never the path: a join link's token is part of its path."""
    resource = request.match_info.route.resource
    return "" if resource is None else resource.canonical


@web.middleware
async def guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Nothing leaves without the headers, and no error leaves as a stack trace."""
    given = request.headers.get("X-Request-Id", "")
    request[REQUEST_ID] = given if _ID.fullmatch(given) else str(new_id())
    started = time.monotonic()
    try:
        response = await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            _finish(request, error)
            raise
        response = problem_response(
            _CODES.get(error.status, "bad_request" if error.status < 500 else "internal_error")
        )
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
    except ConnectionResetError:
        raise
    except Exception as error:  # noqa: BLE001 - the process's outermost frame for a request
        _log.error("request_failed", route=route_of(request), exc_info=error)
        response = problem_response("internal_error")
    _finish(request, response)
    _log.info(
        "request",
        method=request.method,
        route=route_of(request),
        status=response.status,
        ms=round((time.monotonic() - started) * 1000, 1),
        request_id=request[REQUEST_ID],
    )
    return response
